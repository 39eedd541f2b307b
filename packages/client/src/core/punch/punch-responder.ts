/**
 * The target's side of a punch (the seed's section 3): 0x112 from a relay with which this peer is
 * registered. The requester's signature is verified, consent asked, 0x114 sent, and probing
 * started. A repeated 0x112 gets the same 0x114.
 */
import type { PublicKey, RequestReplay } from '@showchain/crypto/core'
import {
  type Encoding,
  type Extensions,
  formatEndpoint,
  isConcealed,
  type Message,
  type MessageOf,
  OP,
  type PeerId,
} from '@showchain/wire'
import { HELLO_ANSWER_BYTES } from '@showchain/wire/end-to-end'
import type { ConnectionTable } from '../connections/connection-table.ts'
import { answerHello, introduced } from '../connections/hellos.ts'
import { type PeerContext, signerKey } from '../context/peer-context.ts'
import { ExpiringMap } from '../endpoint/expiring-map.ts'
import type { Instant } from '../endpoint/machine.ts'
import { RateLimit, TokenBucket } from '../endpoint/rate-limit.ts'
import { encodeFitting, sign, verify } from '../endpoint/signed-messages.ts'
import type { Registration } from '../relays/registration.ts'
import { type ConnectionGate, MAX_PENDING_CONSENT } from '../requests/connection-gate.ts'
import { introduction, needless, probeAll, type Registrations, withHello } from './candidates.ts'
import { ATTEMPT_LIFETIME } from './limits.ts'
import type { PunchAttempts } from './punch-attempts.ts'

/**
 * Introductions (0x112) whose signature is looked at: of one relay, of one requester by one relay,
 * and in all. A requester repeats one request five times and asks anew after seconds.
 */
const RATES = {
  relay: { perSecond: 100, burst: 200 },
  id: { perSecond: 5, burst: 20 },
  all: { perSecond: 300, burst: 600 },
} as const
/** Relays, and requesters at relays, whose rate is remembered; see RateLimit for the full table. */
const MAX_RATES = 4096

type Invitation = MessageOf<typeof OP.punchPassRequest>

interface Answer {
  /** Our 0x114, once it is signed. */
  bytes: Uint8Array | undefined
  readonly key: PublicKey
  /** Whether the requester had been heard of before. */
  readonly acquainted: boolean
}

export interface PunchResponderOptions {
  readonly registrations: Registrations
  readonly gate: ConnectionGate
  readonly replay: RequestReplay
  readonly attempts: PunchAttempts
  readonly connections: ConnectionTable
  /** Whether it must not learn this peer's address. */
  isHiddenFrom(id: PeerId): boolean
}

export class PunchResponder {
  readonly #context: PeerContext
  readonly #options: PunchResponderOptions
  /** By requester and stamp. */
  readonly #answers = new ExpiringMap<string, Answer>({
    lifetime: ATTEMPT_LIFETIME,
    capacity: MAX_PENDING_CONSENT,
  })
  readonly #relayRate = new RateLimit(RATES.relay, MAX_RATES)
  readonly #idRate = new RateLimit(RATES.id, MAX_RATES)
  /** Made with the first 0x112, which brings the time. */
  #rate: TokenBucket | undefined

  constructor(context: PeerContext, options: PunchResponderOptions) {
    this.#context = context
    this.#options = options
  }

  receive(message: Invitation, encoding: Encoding, registration: Registration, now: Instant): void {
    this.#answers.expire(now)
    if (message.target !== this.#context.self) return this.#context.count('unexpected')
    const { id, seq, ts } = message
    const name = `${id}:${seq}:${ts}:${message.session}`
    const known = this.#answers.get(name, now)
    if (known !== undefined) {
      if (known.bytes !== undefined) this.#context.outbox.transmit(registration.route, known.bytes)
      return
    }
    if (!this.#withinRates(id, registration, now)) return this.#context.count('rateLimited')
    const acquainted = this.#context.keys.get(id) !== undefined
    const key = signerKey(this.#context, id, message)
    if (key === undefined) return this.#context.count('unknownKey')
    // Of each relay by itself: the requester asks several, and a later one may arrive first.
    const request = { op_code: OP.punchRequest, id, target: registration.relay.id, seq, ts }
    if (!this.#options.replay.check(request, { cookie: undefined, now })) return this.#context.count('duplicate')
    const answer: Answer = { bytes: undefined, key, acquainted }
    this.#answers.set(name, answer, now)
    verify(this.#context, key, message, message.sign, (valid, at) => {
      if (!valid) {
        this.#answers.delete(name)
        return
      }
      if (!this.#options.replay.accept(request, { cookie: undefined, now: at }, 0))
        return this.#context.count('duplicate')
      const { connections, gate, isHiddenFrom } = this.#options
      const hidden = isHiddenFrom(id)
      // The answer would show this peer's address, or be of no use: there is no direct path.
      if (hidden && (message.ext?.hello === undefined || !registration.conceals)) return
      const concealed = hidden || isConcealed(message.ext)
      const accept = (when: Instant): void => this.#accept(message, encoding, registration, answer, concealed, when)
      // Who is connected or dialled was let in.
      if (connections.get(id) !== undefined) accept(at)
      else gate.ask(id, concealed ? 'relay' : 'punch', at, accept)
    })
  }

  /**
   * No cookie proves who sent a 0x112, so its rate comes before RSA. A requester has one at each
   * relay: a relay that forges requests spends only its own.
   */
  #withinRates(id: PeerId, { relay }: Registration, now: Instant): boolean {
    this.#rate ??= new TokenBucket(RATES.all, now)
    const at = formatEndpoint(relay.endpoint)
    return this.#idRate.take(`${at} ${id}`, now) && this.#relayRate.take(at, now) && this.#rate.take(now)
  }

  /** @param concealed whether one of the ends shows no address, so that neither looks for the other */
  #accept(
    message: Invitation,
    encoding: Encoding,
    registration: Registration,
    answer: Answer,
    concealed: boolean,
    now: Instant,
  ): void {
    // A relay adds `key`, but only the requester itself can sign `caps`: with it, R knows
    // extensions.
    const caps = message.ext?.caps
    const knows = caps !== undefined
    const { id, seq, ts, session } = message
    // A seed-only requester would not know what the signature covers; unsigned fields the relay
    // strips for it.
    const { ext } =
      knows || registration.knowsExtensions
        ? introduction(this.#context, this.#options.registrations, knows, registration.relay.endpoint, concealed)
        : {}
    const fields = ext && { ext: this.#withHello(message, ext, registration, answer.acquainted, now) }
    const ack = { op_code: OP.punchAck, id: this.#context.self, seq, ts, session, ...fields } as const
    const { key } = answer
    sign(this.#context, ack, (signed, at) => {
      const bytes = signed === undefined ? undefined : encodeFitting(signed as Message, encoding)
      if (bytes === undefined) return
      const { outbox, pumps } = this.#context
      answer.bytes = bytes
      outbox.transmit(registration.route, bytes)
      registration.sent(at)
      // Who asks waits for the answer: it leaves first.
      outbox.pause()
      if (concealed || needless(this.#context, message.ext) !== undefined) return
      pumps.once((later) => {
        const { attempts, registrations } = this.#options
        const attempt = attempts.open(id, key, caps, registration.roundTrip, later)
        probeAll(this.#context, attempts, attempt, message, registration, registrations, later)
      }, at)
    })
  }

  /** @param ext what else the 0x114 says */
  #withHello(
    { id, seq, ts, session, ext: theirs }: Invitation,
    ext: Extensions,
    registration: Registration,
    acquainted: boolean,
    now: Instant,
  ): Extensions {
    const { connections } = this.#options
    return withHello(this.#context, id, ext, acquainted, theirs?.hello && HELLO_ANSWER_BYTES, () => {
      const answered = answerHello(connections, id, theirs?.hello, { seq, ts }, now)
      if (answered !== undefined)
        this.#context.pumps.once((at) => introduced(connections.get(id), answered, session, registration, at), now)
      return answered?.answer
    })
  }
}

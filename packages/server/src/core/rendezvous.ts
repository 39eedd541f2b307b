/**
 * Rendezvous: brings two registered peers together for a punch (the seed's section 3;
 * docs/protocol.md, Who sends what, Retransmission).
 *
 *   R ── 0x111 ─► P ── 0x112 ─► T        T's consent: ◄── 0x114 ── T
 *   R ◄─ 0x115 ── P                      and, when both have one public address: R ◄─ 0x113 ── P
 *
 * An attempt lives in `#punches` under the session that its 0x112 named:
 *
 *   forwarded ─ 0x114 ─► verifying ─ good ─► consented
 *       ▲                   │ bad
 *       └───────────────────┘
 */
import {
  type Admission,
  type AdmissionRequest,
  type Admitted,
  type Datagram,
  ExpiringMap,
  encodeCounted,
  type Instant,
  sign,
  verify,
} from '@showchain/client/endpoint'
import {
  type Endpoint,
  hasExtensions,
  isConcealed,
  type MessageOf,
  OP,
  type PeerId,
  type SessionId,
  sessionIdFromBytes,
} from '@showchain/wire'
import type { Arrivals } from './arrivals.ts'
import type { Binding } from './bindings.ts'
import { type Consentable, ConsentBudget, UNCONSENTED_INTRODUCTIONS } from './consent-budget.ts'
import { BUS } from './fleet/elsewhere.ts'
import { forwardedFields } from './forwarded-fields.ts'
import type { Peers } from './peers.ts'
import type { ProxySessionTable } from './proxy-session-table.ts'
import type { RelayContext } from './relay-context.ts'
import { ATTEMPT_LIFETIME } from './times.ts'

type PunchRequest = MessageOf<typeof OP.punchRequest>
type PunchAck = MessageOf<typeof OP.punchAck>

interface RelayedPunch {
  readonly session: SessionId
  readonly request: PunchRequest
  /** R's request showed that it knows extensions, or its registration did. */
  readonly requesterKnowsExtensions: boolean
  readonly forwardedRequest: Uint8Array
  /** What the budget of this pair knows of the attempt. */
  readonly consent: Consentable & { consented: boolean }
  state: 'forwarded' | 'verifying' | 'consented'
  /** 0x115, then 0x113 when the addresses were equal: the answers to a retransmitted 0x111. */
  readonly answers: Uint8Array[]
  /** 0x114s that came again: each gets the 0x115 passed on again. */
  repeats: number
}

/**
 * T may repeat its 0x114 as often as a request is retransmitted (Retransmission): five sends in
 * all.
 */
const MAX_ACK_REPEATS = 4
/** Stands for an address that is not shown: nobody's (RFC 5737), and nobody answers there (RFC 863). */
const NOWHERE: Endpoint = { ip: '192.0.2.1', port: 9 }

const at = ({ ip, port }: Endpoint): Endpoint => ({ ip, port })

export class Rendezvous {
  readonly #context: RelayContext
  readonly #admission: Admission
  readonly #bindings: Peers
  readonly #sessions: ProxySessionTable
  readonly #arrivals: Arrivals
  /** At most `limits.attempts`, the oldest is evicted; each ends after 30 s. */
  readonly #punches: ExpiringMap<SessionId, RelayedPunch>
  /** 0x112s to targets that have not agreed. */
  readonly #budget: ConsentBudget

  constructor(
    context: RelayContext,
    admission: Admission,
    bindings: Peers,
    sessions: ProxySessionTable,
    arrivals: Arrivals,
  ) {
    this.#context = context
    this.#arrivals = arrivals
    this.#admission = admission
    this.#bindings = bindings
    this.#sessions = sessions
    this.#punches = new ExpiringMap({ lifetime: ATTEMPT_LIFETIME, capacity: context.limits.attempts })
    this.#budget = new ConsentBudget(UNCONSENTED_INTRODUCTIONS, context.limits.consentPairs, bindings)
  }

  get size(): number {
    return this.#punches.size
  }

  get isIdle(): boolean {
    return this.#punches.size + this.#budget.size === 0
  }

  expire(now: Instant): void {
    this.#punches.expire(now)
    this.#budget.expire(now)
  }

  /** 0x111. */
  request(request: AdmissionRequest<PunchRequest>, now: Instant): void {
    const { message, bytes } = request
    const binding = this.#bindings.at(message.id, request.source, now)
    if (binding === undefined) {
      if (!this.#arrivals.keep(request, now)) this.#context.count('unbound')
      return
    }
    const { source, spki } = binding
    source.allowance?.received(bytes.length)
    const act = (admitted: Admitted<PunchRequest>, at: Instant): void => this.#forward(admitted, at)
    this.#admission.admit({ ...request, source }, 'validated', now, act, spki)
  }

  /**
   * R's request is valid: forwards it, now or when it is retransmitted and T has registered
   * meanwhile.
   */
  #forward(admitted: Admitted<PunchRequest>, now: Instant): void {
    const { message } = admitted
    this.#bindings.refresh(message.id, now)
    const punch = this.#punch(admitted, now)
    if (punch === undefined) return admitted.onRepeat((at) => this.#forward(admitted, at))
    this.#punches.set(punch.session, punch, now)
    this.#context.count('punchForwarded')
    this.#context.outbox.event({ type: 'punch', requester: message.id, target: message.target, state: 'forwarded' })
    this.#resend(punch, now)
    admitted.onRepeat((at) => this.#resend(punch, at))
  }

  #punch({ message, source }: Admitted<PunchRequest>, now: Instant): RelayedPunch | undefined {
    const requester = this.#bindings.at(message.id, source, now)
    const target = this.#bindings.get(message.target, now)
    if (requester === undefined || target === undefined) {
      this.#context.count(requester === undefined ? 'unbound' : 'targetAbsent')
      return undefined
    }
    const sessionBytes = this.#sessions.newId(this.#context.random)
    const session = sessionIdFromBytes(sessionBytes)
    const { ext, op_code: _op, ...fields } = message
    const concealed = isConcealed(ext)
    const passed = this.#forwardedFields(ext, requester, target, target.knowsExtensions, concealed)
    const forwardedRequest = encodeCounted(
      this.#context,
      { op_code: OP.punchPassRequest, ...fields, ...(concealed ? NOWHERE : at(source)), session, ...passed },
      target.encoding,
    )
    if (forwardedRequest === undefined) return undefined
    // Two ends that agree on keys by it may use its session at once.
    if (ext?.hello !== undefined)
      this.#sessions.open(sessionBytes, { requester: requester.id, target: target.id, introduced: true }, now)
    const requesterKnowsExtensions = requester.knowsExtensions || hasExtensions(message)
    return {
      session,
      request: message,
      requesterKnowsExtensions,
      forwardedRequest,
      consent: { requester: { id: requester.id }, target: { id: target.id }, consented: false },
      state: 'forwarded',
      answers: [],
      repeats: 0,
    }
  }

  #forwardedFields(
    ext: PunchRequest['ext'],
    from: Binding,
    to: Binding,
    receiverKnowsExtensions: boolean,
    concealed: boolean,
  ): ReturnType<typeof forwardedFields> {
    return forwardedFields(ext, {
      receiverKnowsExtensions,
      // Of a peer elsewhere its own node knows that.
      sharesAddress: !concealed && (to.source.socket === BUS || from.source.ip === to.source.ip),
      spki: from.spki,
    })
  }

  /** The same 0x112 until 0x114 came, as often as the budget allows; then what came of it. */
  #resend({ state, request, consent, forwardedRequest, answers }: RelayedPunch, now: Instant): void {
    const { count, outbox } = this.#context
    const requester = this.#bindings.get(request.id, now)
    if (state === 'consented') {
      if (requester !== undefined) for (const bytes of answers) outbox.transmit(requester.source, bytes)
      return
    }
    const target = this.#bindings.get(request.target, now)
    if (requester === undefined || target === undefined) return
    if (!this.#budget.allows(consent, requester.source, forwardedRequest.length, now)) return count('consentExhausted')
    this.#budget.spend(consent, requester.source, forwardedRequest.length, now)
    outbox.transmit(target.source, forwardedRequest)
  }

  /** 0x114: counts only from T's own address, for an attempt of which T was informed. */
  acknowledge(message: PunchAck, { source }: Datagram, now: Instant): void {
    const punch = this.#punches.get(message.session, now)
    const target = this.#bindings.at(message.id, source, now)
    if (target === undefined) return this.#context.count('unbound')
    if (punch === undefined || !echoes(message, punch.request)) return this.#context.count('unexpected')
    target.source.allowance?.lift()
    if (punch.state === 'verifying') return this.#context.count('inProgress')
    if (punch.state === 'consented') {
      if (punch.repeats++ < MAX_ACK_REPEATS) this.#resend(punch, now)
      return this.#context.count('repeated')
    }
    if (!this.#context.rates.id.take(target.id, now)) return this.#context.count('rateLimited')
    const key = this.#context.keys.get(target.id) ?? this.#context.keys.learn(target.id, target.spki)
    if (key === undefined || message.sign.length !== key.signatureLength) return this.#context.count('badSignature')
    punch.state = 'verifying'
    verify(this.#context, key, message, message.sign, (valid, at) => {
      punch.state = valid ? 'consented' : 'forwarded'
      punch.consent.consented = valid
      if (!valid) return
      this.#sessions.agreed(punch.session, at)
      this.#forwardConsent(punch, message, source, at)
    })
  }

  /** T's consent is good: 0x115 to R, wherever R is bound by now. */
  #forwardConsent(punch: RelayedPunch, message: PunchAck, source: Datagram['source'], now: Instant): void {
    const target = this.#bindings.at(message.id, source, now)
    const requester = this.#bindings.get(punch.request.id, now)
    this.#bindings.refresh(message.id, now)
    if (target === undefined || requester === undefined) return
    const { ext, op_code: _op, ...fields } = message
    const knows = punch.requesterKnowsExtensions
    const concealed = isConcealed(punch.request.ext) || isConcealed(ext)
    const passed = this.#forwardedFields(ext, target, requester, knows, concealed)
    const forwardedAck = encodeCounted(
      this.#context,
      { op_code: OP.punchPassAck, ...fields, ...(concealed ? NOWHERE : at(source)), ...passed },
      requester.encoding,
    )
    if (forwardedAck === undefined) return
    this.#context.count('punchConsented')
    this.#context.outbox.event({ type: 'punch', requester: requester.id, target: target.id, state: 'consented' })
    punch.answers.push(forwardedAck)
    this.#resend(punch, now)
    if (!concealed && requester.source.ip === target.source.ip)
      this.#sameAddress(punch, target.id, knows ? ext?.local : undefined)
  }

  /**
   * 0x113, signed by this relay: R and T share a public address, so R tries T's host candidates
   * first.
   */
  #sameAddress(punch: RelayedPunch, target: PeerId, local: NonNullable<PunchAck['ext']>['local']): void {
    const { id, seq, ts } = punch.request
    const ext = local === undefined ? {} : { ext: { local } }
    const response = { op_code: OP.sameAddressResponse, target, id: this.#context.self.id, seq, ts, ...ext } as const
    sign(this.#context, response, (signed, now) => {
      const requester = this.#bindings.get(id, now)
      if (signed === undefined || requester === undefined) return
      const bytes = encodeCounted(this.#context, signed, requester.encoding)
      if (bytes === undefined) return
      punch.answers.push(bytes)
      this.#context.outbox.transmit(requester.source, bytes)
    })
  }
}

/** Whether an acknowledgement is by the target of this request and echoes its (seq, ts). */
const echoes = ({ id, seq, ts }: PunchAck, request: PunchRequest): boolean =>
  id === request.target && seq === request.seq && ts === request.ts

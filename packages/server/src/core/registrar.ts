/**
 * Registration: a direct connect (0x101 → 0x102) to a relay binds the requester's id to the address
 * that it came from (the seed's section 2; docs/protocol.md, Who sends what, Addresses). Another
 * address needs a cookie, the first one a cookie or a token. In seed mode only a first binding, the same
 * address or an expired binding is granted.
 */
import {
  type Admission,
  type AdmissionRequest,
  type Admitted,
  Allowance,
  encodeCounted,
  type Instant,
  isProven,
  sameRoute,
  sign,
  signedLength,
} from '@showchain/client/endpoint'
import type { Permit, TokenMint } from '@showchain/crypto/core'
import { CAPS, type Extensions, hasExtensions, type MessageOf, OP, type Unsigned } from '@showchain/wire'
import type { AccessControl } from './access-control.ts'
import type { Arrivals } from './arrivals.ts'
import type { Binding, Bindings } from './bindings.ts'
import { type Refusal, refusalBytes } from './error-bytes.ts'
import type { RelayContext } from './relay-context.ts'
import type { RelayCounter } from './relay-counters.ts'

type DirectRequest = MessageOf<typeof OP.directRequest>

/** What it can do: forward channel frames, and let the session of an introduction carry data. */
const RELAY_CAPS: number = CAPS.channel | CAPS.introduced | CAPS.conceals

const COUNTED: Readonly<Record<Refusal, RelayCounter>> = {
  refused: 'accessRefused',
  undecided: 'accessUndecided',
  overQuota: 'overQuota',
  permitNeeded: 'permitNeeded',
  permitUnknown: 'permitUnknown',
  permitForAnother: 'permitForAnother',
  permitExpired: 'permitExpired',
  permitUsedUp: 'permitUsedUp',
}

export interface RegistrarOptions {
  readonly admission: Admission
  readonly bindings: Bindings
  readonly tokens: TokenMint
  readonly access: AccessControl
  /** The 0x101 of this peer is being verified, and then it is bound: what else it sent waits until then. */
  readonly arriving: Arrivals
  /** A peer registered, for the first time, again or elsewhere. @default nobody needs to know */
  readonly registered?: ((binding: Binding, before: Binding | undefined, now: Instant) => void) | undefined
}

export class Registrar {
  readonly #context: RelayContext
  readonly #options: RegistrarOptions
  /** Whether the relay is about to end: only those who are bound are answered, and told so. */
  #draining = false

  constructor(context: RelayContext, options: RegistrarOptions) {
    this.#context = context
    this.#options = options
  }

  drain(): void {
    this.#draining = true
  }

  receive(request: AdmissionRequest<DirectRequest>, now: Instant): void {
    const { admission, bindings, arriving } = this.#options
    const { message, source } = request
    if (message.target !== this.#context.self.id) return this.#context.count('unexpected')
    const binding = bindings.get(message.id, now)
    const bound = binding !== undefined && sameRoute(binding.source, source)
    if (this.#draining && !bound) return this.#context.count('draining')
    if (binding !== undefined && !bound && !hasExtensions(message)) return this.#context.count('bindingRefused')
    const validation = bound && isProven(binding.source) ? 'validated' : 'unvalidated'
    const act = (admitted: Admitted<DirectRequest>, at: Instant): void => this.#admit(admitted, at)
    if (admission.admit(request, validation, now, act, binding?.spki) && !bound)
      arriving.expect(message.id, source, now)
  }

  /**
   * What may be sent to a peer whose token stands for a cookie, if it does: the peer is not bound elsewhere,
   * so that nobody moves it by a request that was held back, and the answer is no longer than the request.
   */
  takes({ message, source, bytes, encoding }: AdmissionRequest<DirectRequest>, now: Instant): Allowance | undefined {
    const binding = this.#options.bindings.get(message.id, now)
    if (binding !== undefined && !sameRoute(binding.source, source)) return undefined
    const length = signedLength(this.#response(message, source, now), this.#context.self.signatureLength, encoding)
    return length !== undefined && length <= bytes.length ? new Allowance(bytes.length) : undefined
  }

  /** Its signature is good. */
  #admit(admitted: Admitted<DirectRequest>, now: Instant): void {
    const { access } = this.#options
    const { message, source } = admitted
    const application = { id: message.id, at: source, permit: message.ext?.permit }
    access.gate.decide(application, now, (verdict, at, permit) => {
      if (verdict === 'allowed') this.#bind(admitted, permit, at)
      else this.#refuse(admitted, verdict, at)
    })
  }

  #refuse(admitted: Admitted<DirectRequest>, why: Refusal, now: Instant): void {
    const { message, source, encoding } = admitted
    const { bindings } = this.#options
    this.#context.count(COUNTED[why])
    if (why !== 'undecided' && bindings.at(message.id, source, now) !== undefined)
      bindings.end(message.id, 'refused', now)
    // Errors are an extension.
    if (hasExtensions(message)) admitted.respond(refusalBytes(why, message, encoding), now)
  }

  #bind(admitted: Admitted<DirectRequest>, permit: Permit | undefined, now: Instant): void {
    // One registration of an id is verified, or decided about, at a time: no other address was validated meanwhile.
    const { message, key, source, encoding } = admitted
    const { bindings, arriving, access } = this.#options
    const before = bindings.get(message.id, now)
    const moves = before !== undefined && !sameRoute(before.source, source)
    const knowsExtensions = hasExtensions(message)
    // A copy, which keeps no datagram.
    const shown = permit && message.ext?.permit?.slice()
    const binding = { id: message.id, source, encoding, spki: key.spki, knowsExtensions, permit: shown }
    if (!bindings.bind(binding, now)) return this.#context.count('bindingRefused')
    access.meter?.bound(bindings.rowOf(message.id, now), binding, permit)
    this.#context.count('registered')
    this.#options.registered?.(binding, before, now)
    if (before === undefined || moves)
      this.#context.outbox.event({
        type: 'bound',
        id: message.id,
        at: { ip: source.ip, port: source.port },
        seedMode: !knowsExtensions,
        moved: moves,
      })
    this.#answer(admitted, now)
    arriving.arrived(message.id, source, now)
  }

  #answer(admitted: Admitted<DirectRequest>, now: Instant): void {
    const { message, source, encoding } = admitted
    sign(this.#context, this.#response(message, source, now), (signed, at) => {
      // Without a signature there is no answer yet: a retransmission of the request starts over.
      if (signed === undefined) return admitted.onRepeat((again) => this.#answer(admitted, again))
      const bytes = encodeCounted(this.#context, signed, encoding)
      if (bytes !== undefined) admitted.respond(bytes, at)
    })
  }

  #response(
    message: DirectRequest,
    source: Admitted['source'],
    now: Instant,
  ): Unsigned<MessageOf<typeof OP.directResponse>> {
    const { seq, ts } = message
    const ext = this.#extensions(message, source, now)
    const fields = { op_code: OP.directResponse, id: this.#context.self.id, seq, ts } as const
    return ext === undefined ? fields : { ...fields, ext }
  }

  /**
   * `key` iff the request carried its sender's; nothing to a sender that has not shown that it knows
   * extensions.
   */
  #extensions({ id, ext }: DirectRequest, { ip, port }: Admitted['source'], now: Instant): Extensions | undefined {
    if (ext === undefined) return undefined
    const key = (ext.key ?? ext.modulus) === undefined ? {} : { key: this.#context.self.spki }
    const fleet = this.#options.registered === undefined ? 0 : CAPS.fleet
    const caps = RELAY_CAPS | fleet | (this.#draining ? CAPS.draining : 0)
    return { ...key, caps, observed: { ip, port }, token: this.#options.tokens.issue(now, ip, id) }
  }
}

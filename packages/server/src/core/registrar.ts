/**
 * Registration: a direct connect (0x101 → 0x102) to a relay binds the requester's id to the address
 * that it came from (the seed's section 2; docs/protocol.md, Who sends what, Addresses). Another
 * address needs a cookie. In seed mode only a first binding, the same address or an expired binding
 * is granted.
 */
import {
  type Admission,
  type AdmissionRequest,
  type Admitted,
  encodeCounted,
  type Instant,
  sign,
} from '@showchain/client/endpoint'
import { CAPS, type Extensions, hasExtensions, type MessageOf, OP, sameEndpoint } from '@showchain/wire'
import type { Bindings } from './bindings.ts'
import type { RelayContext } from './relay-context.ts'

type DirectRequest = MessageOf<typeof OP.directRequest>

/** What it can do: forward channel frames, and let the session of an introduction carry data. */
const RELAY_CAPS: number = CAPS.channel | CAPS.introduced

export class Registrar {
  readonly #context: RelayContext
  readonly #admission: Admission
  readonly #bindings: Bindings
  /** Whether the relay is about to end: only those who are bound are answered, and told so. */
  #draining = false

  constructor(context: RelayContext, admission: Admission, bindings: Bindings) {
    this.#context = context
    this.#admission = admission
    this.#bindings = bindings
  }

  drain(): void {
    this.#draining = true
  }

  receive(request: AdmissionRequest<DirectRequest>, now: Instant): void {
    const { message, source } = request
    if (message.target !== this.#context.self.id) return this.#context.count('unexpected')
    const binding = this.#bindings.get(message.id, now)
    const bound = binding !== undefined && sameEndpoint(binding.source, source)
    if (this.#draining && !bound) return this.#context.count('draining')
    if (binding !== undefined && !bound && !hasExtensions(message)) return this.#context.count('bindingRefused')
    const validation = bound ? 'validated' : 'unvalidated'
    this.#admission.admit(request, validation, now, (admitted, at) => this.#bind(admitted, at), binding?.spki)
  }

  #bind(admitted: Admitted<DirectRequest>, now: Instant): void {
    // One registration of an id is verified at a time, so no other address was validated meanwhile.
    const { message, key, source, encoding } = admitted
    const before = this.#bindings.get(message.id, now)
    const moves = before !== undefined && !sameEndpoint(before.source, source)
    const knowsExtensions = hasExtensions(message)
    const binding = { id: message.id, source, encoding, spki: key.spki, knowsExtensions }
    if (!this.#bindings.bind(binding, now)) return this.#context.count('bindingRefused')
    this.#context.count('registered')
    if (before === undefined || moves)
      this.#context.outbox.event({
        type: 'bound',
        id: message.id,
        at: source,
        seedMode: !knowsExtensions,
        moved: moves,
      })
    this.#answer(admitted)
  }

  #answer(admitted: Admitted<DirectRequest>): void {
    const { message, source, encoding } = admitted
    const { seq, ts } = message
    const ext = this.#extensions(message, source)
    const response = {
      op_code: OP.directResponse,
      id: this.#context.self.id,
      seq,
      ts,
      ...(ext === undefined ? {} : { ext }),
    }
    sign(this.#context, response, (signed, now) => {
      // Without a signature there is no answer yet: a retransmission of the request starts over.
      if (signed === undefined) return admitted.onRepeat(() => this.#answer(admitted))
      const bytes = encodeCounted(this.#context, signed, encoding)
      if (bytes !== undefined) admitted.respond(bytes, now)
    })
  }

  /**
   * `key` iff the request carried it; nothing to a sender that has not shown that it knows
   * extensions.
   */
  #extensions({ ext }: DirectRequest, source: Admitted['source']): Extensions | undefined {
    if (ext === undefined) return undefined
    const key = ext.key === undefined ? {} : { key: this.#context.self.spki }
    return { ...key, caps: RELAY_CAPS | (this.#draining ? CAPS.draining : 0), observed: source }
  }
}

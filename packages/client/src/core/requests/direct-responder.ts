/**
 * Answers 0x101 (the seed's section 2; docs/protocol.md, Who sends what): as the reachable end of a
 * direct connect, and as either end of a punch, where the request is the path check.
 */
import type { PublicKey } from '@showchain/crypto/core'
import { CAPS, type Encoding, type Extensions, type MessageOf, OP, type PeerId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { AddressValidation, Admission, Admitted } from '../endpoint/admission.ts'
import type { Datagram, Instant, Route } from '../endpoint/machine.ts'
import { encodeFitting, sign } from '../endpoint/signed-messages.ts'
import type { ConnectionGate } from './connection-gate.ts'

export type DirectRequest = MessageOf<typeof OP.directRequest>

export interface DirectResponderOptions {
  readonly admission: Admission
  readonly gate: ConnectionGate
  /** Whether this peer must not learn that it found this one's address. */
  isHiddenFrom(id: PeerId): boolean
  validation(id: PeerId, source: Route, now: Instant): AddressValidation
  /**
   * A request was answered.
   * @param agreed in a punch attempt, or by consent as a direct connect.
   */
  answered(request: DirectRequest, key: PublicKey, source: Route, agreed: 'attempt' | 'direct', now: Instant): void
}

export class DirectResponder {
  readonly #context: PeerContext
  readonly #options: DirectResponderOptions

  constructor(context: PeerContext, options: DirectResponderOptions) {
    this.#context = context
    this.#options = options
  }

  receive(message: DirectRequest, encoding: Encoding, datagram: Datagram, now: Instant): void {
    if (message.target !== this.#context.self) return this.#context.count('unexpected')
    // Even a challenge would confirm a guess.
    if (this.#options.isHiddenFrom(message.id)) return this.#context.count('unexpected')
    const validation = this.#options.validation(message.id, datagram.source, now)
    this.#options.admission.admit(
      { message, bytes: datagram.bytes, source: datagram.source, encoding },
      validation,
      now,
      (admitted, at) => {
        if (validation !== 'unvalidated') this.#answer(message, admitted, 'attempt')
        else this.#options.gate.ask(message.id, 'direct', at, () => this.#answer(message, admitted, 'direct'))
      },
    )
  }

  #answer(message: DirectRequest, admitted: Admitted, agreed: 'attempt' | 'direct'): void {
    const { seq, ts } = message
    const { source, encoding, key } = admitted
    const response = {
      op_code: OP.directResponse,
      id: this.#context.self,
      seq,
      ts,
      ...this.#extensions(message, source),
    } as const
    sign(this.#context, response, (signed, now) => {
      const bytes = signed === undefined ? undefined : encodeFitting(signed, encoding)
      if (bytes === undefined) return
      admitted.respond(bytes, now)
      this.#options.answered(message, key, source, agreed, now)
    })
  }

  /**
   * 0x102 carries `key` iff 0x101 did, and extensions only to a sender that showed that it knows
   * them.
   */
  #extensions({ ext }: DirectRequest, source: Route): { ext?: Extensions } {
    if (ext === undefined || this.#context.seedMode) return {}
    return {
      ext: { ...(ext.key === undefined ? {} : { key: this.#context.spki }), caps: CAPS.directData, observed: source },
    }
  }
}

/**
 * Answers 0x101 (the seed's section 2; docs/protocol.md, Who sends what): as the reachable end of a
 * direct connect, and as either end of a punch, where the request is the path check.
 */
import type { PublicKey } from '@showchain/crypto/core'
import { CAPS, type Encoding, type Extensions, MAX_DATAGRAM, type MessageOf, OP, type PeerId } from '@showchain/wire'
import { HELLO_ANSWER_BYTES } from '@showchain/wire/end-to-end'
import type { PeerContext } from '../context/peer-context.ts'
import type { AddressValidation, Admission, Admitted } from '../endpoint/admission.ts'
import type { Datagram, Instant, Route } from '../endpoint/machine.ts'
import { encodeFitting, sign, signedLength } from '../endpoint/signed-messages.ts'
import type { ConnectionGate } from './connection-gate.ts'

export type DirectRequest = MessageOf<typeof OP.directRequest>

export interface DirectResponderOptions {
  readonly admission: Admission
  readonly gate: ConnectionGate
  /** Whether this peer must not learn that it found this one's address. */
  isHiddenFrom(id: PeerId): boolean
  validation(id: PeerId, source: Route, now: Instant): AddressValidation
  /** The answer to the hello of a peer that was let in; undefined: there is none. */
  answerHello(request: DirectRequest, now: Instant): Uint8Array | undefined
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
        // An address that is not validated gets no more than came from there.
        const room = admitted.by === 'expected' ? datagram.bytes.length : MAX_DATAGRAM
        const answer = (agreed: 'attempt' | 'direct', when: Instant): void =>
          this.#answer(message, admitted, agreed, room, when)
        if (validation !== 'unvalidated') answer('attempt', at)
        else this.#options.gate.ask(message.id, 'direct', at, (when) => answer('direct', when))
      },
    )
  }

  /** @param room bytes that an answer with a hello may have */
  #answer(message: DirectRequest, admitted: Admitted, agreed: 'attempt' | 'direct', room: number, now: Instant): void {
    const { seq, ts } = message
    const { source, encoding, key } = admitted
    const { self, signatureLength } = this.#context
    const fields = { op_code: OP.directResponse, id: self, seq, ts } as const
    const { ext } = this.#extensions(message, source)
    const outline = { ...fields, ext: { ...ext, hello: new Uint8Array(HELLO_ANSWER_BYTES) } }
    const length = message.ext?.hello && ext && signedLength(outline, signatureLength, encoding)
    const hello = length !== undefined && length <= room ? this.#options.answerHello(message, now) : undefined
    const response = { ...fields, ...(ext && { ext: hello === undefined ? ext : { ...ext, hello } }) }
    sign(this.#context, response, (signed, at) => {
      const bytes = signed === undefined ? undefined : encodeFitting(signed, encoding)
      if (bytes === undefined) return
      admitted.respond(bytes, at)
      this.#options.answered(message, key, source, agreed, at)
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

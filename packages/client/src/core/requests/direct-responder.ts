/**
 * Answers 0x101 (the seed's section 2; docs/protocol.md, Who sends what): as the reachable end of a
 * direct connect, and as either end of a punch, where the request is the path check.
 */
import type { PublicKey, TokenMint } from '@showchain/crypto/core'
import { type Encoding, MAX_DATAGRAM, type PeerId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Admission } from '../endpoint/admission.ts'
import type { AddressValidation, Admitted } from '../endpoint/admitted.ts'
import type { Datagram, Instant, Route } from '../endpoint/machine.ts'
import { encodeFitting, sign, signedLength } from '../endpoint/signed-messages.ts'
import { proofOf } from '../secure/path-probing.ts'
import type { ConnectionGate } from './connection-gate.ts'
import { answerLength, type DirectRequest, directAnswer } from './direct-answer.ts'

export interface DirectResponderOptions {
  readonly admission: Admission
  readonly tokens: TokenMint
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
        const answer = (agreed: 'attempt' | 'direct', when: Instant): void =>
          this.#answer(admitted, datagram.bytes.length, agreed, when)
        if (validation !== 'unvalidated') answer('attempt', at)
        else this.#options.gate.ask(message.id, 'direct', at, (when) => answer('direct', when))
      },
    )
  }

  /** @param came bytes of the request */
  #answer(admitted: Admitted<DirectRequest>, came: number, agreed: 'attempt' | 'direct', now: Instant): void {
    const { message, source, encoding, key, by } = admitted
    // An address that is not validated gets no more than came from there.
    const room = by === 'expected' || by === 'unproven' ? came : MAX_DATAGRAM
    const length = answerLength(this.#context, message, encoding, source)
    const hello = length !== undefined && length <= room ? this.#options.answerHello(message, now) : undefined
    // Only under keys can a stranger prove its address later.
    if (by === 'unproven' && hello === undefined) return admitted.challenge(now)
    const said = hello === undefined ? {} : { hello }
    const bare = directAnswer(this.#context, message, source, said)
    const token = agreed === 'direct' && bare.ext ? this.#options.tokens.issue(now, source.ip, message.id) : undefined
    const whole = token === undefined ? bare : directAnswer(this.#context, message, source, { ...said, token })
    const fits = (signedLength(whole, this.#context.signatureLength, encoding) ?? room + 1) <= room
    sign(this.#context, fits ? whole : bare, (signed, at) => {
      const bytes = signed === undefined ? undefined : encodeFitting(signed, encoding)
      if (signed === undefined || bytes === undefined) return
      source.allowance?.expect(proofOf(signed.sign))
      admitted.respond(bytes, at)
      // Who asks waits for the answer alone: it leaves first.
      this.#context.pumps.once((later) => this.#options.answered(message, key, source, agreed, later), at)
      this.#context.outbox.pause()
    })
  }
}

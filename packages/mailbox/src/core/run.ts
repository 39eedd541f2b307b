/**
 * One end's way from a code to the other end's ticket, through a mailbox that passes frames on
 * (docs/mailbox.md). CPace makes a key of the code; each end shows that it has the key, and sends its
 * ticket under it. No clock, no stream: bytes in, events out.
 *
 *   offering end                 mailbox                 taking end
 *   OFFER             ─────────►
 *                     ◄─────────  SLOT 7
 *                                         ◄─────────  TAKE 7, START (sid, Ya)
 *                     ◄── START ──
 *   REPLY (Yb)        ─────────────────────────────►
 *                     ◄─────────────────────────────  PROOF (Ta, ticket)
 *   DONE (Tb, ticket) ─────────────────────────────►
 */
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, type EndToEndCrypto, type Random } from '@showchain/crypto/core'
import { Cpace, type CpaceKeys, lvCat } from '@showchain/crypto/cpace'
import { fromUtf8, type PeerId, parseTicket, peerIdToBytes, ShowchainError, type Ticket, utf8 } from '@showchain/wire'
import { encode, FIRST_BYTE, type Frame, FrameReader, type OverReason, u32 } from './frames.ts'
import { SESSION_BYTES } from './limits.ts'

/** Of CI and of the keys: another version has other ones. */
const PROTOCOL = 'showchain mailbox 1'
/** ADa and ADb: the roles. Not sent. */
const ROLE = { taking: 'take', offering: 'offer' } as const
type Role = keyof typeof ROLE

/** Why a run gave no ticket: the mailbox's reason, or that the other end has another code. */
export type RunFailure = OverReason | 'wrong'

export type RunEvent =
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  | { readonly type: 'slot'; readonly number: number; readonly seconds: number }
  /** The last one but writes. */
  | { readonly type: 'ticket'; readonly ticket: Ticket }
  /** The last one but writes. */
  | { readonly type: 'failed'; readonly why: RunFailure }

export interface RunOptions {
  readonly mailbox: PeerId
  /** Two words of a code. */
  readonly words: string
  /** This end's ticket, asked for when it is sent. */
  readonly ticket: () => string
  readonly random: Pick<Random, 'bytes'>
  readonly crypto: EndToEndCrypto
}

abstract class Run {
  readonly #reader = new FrameReader()
  readonly #events: RunEvent[] = []
  readonly #options: RunOptions
  readonly #role: Role
  #over = false

  constructor(role: Role, options: RunOptions) {
    this.#role = role
    this.#options = options
  }

  /** What the mailbox sent. */
  receive(bytes: Uint8Array): void {
    this.#reader.push(bytes)
    for (let read = this.#reader.next(); read !== undefined && !this.#over; read = this.#reader.next()) {
      const { frame } = read
      if (frame.type === 'over') this.fail(frame.reason)
      else if (frame.type === 'wrong') this.fail('wrong')
      else if (!this.on(frame)) this.fail('malformed')
    }
    if (this.#reader.bad) this.fail('malformed')
  }

  /** The mailbox's stream has ended. */
  ended(): void {
    this.fail('gone')
  }

  poll(): RunEvent | undefined {
    return this.#events.shift()
  }

  /** @returns false for a frame that may not come now */
  protected abstract on(frame: Frame): boolean

  protected cpace(number: number, session: Uint8Array): Cpace {
    const { mailbox, words, random } = this.#options
    const inputs = {
      password: utf8(words),
      channel: lvCat(utf8(PROTOCOL), peerIdToBytes(mailbox), u32(number)),
      session,
    }
    return new Cpace(this.#role === 'taking' ? 'initiator' : 'responder', inputs, utf8(ROLE[this.#role]), random)
  }

  /** The other end's share gives the keys; undefined, and the run is over, when it is no valid one. */
  protected finish(cpace: Cpace, share: Uint8Array): CpaceKeys | undefined {
    const keys = cpace.finish({ share, associated: utf8(ROLE[other(this.#role)]) })
    if (keys === undefined) this.fail('malformed')
    return keys
  }

  /** This end's confirmation, and its ticket under a key that is used for nothing else. */
  protected proof({ confirmation, key }: CpaceKeys): readonly [Uint8Array, Uint8Array] {
    const plain = utf8(this.#options.ticket())
    const sealed = new Uint8Array(plain.length + AEAD_TAG_BYTES)
    this.#aead(key, this.#role).seal(new Uint8Array(AEAD_NONCE_BYTES), confirmation, plain, sealed, 0)
    return [confirmation, sealed]
  }

  /**
   * The other end's ticket; undefined when it has other keys, or has sent something else. HMAC commits
   * to the key, which the tag of ChaCha20-Poly1305 alone does not.
   */
  protected proven(keys: CpaceKeys, confirmation: Uint8Array, sealed: Uint8Array): Ticket | undefined {
    if (!keys.confirms(confirmation)) return undefined
    const nonce = new Uint8Array(AEAD_NONCE_BYTES)
    const plain = this.#aead(keys.key, other(this.#role)).open(nonce, confirmation, sealed)
    const text = plain && fromUtf8(plain)
    if (text === undefined) return undefined
    try {
      return parseTicket(text)
    } catch (error) {
      if (error instanceof ShowchainError) return undefined
      throw error
    }
  }

  protected write(...frames: readonly Uint8Array[]): void {
    for (const bytes of frames) this.#events.push({ type: 'write', bytes })
  }

  protected say(event: RunEvent): void {
    this.#events.push(event)
  }

  protected complete(ticket: Ticket): void {
    this.#over = true
    this.#events.push({ type: 'ticket', ticket })
  }

  protected fail(why: RunFailure): void {
    if (this.#over) return
    this.#over = true
    this.#events.push({ type: 'failed', why })
  }

  #aead(key: CpaceKeys['key'], role: Role): ReturnType<EndToEndCrypto['aead']> {
    return this.#options.crypto.aead(key(`${PROTOCOL} ${ROLE[role]}`))
  }
}

const other = (role: Role): Role => (role === 'taking' ? 'offering' : 'taking')

/** The end that has the code first. */
export class OfferRun extends Run {
  #number: number | undefined
  #keys: CpaceKeys | undefined

  constructor(options: RunOptions) {
    super('offering', options)
    this.write(FIRST_BYTE, encode.offer())
  }

  protected on(frame: Frame): boolean {
    if (frame.type === 'slot' && this.#number === undefined) {
      this.#number = frame.number
      this.say(frame)
      return true
    }
    if (frame.type === 'start' && this.#number !== undefined && this.#keys === undefined) {
      const cpace = this.cpace(this.#number, frame.session)
      this.#keys = this.finish(cpace, frame.share)
      if (this.#keys !== undefined) this.write(encode.reply(cpace.message.share))
      return true
    }
    if (frame.type !== 'proof' || this.#keys === undefined) return false
    const ticket = this.proven(this.#keys, frame.confirmation, frame.sealed)
    if (ticket === undefined) {
      this.write(encode.wrong())
      this.fail('wrong')
    } else {
      this.write(encode.done(...this.proof(this.#keys)))
      this.complete(ticket)
    }
    return true
  }
}

/** The end where somebody typed the code. */
export class TakeRun extends Run {
  readonly #cpace: Cpace
  #keys: CpaceKeys | undefined

  constructor(number: number, options: RunOptions) {
    super('taking', options)
    const session = options.random.bytes(SESSION_BYTES)
    this.#cpace = this.cpace(number, session)
    this.write(FIRST_BYTE, encode.take(number), encode.start(session, this.#cpace.message.share))
  }

  protected on(frame: Frame): boolean {
    if (frame.type === 'reply' && this.#keys === undefined) {
      this.#keys = this.finish(this.#cpace, frame.share)
      if (this.#keys !== undefined) this.write(encode.proof(...this.proof(this.#keys)))
      return true
    }
    if (frame.type !== 'done' || this.#keys === undefined) return false
    const ticket = this.proven(this.#keys, frame.confirmation, frame.sealed)
    if (ticket === undefined) this.fail('wrong')
    else this.complete(ticket)
    return true
  }
}

/**
 * Handshake messages that come in: put together from their parts, and no more of them on one path
 * than its rate. To read one takes up to four X25519 operations, and an answer is longer than what
 * it answers.
 */
import { type HandshakePart, readHandshakePart } from '@showchain/wire/end-to-end'
import type { Instant } from '../endpoint/machine.ts'
import { type Rate, TokenBucket } from '../endpoint/rate-limit.ts'
import { Assembly } from './fragments.ts'
import { HANDSHAKE_BURST, HANDSHAKES_PER_SECOND } from './limits.ts'
import type { RecordPath } from './record-path.ts'

export interface HandshakeMessage extends Pick<HandshakePart, 'kind'> {
  readonly bytes: Uint8Array
}

const RATE: Rate = { perSecond: HANDSHAKES_PER_SECOND, burst: HANDSHAKE_BURST }

export class HandshakeInbox {
  readonly #assembly = new Assembly()
  /** Each path has its own: nobody on one of them keeps messages out that come by another. */
  readonly #rates = new WeakMap<RecordPath, TokenBucket>()

  /** @returns the whole message; `refused`: beyond the rate; undefined: parts of it are missing */
  receive(record: Uint8Array, by: RecordPath, now: Instant): HandshakeMessage | 'refused' | undefined {
    const part = readHandshakePart(record)
    const bytes = part && this.#assembly.add(part)
    if (part === undefined || bytes === undefined) return undefined
    return this.#rateOf(by, now).take(now) ? { kind: part.kind, bytes } : 'refused'
  }

  #rateOf(path: RecordPath, now: Instant): TokenBucket {
    const known = this.#rates.get(path) ?? new TokenBucket(RATE, now)
    this.#rates.set(path, known)
    return known
  }
}

/** Path challenges to addresses at which the remote peer may be, until they are answered. */
import type { Random } from '@showchain/crypto/core'
import { CHALLENGE_BYTES } from '@showchain/wire/end-to-end'
import type { Instant } from '../endpoint/machine.ts'

/** Of one attempt: 12 candidates, and 8 probes to each. */
const MAX_PROBES = 96

type Answered = (now: Instant) => void

export class ProbeTokens {
  readonly #random: Random
  /** By token; at the cap the oldest makes room. */
  readonly #open = new Map<string, Answered>()

  constructor(random: Random) {
    this.#random = random
  }

  /** The token of another challenge. */
  add(answered: Answered): Uint8Array {
    const token = this.#random.bytes(CHALLENGE_BYTES)
    const [oldest] = this.#open.size === MAX_PROBES ? this.#open.keys() : []
    if (oldest !== undefined) this.#open.delete(oldest)
    this.#open.set(token.join(), answered)
    return token
  }

  /** An answer came. */
  answered(token: Uint8Array, now: Instant): void {
    const key = token.join()
    const answered = this.#open.get(key)
    this.#open.delete(key)
    answered?.(now)
  }

  clear(): void {
    this.#open.clear()
  }
}

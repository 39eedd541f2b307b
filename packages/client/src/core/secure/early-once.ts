/**
 * That what a requester says early is delivered once (docs/protocol.md, Early frames): once for each
 * ephemeral key, only in a newer request than the one before, and only in one of this minute.
 *
 * This end's clock never goes back here: an entry is kept for as long as another request of the same
 * hello would be of this minute, and no longer (tooling/models, early.pml).
 */
import { FIRST_CONTACT_TOLERANCE } from '@showchain/crypto/core'
import { equalBytes, type PeerId } from '@showchain/wire'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { HELLO_SPREAD } from './limits.ts'

/** Requesters within three minutes; what more of them say early comes as ordinary data. */
export const MAX_EARLY_REQUESTERS = 4096

interface Judged {
  readonly stamp: Stamp
  readonly ephemeral: Uint8Array
  /** Unix milliseconds, by which it is forgotten. */
  readonly untilMs: number
}

export class EarlyOnce {
  readonly #unixMs: () => number
  /** The newest of each; at most MAX_EARLY_REQUESTERS. */
  readonly #byRequester = new Map<PeerId, Judged>()
  #latest = Number.NEGATIVE_INFINITY

  constructor(unixMs: () => number) {
    this.#unixMs = unixMs
  }

  /** Whether what came with this key was taken or left before: it is not looked at again. */
  judged(requester: PeerId, ephemeral: Uint8Array): boolean {
    const last = this.#byRequester.get(requester)
    return last !== undefined && equalBytes(last.ephemeral, ephemeral)
  }

  /**
   * Judges what came with a key once and for all.
   * @param wanted whether it may be delivered if it is new
   * @returns whether it is to be delivered
   */
  take(requester: PeerId, ephemeral: Uint8Array, stamp: Stamp, wanted: boolean): boolean {
    this.#latest = Math.max(this.#latest, this.#unixMs())
    this.#expire()
    const last = this.#byRequester.get(requester)
    if (last !== undefined && !isNewer(stamp, last.stamp)) return false
    if (last === undefined && this.#byRequester.size >= MAX_EARLY_REQUESTERS) return false
    const untilMs = Math.max(stamp.ts, this.#latest) + FIRST_CONTACT_TOLERANCE + HELLO_SPREAD
    this.#byRequester.set(requester, { stamp, ephemeral: Uint8Array.from(ephemeral), untilMs })
    return wanted && Math.abs(stamp.ts - this.#latest) <= FIRST_CONTACT_TOLERANCE
  }

  #expire(): void {
    for (const [requester, { untilMs }] of this.#byRequester)
      if (untilMs < this.#latest) this.#byRequester.delete(requester)
  }
}

export const isNewer = (a: Stamp, b: Stamp): boolean => a.ts > b.ts || (a.ts === b.ts && a.seq > b.seq)

/**
 * The path that each handshake message takes. An answer goes where its question came from: the best
 * path may lead to what the remote peer was before it began anew, or there is none yet.
 */
import type { Random } from '@showchain/crypto/core'
import { HANDSHAKE_KIND } from '@showchain/wire/end-to-end'
import type { Instant } from '../endpoint/machine.ts'
import { type RecordPath, samePath, sendHandshake } from './record-path.ts'

export class HandshakeSender {
  readonly #random: Random
  readonly #best: () => RecordPath | undefined
  #cameBy: RecordPath | undefined

  /** @param best the best path at the moment */
  constructor(random: Random, best: () => RecordPath | undefined) {
    this.#random = random
    this.#best = best
  }

  /** A handshake message came by this path. */
  cameBy(path: RecordPath): void {
    this.#cameBy = path
  }

  send(kind: number, message: Uint8Array, now: Instant): void {
    const best = this.#best()
    const answers = kind === HANDSHAKE_KIND.second || kind === HANDSHAKE_KIND.third
    const path = answers ? (this.#cameBy ?? best) : (best ?? this.#cameBy)
    if (path === undefined) return
    const group = this.#random.uint32()
    sendHandshake(path, kind, group, message, now)
    // The last message is repeated, and the path that it answers by may be gone meanwhile.
    if (kind === HANDSHAKE_KIND.third && best !== undefined && !samePath(path, best))
      sendHandshake(best, kind, group, message, now)
  }
}

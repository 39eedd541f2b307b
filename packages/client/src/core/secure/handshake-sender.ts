/**
 * The paths that each handshake message takes. An answer goes where its question came from, as the
 * best path may lead to what the remote peer was before it began anew, or there is none yet. It also
 * goes by the best path, which may be shorter by now, or all that is left: the remote peer drops the
 * second copy.
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
    // The first message may answer an ask of a remote peer that has begun anew.
    const asked = kind !== HANDSHAKE_KIND.ask || best === undefined ? this.#cameBy : undefined
    const group = this.#random.uint32()
    if (asked !== undefined) sendHandshake(asked, kind, group, message, now)
    if (best !== undefined && (asked === undefined || !samePath(asked, best)))
      sendHandshake(best, kind, group, message, now)
  }
}

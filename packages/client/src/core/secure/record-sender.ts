/** Seals records and puts them on paths, and counts their bytes. */
import { RECORD_OVERHEAD } from '@showchain/wire/end-to-end'
import type { Instant } from '../endpoint/machine.ts'
import { BufferSlab } from './buffer-slab.ts'
import type { RecordLayer } from './record-layer.ts'
import { frontBytes, type RecordPath, writeFront } from './record-path.ts'
import type { PathBytes } from './statistics.ts'

const slab = new BufferSlab()

export class RecordSender {
  readonly #direct = { sent: 0, received: 0 }
  readonly #relay = { sent: 0, received: 0 }

  /** Of datagrams with records, so far. */
  get bytes(): { readonly direct: PathBytes; readonly relay: PathBytes } {
    return { direct: { ...this.#direct }, relay: { ...this.#relay } }
  }

  /**
   * @param payload the frames of the record
   * @param largestAcked the highest number that the remote peer acknowledged
   * @param copyTo another path that gets the same record: the remote peer takes the first that
   *   arrives
   */
  send(
    records: RecordLayer,
    payload: Uint8Array,
    largestAcked: number,
    path: RecordPath,
    copyTo: RecordPath | undefined,
    now: Instant,
  ): void {
    const front = frontBytes(path)
    const datagram = slab.take(front + RECORD_OVERHEAD + payload.length)
    records.seal(payload, datagram, front, largestAcked, now)
    this.#transmit(datagram, path, now)
    if (copyTo === undefined) return
    const copy = slab.take(frontBytes(copyTo) + RECORD_OVERHEAD + payload.length)
    copy.set(datagram.subarray(front), frontBytes(copyTo))
    this.#transmit(copy, copyTo, now)
  }

  received(bytes: number, by: RecordPath | undefined): void {
    const count = by?.kind === 'direct' ? this.#direct : this.#relay
    count.received += bytes
    by?.to.allowance?.received(bytes)
  }

  #transmit(datagram: Uint8Array, path: RecordPath, now: Instant): void {
    writeFront(path, datagram)
    const count = path.kind === 'direct' ? this.#direct : this.#relay
    count.sent += datagram.length
    path.transmit(datagram, now)
  }
}

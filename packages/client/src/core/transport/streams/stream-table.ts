/**
 * The streams of a connection by id. The lowest bit of an id tells who opened it: 0 the initiator
 * of the handshake.
 */
import { MAX_OPEN_STREAMS, MAX_STREAM_WINDOW, STREAM_WINDOW } from '../limits.ts'
import { ReceiveStream, type SmallPieces } from './receive-stream.ts'
import { SendStream } from './send-stream.ts'
import type { Stream } from './stream.ts'

export class StreamTable {
  readonly #local: 0 | 1
  /** At most MAX_OPEN_STREAMS of the remote peer's, and what it allows of this end's. */
  readonly #streams = new Map<number, Stream>()
  readonly #smallPieces: SmallPieces = { count: 0 }
  /** Streams that each end opened so far, and may open. */
  #localOpened = 0
  #localLimit = MAX_OPEN_STREAMS
  #remoteOpened = 0
  #remoteLimit = MAX_OPEN_STREAMS
  #remoteFinished = 0

  constructor(initiator: boolean) {
    this.#local = initiator ? 0 : 1
  }

  get size(): number {
    return this.#streams.size
  }

  /** Streams that the remote peer may open in total: what MAX_STREAMS announces. */
  get remoteLimit(): number {
    return this.#remoteLimit
  }

  values(): Iterable<Stream> {
    return this.#streams.values()
  }

  get(id: number): Stream | undefined {
    return this.#streams.get(id)
  }

  /** A new stream of this end's; undefined: the remote peer allows no more for now. */
  open(): Stream | undefined {
    if (this.#localOpened >= this.#localLimit) return undefined
    return this.#add(2 * this.#localOpened++ + this.#local)
  }

  /** Whether a frame may name this stream: this end opened it, or the remote peer may open it. */
  isAllowed(id: number): boolean {
    const index = Math.floor(id / 2)
    return index < (id % 2 === this.#local ? this.#localOpened : this.#remoteLimit)
  }

  /**
   * The remote peer opens a stream, and with it those of lower ids (RFC 9000 §2.1).
   * @returns the new ones, in order
   */
  openRemote(id: number): readonly number[] {
    const opened: number[] = []
    if (id % 2 === this.#local) return opened
    while (this.#remoteOpened <= Math.floor(id / 2)) {
      const next = 2 * this.#remoteOpened++ + (1 - this.#local)
      this.#add(next)
      opened.push(next)
    }
    return opened
  }

  /**
   * MAX_STREAMS came.
   * @returns whether it allows more than before
   */
  onMaxStreams(limit: number): boolean {
    if (limit <= this.#localLimit) return false
    this.#localLimit = limit
    return true
  }

  remove(id: number): void {
    this.#streams.delete(id)
    if (id % 2 !== this.#local) this.#remoteFinished++
  }

  /**
   * Raises the remote peer's limit when that adds at least as much as is left below it: seldom
   * while few streams are open, at once when all are.
   * @returns whether MAX_STREAMS is due
   */
  raiseLimit(): boolean {
    const limit = this.#remoteFinished + MAX_OPEN_STREAMS
    const added = limit - this.#remoteLimit
    if (added === 0 || added < this.#remoteLimit - this.#remoteOpened) return false
    this.#remoteLimit = limit
    return true
  }

  #add(id: number): Stream {
    const stream: Stream = {
      id,
      send: new SendStream(id, STREAM_WINDOW),
      receive: new ReceiveStream(id, STREAM_WINDOW, MAX_STREAM_WINDOW, this.#smallPieces),
      ...{ stopSending: undefined, maxStreamDataPending: false, raisedAt: undefined },
      ...{ endReported: false, readBlocked: true, writeBlocked: false },
    }
    this.#streams.set(id, stream)
    return stream
  }
}

/**
 * The streams of a connection by id. The lowest bit of an id tells who opened it: 0 the initiator
 * of the handshake. Where both ends know named streams, the next bit is 1 for those.
 */
import { NAMED_STREAM_STEP, STREAM_STEP } from '@showchain/wire/end-to-end'
import { MAX_OPEN_STREAMS, MAX_STREAM_WINDOW, STREAM_WINDOW } from '../limits.ts'
import { ReceiveStream, type SmallPieces } from './receive-stream.ts'
import { SendStream } from './send-stream.ts'
import type { Stream } from './stream.ts'
import { StreamName } from './stream-name.ts'

const UNNAMED = 0
const NAMED = 1

const sum = ([unnamed, named]: readonly [number, number]): number => unnamed + named

export class StreamTable {
  readonly #local: 0 | 1
  /** Ids of one opener and kind go up by this. */
  readonly #step: typeof STREAM_STEP | typeof NAMED_STREAM_STEP
  /** At most MAX_OPEN_STREAMS of the remote peer's, and what it allows of this end's. */
  readonly #streams = new Map<number, Stream>()
  readonly #smallPieces: SmallPieces = { count: 0 }
  /** Streams that each end opened so far, those without a name first; and may open, both together. */
  readonly #localOpened: [number, number] = [0, 0]
  #localLimit = MAX_OPEN_STREAMS
  readonly #remoteOpened: [number, number] = [0, 0]
  #remoteLimit = MAX_OPEN_STREAMS
  #remoteFinished = 0

  /** @param namedStreams whether both ends know those */
  constructor(initiator: boolean, namedStreams: boolean) {
    this.#local = initiator ? 0 : 1
    this.#step = namedStreams ? NAMED_STREAM_STEP : STREAM_STEP
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
  open(named: boolean): Stream | undefined {
    if (sum(this.#localOpened) >= this.#localLimit) return undefined
    const kind = named ? NAMED : UNNAMED
    return this.#add(this.#step * this.#localOpened[kind]++ + 2 * kind + this.#local, undefined)
  }

  /** Whether a frame may name this stream: this end opened it, or the remote peer may open it. */
  isAllowed(id: number): boolean {
    const kind = this.#kindOf(id)
    const index = this.#indexOf(id)
    if (id % 2 === this.#local) return index < this.#localOpened[kind]
    return index + this.#remoteOpened[kind === NAMED ? UNNAMED : NAMED] < this.#remoteLimit
  }

  /**
   * The remote peer opens a stream, and with it those of lower ids and the same kind (RFC 9000 §2.1).
   * @returns the new ones, in order
   */
  openRemote(id: number): readonly Stream[] {
    const opened: Stream[] = []
    if (id % 2 === this.#local) return opened
    const [kind, index] = [this.#kindOf(id), this.#indexOf(id)]
    while (this.#remoteOpened[kind] <= index) {
      const next = this.#step * this.#remoteOpened[kind]++ + 2 * kind + (1 - this.#local)
      opened.push(this.#add(next, kind === NAMED ? new StreamName() : undefined))
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
    if (added === 0 || added < this.#remoteLimit - sum(this.#remoteOpened)) return false
    this.#remoteLimit = limit
    return true
  }

  #kindOf(id: number): typeof UNNAMED | typeof NAMED {
    return id % this.#step < 2 ? UNNAMED : NAMED
  }

  /** Streams of its opener and kind that came before it. */
  #indexOf(id: number): number {
    return Math.floor(id / this.#step)
  }

  #add(id: number, name: StreamName | undefined): Stream {
    const stream: Stream = {
      ...{ id, name },
      send: new SendStream(id, STREAM_WINDOW),
      receive: new ReceiveStream(id, STREAM_WINDOW, MAX_STREAM_WINDOW, this.#smallPieces),
      ...{ stopSending: undefined, maxStreamDataPending: false, raisedAt: undefined },
      ...{ endReported: false, readBlocked: true, writeBlocked: false },
    }
    this.#streams.set(id, stream)
    return stream
  }
}

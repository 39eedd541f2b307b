/** The streams of a connection by id. The lowest bit of an id tells who opened it: 0 the initiator of the handshake, 1 the other. */
import type { Instant } from '../../endpoint/machine.ts'
import {
  CONNECTION_WINDOW,
  MAX_CONNECTION_WINDOW,
  MAX_OPEN_STREAMS,
  MAX_STREAM_WINDOW,
  STREAM_WINDOW,
} from '../limits.ts'
import { ReceiveStream } from './receive-stream.ts'
import { SendStream } from './send-stream.ts'
import type { Stream } from './stream.ts'

export class StreamTable {
  readonly #ours: 0 | 1
  readonly #opened: (id: number) => void
  /** At most MAX_OPEN_STREAMS of the other end's, and what it allows of ours. */
  readonly #streams = new Map<number, Stream>()
  /** Streams of either side so far, and how many may be. */
  #nextOurs = 0
  #allowedOurs = MAX_OPEN_STREAMS
  #nextTheirs = 0
  #allowedTheirs = MAX_OPEN_STREAMS
  #closedTheirs = 0

  constructor(initiator: boolean, opened: (id: number) => void) {
    this.#ours = initiator ? 0 : 1
    this.#opened = opened
  }

  get size(): number {
    return this.#streams.size
  }

  /** Streams of which a half is in use. */
  get ids(): readonly number[] {
    return [...this.#streams.keys()]
  }

  get(id: number): Stream | undefined {
    return this.#streams.get(id)
  }

  values(): Iterable<Stream> {
    return this.#streams.values()
  }

  /** A new one of ours; undefined: the other end allows no more for now. */
  open(): Stream | undefined {
    if (this.#nextOurs >= this.#allowedOurs) return undefined
    return this.#make(2 * this.#nextOurs++ + this.#ours)
  }

  /** The stream of a frame that came in; one of theirs that is new opens, and those before it. Undefined: it is over. */
  incoming(id: number): Stream | 'bad' | undefined {
    const index = Math.floor(id / 2)
    if (id % 2 === this.#ours) return index < this.#nextOurs ? this.#streams.get(id) : 'bad'
    if (index >= this.#allowedTheirs) return 'bad'
    while (this.#nextTheirs <= index) {
      const opened = 2 * this.#nextTheirs++ + (1 - this.#ours)
      this.#make(opened)
      this.#opened(opened)
    }
    return this.#streams.get(id)
  }

  /** The other end allows more. @returns whether it is more than before */
  allow(count: number): boolean {
    if (count <= this.#allowedOurs) return false
    this.#allowedOurs = count
    return true
  }

  /** Streams that the other end may open, altogether. */
  get allowance(): number {
    return this.#allowedTheirs
  }

  /** @returns whether the other end should be told that it may open more: half of them are over. */
  remove(id: number): boolean {
    this.#streams.delete(id)
    if (id % 2 === this.#ours) return false
    this.#closedTheirs++
    if (this.#closedTheirs + MAX_OPEN_STREAMS - this.#allowedTheirs < MAX_OPEN_STREAMS / 2) return false
    this.#allowedTheirs = this.#closedTheirs + MAX_OPEN_STREAMS
    return true
  }

  #make(id: number): Stream {
    const stream: Stream = {
      id,
      send: new SendStream(id, STREAM_WINDOW),
      receive: new ReceiveStream(id, STREAM_WINDOW, MAX_STREAM_WINDOW),
      ...{ told: false, stop: undefined, limit: false, raisedAt: undefined, awaitsData: true, awaitsRoom: false },
    }
    this.#streams.set(id, stream)
    return stream
  }
}

/** What both ends may send over all streams together, and what they have. */
export class ConnectionFlow {
  /** Offsets of all streams added up: sent, allowed; came, read, allowed. */
  #sent = 0
  #maySend = CONNECTION_WINDOW
  #came = 0
  #read = 0
  #limit = CONNECTION_WINDOW
  #window = CONNECTION_WINDOW
  /** When the limit was raised last. */
  raisedAt: Instant | undefined

  /** New bytes that may be sent. */
  get allowed(): number {
    return this.#maySend - this.#sent
  }

  get limit(): number {
    return this.#limit
  }

  sent(bytes: number): void {
    this.#sent += bytes
  }

  /** @returns whether it is more than before */
  allow(limit: number): boolean {
    if (limit <= this.#maySend) return false
    this.#maySend = limit
    return true
  }

  /** @returns whether that was allowed */
  came(bytes: number): boolean {
    this.#came += bytes
    return this.#came <= this.#limit
  }

  /** @returns whether the other end should be told of a higher limit */
  read(bytes: number): boolean {
    this.#read += bytes
    return this.#limit - this.#read < this.#window / 2
  }

  raise(widen: boolean): number {
    if (widen) this.#window = Math.min(2 * this.#window, MAX_CONNECTION_WINDOW)
    this.#limit = Math.max(this.#limit, this.#read + this.#window)
    return this.#limit
  }
}

/**
 * The streams of a connection: what the application does with them, and the frames about them that
 * arrive. After what the application does here, its owner sends what follows.
 */
import { EARLY_STREAM, type Early } from '@showchain/wire/end-to-end'
import type { EventQueue } from '../../endpoint/event-queue.ts'
import type { Instant } from '../../endpoint/machine.ts'
import type { StreamChange, StreamEvent, StreamRead, UnreadStream } from '../events.ts'
import { CLOSE_CODE, MAX_STREAM_WINDOW, SEND_BUFFER } from '../limits.ts'
import type { LossRecovery } from '../recovery/loss-recovery.ts'
import type { SentStreamFrame } from '../recovery/sent-frame.ts'
import { ConnectionFlow, isWindowLimited } from './flow-control.ts'
import type { Arrival } from './receive-stream.ts'
import { isFinished, type Stream } from './stream.ts'
import { StreamSender } from './stream-sender.ts'
import { StreamTable } from './stream-table.ts'

/** How a frame violates the protocol, which closes the connection (RFC 9000 §11.1). */
export interface Violation {
  readonly code: number
  readonly reason: string
}

export interface StreamsOptions {
  /** Whether this end began the handshake. */
  readonly initiator: boolean
  readonly recovery: Pick<LossRecovery, 'path'>
  readonly events: Pick<EventQueue<StreamEvent>, 'push'>
}

export class Streams {
  readonly sender: StreamSender
  readonly #options: StreamsOptions
  readonly #table: StreamTable
  readonly #flow = new ConnectionFlow()

  constructor(options: StreamsOptions) {
    this.#options = options
    this.#table = new StreamTable(options.initiator)
    this.sender = new StreamSender(this.#table, this.#flow)
  }

  /** Streams that are not finished. */
  get size(): number {
    return this.#table.size
  }

  /** Bytes that an application may write ahead on one stream. */
  get #sendBuffer(): number {
    const { window } = this.#options.recovery.path.congestion
    return Math.min(Math.max(SEND_BUFFER, 2 * window), MAX_STREAM_WINDOW)
  }

  /**
   * Opens a stream.
   * @returns undefined when the remote peer allows no more for now: `openable` tells when it does
   */
  open(priority = 0): number | undefined {
    const stream = this.#table.open()
    if (stream !== undefined) stream.send.priority = priority
    return stream?.id
  }

  /** The first stream of the initiator begins with what it said early: here, or there. */
  begin({ bytes, fin }: Early, now: Instant): void {
    if (!this.#options.initiator) return void this.onStream(EARLY_STREAM, 0, bytes, fin, now)
    const stream = this.#table.open()
    if (stream === undefined) return
    stream.send.write(bytes)
    stream.send.take(bytes.length, bytes.length)
    this.#flow.onSent(bytes.length)
    stream.send.acked(0, bytes.length, false)
  }

  /**
   * @param bytes not to be changed until they are acknowledged
   * @returns false when the send buffer is full: `writable` tells when it is not
   */
  write(id: number, bytes: Uint8Array): boolean {
    const stream = this.#table.get(id)
    if (stream === undefined || stream.send.ended) return true
    stream.send.write(bytes)
    this.sender.enqueue(stream)
    // One that comes while another waits waits too: `writable` tells both.
    stream.writeBlocked ||= stream.send.buffered >= this.#sendBuffer
    return !stream.writeBlocked
  }

  /** Ends writing: FIN follows the data. */
  end(id: number): void {
    const stream = this.#table.get(id)
    if (stream === undefined) return
    stream.send.end()
    this.sender.enqueue(stream)
  }

  /** Abandons writing: the remote peer gets the code and no more data. */
  reset(id: number, code: number): void {
    const stream = this.#table.get(id)
    if (stream === undefined || stream.send.done) return
    stream.send.reset(code)
    this.sender.control(stream)
  }

  /** Abandons reading: the remote peer is asked to reset its half (RFC 9000 §3.5). */
  stopSending(id: number, code: number, now: Instant): void {
    const stream = this.#table.get(id)
    if (stream === undefined || stream.stopSending !== undefined) return
    stream.endReported = true
    // Nothing that could come: the remote peer need not be asked.
    if (stream.receive.done) return this.#settle(stream)
    const before = stream.receive.readTo
    stream.receive.stop()
    this.#consumed(stream.receive.readTo - before, now)
    stream.stopSending = { code, state: 'pending' }
    this.sender.control(stream)
    this.#settle(stream)
  }

  /**
   * The next data, or how the stream ended; undefined: nothing yet, `readable` tells when there is.
   */
  read(id: number, now: Instant): StreamRead | undefined {
    const stream = this.#table.get(id)
    if (stream === undefined) return { type: 'end' }
    const { receive } = stream
    const bytes = receive.read()
    if (bytes !== undefined) {
      this.#consumed(bytes.length, now)
      if (receive.limitDue && !stream.maxStreamDataPending) {
        stream.maxStreamDataPending = true
        this.sender.control(stream)
      }
      return { type: 'data', bytes }
    }
    if (receive.done) {
      stream.endReported = true
      this.#settle(stream)
      return endOf(stream)
    }
    stream.readBlocked = true
    return undefined
  }

  /** What arrived and was not read; for the end of the connection. */
  unread(): readonly UnreadStream[] {
    const found: UnreadStream[] = []
    for (const stream of this.#table.values()) {
      const { receive } = stream
      const reads: StreamRead[] = []
      for (let bytes = receive.read(); bytes !== undefined; bytes = receive.read()) reads.push({ type: 'data', bytes })
      if (receive.done) reads.push(endOf(stream))
      if (reads.length > 0) found.push({ stream: stream.id, reads })
    }
    return found
  }

  onStream(id: number, offset: number, data: Uint8Array, fin: boolean, now: Instant): Violation | undefined {
    if (!this.#table.isAllowed(id)) return notAllowed(id)
    const stream = this.#incoming(id)
    if (stream === undefined) return undefined
    const { highest, readTo } = stream.receive
    return this.#onArrival(stream, stream.receive.receive(offset, data, fin), highest, readTo, now)
  }

  onResetStream(id: number, code: number, finalSize: number, now: Instant): Violation | undefined {
    if (!this.#table.isAllowed(id)) return notAllowed(id)
    const stream = this.#incoming(id)
    if (stream === undefined) return undefined
    const { highest, readTo } = stream.receive
    return this.#onArrival(stream, stream.receive.reset(code, finalSize), highest, readTo, now)
  }

  /** RFC 9000 §3.5: a STOP_SENDING is answered by a RESET_STREAM. */
  onStopSending(id: number, code: number): Violation | undefined {
    if (!this.#table.isAllowed(id)) return notAllowed(id)
    const stream = this.#incoming(id)
    if (stream === undefined || (stream.send.ended && stream.send.done)) return undefined
    if (!stream.send.wasReset) this.#options.events.push({ type: 'streamStopped', stream: id, code })
    stream.send.reset(code)
    this.sender.control(stream)
    return undefined
  }

  onMaxStreamData(id: number, limit: number): Violation | undefined {
    if (!this.#table.isAllowed(id)) return notAllowed(id)
    const stream = this.#incoming(id)
    if (stream === undefined) return undefined
    stream.send.onMaxStreamData(limit)
    this.sender.enqueue(stream)
    return undefined
  }

  onMaxData(limit: number): void {
    if (this.#flow.onMaxData(limit)) this.sender.unblock()
  }

  onMaxStreams(limit: number): void {
    if (this.#table.onMaxStreams(limit)) this.#options.events.push({ type: 'openable' })
  }

  onAcked(frame: SentStreamFrame): void {
    const stream = this.#table.get(frame.id)
    if (stream === undefined) return
    const { send } = stream
    const wasDone = send.done
    if (frame.type === 'stream') send.acked(frame.from, frame.to, frame.fin)
    else if (frame.type === 'resetStream') send.resetAcked()
    if (send.done && !wasDone) this.#tell(stream.id, 'finished')
    if (stream.writeBlocked && send.buffered < this.#sendBuffer / 2) {
      stream.writeBlocked = false
      this.#tell(stream.id, 'writable')
    }
    this.#settle(stream)
  }
  /** The stream that a frame is about; the remote peer may open it. Undefined: it is finished. */
  #incoming(id: number): Stream | undefined {
    const known = this.#table.get(id)
    if (known !== undefined) return known
    for (const opened of this.#table.openRemote(id)) this.#tell(opened, 'opened')
    if (this.#table.raiseLimit()) this.sender.announceMaxStreams()
    return this.#table.get(id)
  }

  /**
   * @param highest of the stream before the frame.
   * @param readTo likewise
   */
  #onArrival(stream: Stream, arrival: Arrival, highest: number, readTo: number, now: Instant): Violation | undefined {
    const { id, receive } = stream
    if (arrival === 'final size') return { code: CLOSE_CODE.finalSize, reason: `stream ${id}: final size changed` }
    if (arrival === 'pieces') return { code: CLOSE_CODE.flowControl, reason: `stream ${id}: too many small pieces` }
    if (arrival === 'flow control' || !this.#flow.onReceived(receive.highest - highest))
      return { code: CLOSE_CODE.flowControl, reason: `stream ${id}: flow control limit exceeded` }
    this.#consumed(receive.readTo - readTo, now)
    if (stream.readBlocked && receive.readable && !receive.stopped) {
      stream.readBlocked = false
      this.#tell(id, 'readable')
    }
    if (receive.done) this.#settle(stream)
    return undefined
  }

  /** Data came, was read or was dropped: the remote peer may send more. */
  #consumed(bytes: number, now: Instant): void {
    this.#flow.onRead(bytes)
    if (this.#flow.tuneDue) this.#flow.tune(isWindowLimited(this.#flow, this.#options.recovery.path.rtt.smoothed, now))
    if (!this.#flow.limitDue) return
    this.#flow.raiseLimit()
    this.sender.announceMaxData()
  }

  /** Forgets a stream that is finished. */
  #settle(stream: Stream): void {
    if (!isFinished(stream)) return
    this.sender.remove(stream)
    this.#table.remove(stream.id)
    if (this.#table.raiseLimit()) this.sender.announceMaxStreams()
  }

  #tell(stream: number, what: StreamChange): void {
    this.#options.events.push({ type: 'stream', stream, what })
  }
}

const endOf = ({ receive: { resetCode } }: Stream): StreamRead =>
  resetCode === undefined ? { type: 'end' } : { type: 'reset', code: resetCode }

const notAllowed = (id: number): Violation => ({ code: CLOSE_CODE.streamLimit, reason: `stream ${id} may not be open` })

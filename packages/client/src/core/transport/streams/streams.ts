/**
 * The streams of a connection: what the application does with them, and the frames about them that
 * arrive. After what the application does here, its owner sends what follows.
 */
import { EARLY_STREAM, type Early, STREAM_CODE, writeProtocolName } from '@showchain/wire/end-to-end'
import type { EventQueue } from '../../endpoint/event-queue.ts'
import type { Instant } from '../../endpoint/machine.ts'
import type { NoNames, StreamChange, StreamEvent, StreamOpening, StreamRead, UnreadStream } from '../events.ts'
import { CLOSE_CODE, MAX_STREAM_WINDOW, SEND_BUFFER } from '../limits.ts'
import type { LossRecovery } from '../recovery/loss-recovery.ts'
import type { SentStreamFrame } from '../recovery/sent-frame.ts'
import { ConnectionFlow, isWindowLimited } from './flow-control.ts'
import type { Arrival } from './receive-stream.ts'
import { endOf, isFinished, type Stream, unreadOf } from './stream.ts'
import type { NameRead, StreamName } from './stream-name.ts'
import { StreamSender } from './stream-sender.ts'
import { StreamTable } from './stream-table.ts'

/** How a frame violates the protocol, which closes the connection (RFC 9000 §11.1). */
export interface Violation {
  readonly code: number
  readonly reason: string
}

export interface StreamTraits {
  /** Whether this end began the handshake. */
  readonly initiator: boolean
  /** Whether both ends know named streams. */
  readonly namedStreams: boolean
  /** Named streams that the remote peer may open. Undefined: those of any name. */
  readonly protocols: ReadonlySet<string> | undefined
}

export interface StreamsOptions extends StreamTraits {
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
    this.#table = new StreamTable(options.initiator, options.namedStreams)
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
   * Opens a stream. The name of one that has a protocol leaves at once.
   * @returns undefined when the remote peer allows no more for now: `openable` tells when it does
   */
  open({ priority, protocol }: StreamOpening = { priority: 0 }): number | NoNames | undefined {
    if (protocol !== undefined && !this.#options.namedStreams) return 'no names'
    const stream = this.#table.open(protocol !== undefined)
    if (stream === undefined) return undefined
    stream.send.priority = priority
    if (protocol !== undefined) this.write(stream.id, writeProtocolName(protocol))
    return stream.id
  }

  /** The first stream of the initiator begins with what it said early: here, or there. */
  begin({ bytes, fin }: Early, now: Instant): void {
    if (!this.#options.initiator) return void this.onStream(EARLY_STREAM, 0, bytes, fin, now)
    const stream = this.#table.open(false)
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
    return [...this.#table.values()].flatMap(unreadOf)
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
    if (stream.name !== undefined) stream.name.stoppedBy ??= code
    else if (!stream.send.wasReset) this.#options.events.push({ type: 'streamStopped', stream: id, code })
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
    for (const { id: stream, name } of this.#table.openRemote(id))
      if (name === undefined) this.#options.events.push({ type: 'streamOpened', stream, protocol: undefined })
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
    // Reading it moves what the reader has read.
    const name = stream.name?.read(receive)
    this.#consumed(receive.readTo - readTo, now)
    return stream.name === undefined ? this.#arrived(stream) : this.#named(stream, stream.name, name, now)
  }

  #arrived(stream: Stream): undefined {
    const { id, receive } = stream
    if (stream.readBlocked && receive.readable && !receive.stopped) {
      stream.readBlocked = false
      this.#tell(id, 'readable')
    }
    if (receive.done) this.#settle(stream)
  }

  /** The application learns of a named stream when its name is complete, and is one that it takes. */
  #named(stream: Stream, { stoppedBy }: StreamName, name: NameRead, now: Instant): Violation | undefined {
    const { id, receive } = stream
    const { events, protocols } = this.#options
    // It is over before it was anything.
    if (receive.resetCode !== undefined) return this.#turnAway(stream, receive.resetCode, now)
    if (name === undefined) return undefined
    if (name === 'none') return { code: CLOSE_CODE.protocolViolation, reason: `stream ${id}: no name of a protocol` }
    if (protocols?.has(name.protocol) === false) return this.#turnAway(stream, STREAM_CODE.unknownProtocol, now)
    stream.name = undefined
    events.push({ type: 'streamOpened', stream: id, ...name })
    if (stoppedBy !== undefined) events.push({ type: 'streamStopped', stream: id, code: stoppedBy })
    return this.#arrived(stream)
  }

  /** Both halves of a stream end, of which the application never learns. */
  #turnAway(stream: Stream, code: number, now: Instant): undefined {
    stream.name = undefined
    this.reset(stream.id, code)
    this.stopSending(stream.id, code, now)
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

const notAllowed = (id: number): Violation => ({ code: CLOSE_CODE.streamLimit, reason: `stream ${id} may not be open` })

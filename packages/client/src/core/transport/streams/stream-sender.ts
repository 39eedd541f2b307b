/** What streams send next: frames about them, then their data; and what becomes of those frames. */
import { FRAME, type FrameWriter } from '@showchain/wire/end-to-end'
import type { Instant } from '../../endpoint/machine.ts'
import type { PathState } from '../recovery/path-state.ts'
import type { SentFrame, SentStreamFrame } from '../recovery/sent-frame.ts'
import { type ConnectionFlow, isWindowLimited } from './flow-control.ts'
import { SendSchedule } from './send-schedule.ts'
import type { Stream } from './stream.ts'
import type { StreamTable } from './stream-table.ts'

export class StreamSender {
  readonly #table: StreamTable
  readonly #flow: ConnectionFlow
  /** Streams that can send data, and those that the connection's flow control blocks. */
  readonly #ready = new SendSchedule()
  readonly #blocked = new Set<Stream>()
  /** Streams with other frames pending. */
  readonly #controls = new Set<Stream>()
  #maxDataPending = false
  #maxStreamsPending = false

  constructor(table: StreamTable, flow: ConnectionFlow) {
    this.#table = table
    this.#flow = flow
  }

  get isEmpty(): boolean {
    return this.#ready.isEmpty && this.#controls.size === 0 && !this.#maxDataPending && !this.#maxStreamsPending
  }

  /** The stream has data or FIN to send. */
  enqueue(stream: Stream): void {
    if (stream.send.canSend(this.#flow.sendCredit)) this.#ready.add(stream)
    else if (this.#flow.sendCredit <= 0) this.#blocked.add(stream)
  }

  /** The connection's flow control allows more. */
  unblock(): void {
    for (const stream of this.#blocked) this.#ready.add(stream)
    this.#blocked.clear()
  }

  /** Another frame than STREAM is pending for it. */
  control(stream: Stream): void {
    this.#controls.add(stream)
  }

  announceMaxData(): void {
    this.#maxDataPending = true
  }

  announceMaxStreams(): void {
    this.#maxStreamsPending = true
  }

  /** The stream is finished. */
  remove(stream: Stream): void {
    this.#ready.delete(stream)
    this.#blocked.delete(stream)
    this.#controls.delete(stream)
  }

  /**
   * Writes the frames without data.
   * @returns false when the record is full
   */
  writeControls(writer: FrameWriter, frames: SentFrame[], path: PathState, now: Instant): boolean {
    if (this.#maxDataPending) {
      if (!writer.numbers(FRAME.maxData, this.#flow.receiveLimit)) return false
      this.#maxDataPending = false
      frames.push({ type: 'maxData' })
    }
    if (this.#maxStreamsPending) {
      if (!writer.numbers(FRAME.maxStreams, this.#table.remoteLimit)) return false
      this.#maxStreamsPending = false
      frames.push({ type: 'maxStreams' })
    }
    if (this.#controls.size === 0) return true
    for (const stream of this.#controls) {
      if (!writeStreamControls(stream, writer, frames, path, now)) return false
      this.#controls.delete(stream)
    }
    return true
  }

  /** Writes STREAM frames until the record is full. */
  writeData(writer: FrameWriter, frames: SentFrame[]): void {
    while (writer.remaining > 0) {
      const stream = this.#ready.first
      if (stream === undefined) return
      const { id, send } = stream
      const space = writer.streamCapacity(id, send.nextOffset)
      if (space <= 0) return
      const part = send.take(space, this.#flow.sendCredit)
      if (part !== undefined) {
        const { from, to, fin, retransmission } = part
        send.copy(from, writer.stream(id, from, to - from, fin))
        if (!retransmission) this.#flow.onSent(to - from)
        frames.push({ type: 'stream', id, from, to, fin })
      }
      if (part !== undefined && send.canSend(this.#flow.sendCredit)) this.#ready.rotate(stream)
      else {
        this.#ready.delete(stream)
        if (this.#flow.sendCredit <= 0) this.#blocked.add(stream)
      }
    }
  }

  /** A frame is lost: its data, or the current value, is sent again (RFC 9000 §13.3). */
  onLost(frame: SentStreamFrame): void {
    const stream = this.#table.get(frame.id)
    if (stream === undefined) return
    if (frame.type === 'stream') {
      stream.send.lost(frame.from, frame.to, frame.fin)
      if (stream.send.canSend(this.#flow.sendCredit)) this.#ready.add(stream)
      return
    }
    if (frame.type === 'resetStream') stream.send.resetLost()
    else if (frame.type === 'maxStreamData') stream.maxStreamDataPending = !stream.receive.done
    else if (stream.stopSending !== undefined) stream.stopSending.state = 'pending'
    this.#controls.add(stream)
  }
}

/** @returns false when the record is full */
function writeStreamControls(
  stream: Stream,
  writer: FrameWriter,
  frames: SentFrame[],
  { rtt }: PathState,
  now: Instant,
): boolean {
  const { id, send, receive, stopSending } = stream
  const { resetToSend } = send
  if (resetToSend !== undefined) {
    if (!writer.numbers(FRAME.resetStream, id, resetToSend.code, resetToSend.size)) return false
    send.resetSent()
    frames.push({ type: 'resetStream', id })
  }
  if (stopSending?.state === 'pending') {
    if (!writer.numbers(FRAME.stopSending, id, stopSending.code)) return false
    stopSending.state = 'sent'
    frames.push({ type: 'stopSending', id })
  }
  if (stream.maxStreamDataPending) {
    const limit = receive.raiseLimit(isWindowLimited(stream, rtt.smoothed, now))
    if (!writer.numbers(FRAME.maxStreamData, id, limit)) return false
    stream.maxStreamDataPending = false
    frames.push({ type: 'maxStreamData', id })
  }
  return true
}

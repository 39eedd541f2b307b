/**
 * Streams and datagrams over records that may be lost, duplicated or reordered, after RFC 9000,
 * 9002 and 9221: each frame goes into one record, and what a lost record carried goes into a later
 * one. It knows neither paths nor keys. Its owner asks it to fill the next record, hands it each
 * record that arrives, and tells it of migrations.
 *
 *   fill ──► control frames, DatagramQueue, StreamSender ──► LossRecovery remembers the record
 *   receive ──► FrameReceiver ──► LossRecovery, Streams ──► events, polled by the owner
 */
import { FRAME, FrameWriter, RECORD_OVERHEAD } from '@showchain/wire/end-to-end'
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { CongestionFactory } from './congestion/controller.ts'
import { DatagramQueue } from './datagram-queue.ts'
import type { Goodbye } from './ending.ts'
import type { TransportEvent, TransportStatistics } from './events.ts'
import { type Ending, FrameReceiver } from './frame-receiver.ts'
import { KeyAnnouncement } from './key-announcement.ts'
import { CLOSE_RECORDS, PROBES } from './limits.ts'
import type { ObservedPath, TransportObserver } from './observer.ts'
import { AckGenerator } from './recovery/ack-generator.ts'
import { LossRecovery } from './recovery/loss-recovery.ts'
import { Lull } from './recovery/lull.ts'
import type { PathTraits } from './recovery/path-traits.ts'
import type { SentFrame } from './recovery/sent-frame.ts'
import { Streams, type StreamTraits } from './streams/streams.ts'

export interface TransportOptions extends StreamTraits {
  readonly congestion: CongestionFactory
  readonly path: PathTraits
  readonly observer?: TransportObserver | undefined
}

export class Transport {
  readonly streams: Streams
  readonly datagrams: DatagramQueue = new DatagramQueue()
  /** For a later hello to this end. */
  readonly key: KeyAnnouncement = new KeyAnnouncement()
  readonly #events = new EventQueue<TransportEvent>()
  readonly #recovery: LossRecovery
  readonly #acks: AckGenerator
  readonly #lull = new Lull()
  readonly #frames: FrameReceiver
  readonly #writer = new FrameWriter()
  readonly #observer: TransportObserver | undefined
  #pingPending = false
  /** Probes that are due after a probe timeout. */
  #probes = 0
  /** `left`: records that still carry CONNECTION_CLOSE. */
  #closing: { readonly code: number; readonly reason: string; left: number } | undefined
  #pacedUntil: Instant | undefined

  constructor({ congestion, path, observer, ...streams }: TransportOptions) {
    this.#observer = observer
    const events = this.#events
    this.#acks = new AckGenerator(path.acks)
    const recovery = new LossRecovery(congestion, path)
    this.#recovery = recovery
    this.streams = new Streams({ ...streams, recovery, events })
    this.#frames = new FrameReceiver({ recovery, streams: this.streams, events })
  }

  /** Drained by the owner after each `receive` and `wake`. */
  poll(): TransportEvent | undefined {
    return this.#events.poll()
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** The highest record number that the remote peer acknowledged; −1: none. */
  get largestAcked(): number {
    return this.#recovery.largestAcked
  }

  /** Bytes of a full record on this path. */
  get recordSize(): number {
    return this.#recovery.path.mtu.size
  }

  get statistics(): TransportStatistics {
    const { rtt, congestion, bytesInFlight, mtu } = this.#recovery.path
    return {
      rtt: rtt.measured ? rtt.smoothed : undefined,
      minRtt: rtt.measured ? rtt.min : undefined,
      ...{ mtu: mtu.size, congestion: congestion.name },
      ...{ window: congestion.window, inFlight: bytesInFlight },
      pacing: congestion.pacingRate === undefined ? undefined : congestion.pacingRate * 1000,
      ...{ sent: this.#recovery.sentCount, lost: this.#recovery.lostCount, streams: this.streams.size },
    }
  }

  /** When `wake` has to be called. */
  get deadline(): Instant | undefined {
    let earliest = this.#recovery.deadline
    for (const at of [this.#acks.due, this.#pacedUntil, this.#lull.due, this.key.due])
      if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at
    return earliest
  }

  /** Whether the remote peer owes an acknowledgement. */
  get unanswered(): boolean {
    return this.#recovery.hasOutstanding
  }

  wake(now: Instant): void {
    if (this.#lull.ask(now)) this.#pingPending = true
    const due = this.#recovery.onTimeout(now)
    this.#settleSent()
    this.#observer?.metrics(this.#recovery.path.metrics)
    if (due !== 'probe') return
    this.#probe()
    const { ptoCount, silence } = this.#recovery.path
    this.#events.push({ type: 'probeTimeout', ptoCount, silence })
  }

  /**
   * Writes the frames of the next record into `into`; the record has at most its length.
   * @param number of the record
   * @returns bytes; 0: nothing may or has to be sent now
   */
  fill(number: number, into: Uint8Array, now: Instant): number {
    const length = this.#fill(number, into, now)
    if (length > 0) this.#observer?.sent(number, into.subarray(0, length), length + RECORD_OVERHEAD)
    return length
  }

  #fill(number: number, into: Uint8Array, now: Instant): number {
    const { mtu, availableWindow } = this.#recovery.path
    // A probe must not be lost for its size.
    const size = Math.min(this.#probes > 0 ? mtu.base : mtu.size, into.length)
    this.#writer.reset(into, size - RECORD_OVERHEAD)
    if (this.#closing !== undefined) return this.#writeClose(now)
    const probeSize = this.#probes > 0 ? undefined : mtu.probeSize(now)
    if (probeSize !== undefined && probeSize <= Math.min(availableWindow, into.length))
      return this.#writeMtuProbe(number, into, probeSize, now)
    if (!this.#maySend(now)) return this.#writeDueAck(now)
    const frames: SentFrame[] = []
    const upTo = this.#acks.pending ? this.#acks.write(this.#writer, now) : undefined
    const before = this.#writer.length
    this.#writeFrames(frames, into.length, now)
    if (this.#writer.length === before) {
      // Flow control blocks what was ready.
      if (this.#probes === 0) return before
      this.#writer.numbers(FRAME.ping)
    }
    if (upTo !== undefined) frames.push({ type: 'ack', upTo })
    this.#recovery.onPacketSent(number, this.#writer.length + RECORD_OVERHEAD, frames, now)
    if (this.#probes > 0) this.#probes--
    return this.#writer.length
  }

  /**
   * A genuine record arrived.
   * @param nextNumber one more than the highest number of this end's records
   */
  receive(number: number, payload: Uint8Array, nextNumber: number, now: Instant): void {
    if (this.closed) return
    this.#observer?.received(number, payload, payload.length + RECORD_OVERHEAD)
    const read = this.#frames.read(payload, nextNumber, now)
    this.#settleSent()
    if (typeof read === 'object') this.#end(read)
    else {
      this.#acks.received(number, read, now)
      if (read === 'ack-eliciting') this.#lull.received(now)
    }
    this.#observer?.metrics(this.#recovery.path.metrics)
  }

  /**
   * Records take another path (RFC 9000 §9). `abandonInFlight`: what is in flight on the former one
   * is lost. `observed`: the path, for a recording.
   */
  migrate(path: PathTraits, how: { readonly abandonInFlight: boolean; readonly observed?: ObservedPath }): void {
    if (how.observed !== undefined) this.#observer?.path(how.observed)
    this.#probes = 0
    this.#acks.acks = path.acks
    this.#recovery.migrate(path, how)
    this.#settleSent()
    // Its acknowledgement measures the path, shows what was lost before, and the path may be faster.
    if (this.#recovery.hasOutstanding) this.#probe(PROBES)
  }

  /** A path works again: what waits for a probe timeout that has grown long is asked for now. */
  hurry(): void {
    if (this.#recovery.path.ptoCount < 2) return
    this.#recovery.path.ptoCount = 0
    this.#probe()
  }

  /** Asks the remote peer for an acknowledgement. */
  ping(): void {
    this.#pingPending = true
  }

  /** Ends the connection: the next records carry CONNECTION_CLOSE, and are the last. */
  close(goodbye: Goodbye): void {
    this.#startClosing('local', goodbye, CLOSE_RECORDS)
  }

  #probe(records = 1): void {
    this.#probes = PROBES
    this.#pingPending = true
    for (const frame of this.#recovery.oldestFrames(records)) this.#onLost(frame)
  }

  #hasFrames(now: Instant): boolean {
    if (this.#probes > 0 || this.#pingPending || this.key.wants(this.#acks.due, now)) return true
    return !this.datagrams.isEmpty || !this.streams.sender.isEmpty
  }

  /** Whether a record with frames other than ACK may leave now. */
  #maySend(now: Instant): boolean {
    const { availableWindow, bytesInFlight, congestion, deliveryRate, pacer, mtu } = this.#recovery.path
    this.#pacedUntil = undefined
    if (!this.#hasFrames(now)) {
      if (availableWindow > 0) deliveryRate.limitedByApplication(bytesInFlight)
      return false
    }
    if (this.#probes > 0) return true
    if (availableWindow < mtu.size) return false
    const ready = pacer.readyAt(mtu.size, congestion.pacingRate, now)
    if (ready <= now) return true
    this.#pacedUntil = ready
    return false
  }

  #writeFrames(frames: SentFrame[], limit: number, now: Instant): void {
    if (this.#pingPending) this.#pingPending = !this.#writer.numbers(FRAME.ping)
    this.key.write(this.#writer, frames)
    const { sender } = this.streams
    if (!sender.writeControls(this.#writer, frames, this.#recovery.path, now)) return
    if (!this.datagrams.isEmpty) this.datagrams.write(this.#writer, Math.min(this.recordSize, limit), now)
    sender.writeData(this.#writer, frames)
  }

  #writeDueAck(now: Instant): number {
    const { due } = this.#acks
    if (due !== undefined && due <= now) this.#acks.write(this.#writer, now)
    return this.#writer.length
  }

  /** RFC 8899 §4.1: a record of this size that nothing else depends on. */
  #writeMtuProbe(number: number, into: Uint8Array, size: number, now: Instant): number {
    this.#writer.reset(into, size - RECORD_OVERHEAD)
    this.#writer.numbers(FRAME.ping)
    this.#writer.pad()
    this.#recovery.onMtuProbeSent(number, size, now)
    return this.#writer.length
  }

  #writeClose(now: Instant): number {
    const closing = this.#closing
    if (closing === undefined || closing.left === 0) return 0
    closing.left--
    if (this.#acks.pending) this.#acks.write(this.#writer, now)
    this.#writer.close(closing.code, closing.reason)
    return this.#writer.length
  }

  /** The remote peer closed the connection, or this end does. */
  #end({ by, code, reason }: Ending): void {
    this.#startClosing(by, { code, reason }, by === 'remote' ? 0 : CLOSE_RECORDS)
    this.#events.push({ type: 'closed', by, code, reason })
  }

  #startClosing(by: 'local' | 'remote', { code, reason }: Goodbye, left: number): void {
    if (this.closed) return
    this.#closing = { code, reason, left }
    this.#observer?.closed(by, code, reason)
  }

  /** Takes up what became of sent records. */
  #settleSent(): void {
    const { acked, lost } = this.#recovery
    for (let packet = acked.poll(); packet !== undefined; packet = acked.poll())
      for (const frame of packet.frames) this.#onAcked(frame)
    for (let packet = lost.poll(); packet !== undefined; packet = lost.poll()) {
      this.#observer?.lost(packet.number)
      for (const frame of packet.frames) this.#onLost(frame)
    }
  }

  #onAcked(frame: SentFrame): void {
    if (frame.type === 'stream') this.streams.onAcked(frame)
    else if (frame.type === 'ack') this.#acks.forget(frame.upTo)
    else if (frame.type === 'staticKey') this.key.acked()
    else if ('id' in frame) this.streams.onAcked(frame)
  }

  #onLost(frame: SentFrame): void {
    const { sender } = this.streams
    if (frame.type === 'maxData') sender.announceMaxData()
    else if (frame.type === 'maxStreams') sender.announceMaxStreams()
    else if (frame.type === 'staticKey') this.key.lost()
    else if ('id' in frame) sender.onLost(frame)
  }
}

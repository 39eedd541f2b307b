/**
 * Streams and datagrams over records that may be lost, doubled or late, after RFC 9000 and RFC 9002: frames go into records, each
 * once, and what a lost record carried goes into a later one. It knows neither paths nor keys: whoever owns it asks
 * it to fill the next record (`fill`), hands it what came (`receive`), and tells it when the path is another one (`migrate`).
 */
import {
  DATAGRAM_OVERHEAD,
  FRAME,
  type FrameSink,
  FrameWriter,
  RECORD_OVERHEAD,
  readFrames,
} from '@showchain/wire/end-to-end'
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { CongestionFactory } from './congestion/controller.ts'
import type { StreamChange, StreamRead, TransportEvent, TransportStatistics, UnreadStream } from './events.ts'
import { CLOSE_CODE, CLOSE_RECORDS, DATAGRAM_QUEUE, PROBES, SEND_BUFFER } from './limits.ts'
import { AckGenerator } from './recovery/ack-generator.ts'
import { LossRecovery } from './recovery/loss-recovery.ts'
import { Pacer } from './recovery/pacer.ts'
import type { PathTraits } from './recovery/path-traits.ts'
import type { SentFrame } from './recovery/sent-frame.ts'
import type { Arrival } from './streams/receive-stream.ts'
import { SendSchedule } from './streams/send-schedule.ts'
import { isOver, type Stream } from './streams/stream.ts'
import { ConnectionFlow, StreamTable } from './streams/stream-table.ts'

export interface TransportOptions {
  /** Whether this end began the handshake. */
  readonly initiator: boolean
  readonly congestion: CongestionFactory
  readonly path: PathTraits
}

interface QueuedDatagram {
  readonly bytes: Uint8Array
  done(sent: boolean, now: Instant): void
}

export class Transport {
  readonly #events = new EventQueue<TransportEvent>()
  readonly #streams: StreamTable
  readonly #flow = new ConnectionFlow()
  readonly #recovery: LossRecovery
  readonly #ackGenerator: AckGenerator
  readonly #writer = new FrameWriter()
  readonly #sink: FrameSink
  #pacer: Pacer
  /** Streams with something to send, and those that wait for the connection's limit. */
  readonly #ready = new SendSchedule()
  readonly #blocked = new Set<Stream>()
  /** Streams of which something else has to be said. */
  readonly #controls = new Set<Stream>()
  /** Frames of the connection that have to be said. */
  readonly #flags = new Set<'maxData' | 'maxStreams' | 'ping'>()
  /** At most DATAGRAM_QUEUE. */
  #datagrams: QueuedDatagram[] = []
  #probes = 0
  /** `left`: how many records still say so. */
  #closing: { readonly code: number; readonly reason: string; left: number } | undefined
  #pacedUntil: Instant | undefined
  #sentCount = 0
  #lostCount = 0
  #now: Instant = 0 as Instant
  /** One more than the highest record number of this end. */
  #sentTo = 0

  constructor({ initiator, congestion, path }: TransportOptions) {
    this.#pacer = new Pacer(path.base)
    this.#ackGenerator = new AckGenerator(path.acks)
    this.#streams = new StreamTable(initiator, (id) => this.#tell(id, 'opened'))
    this.#recovery = new LossRecovery(
      {
        acked: (frame) => this.#acked(frame),
        lost: (frame) => this.#lost(frame),
        lostPackets: (count) => this.#countLost(count),
      },
      congestion,
      path,
    )
    this.#sink = this.#makeSink()
  }

  /** Drained by the owner after each `receive` and `wake`. */
  poll(): TransportEvent | undefined {
    return this.#events.poll()
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** The highest record number that the other end acknowledged; −1: none. */
  get acknowledged(): number {
    return this.#recovery.largestAcked
  }

  /** Bytes of a full record on this path. */
  get packet(): number {
    return this.#recovery.mtu.size
  }

  get statistics(): TransportStatistics {
    const { rtt, congestion, inFlight, mtu } = this.#recovery
    return {
      rtt: rtt.measured ? rtt.smoothed : undefined,
      minRtt: rtt.measured ? rtt.min : undefined,
      mtu: mtu.size,
      congestion: congestion.name,
      window: congestion.window,
      inFlight,
      pacing: congestion.pacingRate === undefined ? undefined : congestion.pacingRate * 1000,
      ...{ sent: this.#sentCount, lost: this.#lostCount, streams: this.#streams.size },
    }
  }

  /** When `wake` wants to be called. */
  get deadline(): Instant | undefined {
    let earliest = this.#recovery.deadline
    for (const at of [this.#ackGenerator.due, this.#pacedUntil])
      if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at
    return earliest
  }

  /** Whether anything was sent that is not acknowledged, or waits to be sent. */
  get busy(): boolean {
    return this.#recovery.waits || this.#hasFrames()
  }

  wake(now: Instant): void {
    this.#now = now
    if (this.#recovery.wake(now) !== 'probe') return
    this.#probes = PROBES
    this.#flags.add('ping')
    // What is oldest goes out once more with the probe.
    for (const frame of this.#recovery.oldest()) this.#lost(frame)
    this.#events.push({ type: 'probeTimeout', ptoCount: this.#recovery.silence })
  }

  /**
   * Writes the frames of the next record into `into`.
   * @param number of the record. @returns bytes; 0: nothing may or has to be sent now
   */
  fill(number: number, into: Uint8Array, now: Instant): number {
    this.#now = now
    const { mtu } = this.#recovery
    // What asks whether the path still carries anything must not be lost for its size.
    this.#writer.reset(into, (this.#probes > 0 ? mtu.base : mtu.size) - RECORD_OVERHEAD)
    this.#sentTo = number + 1
    if (this.#closing !== undefined) return this.#sayClose()
    const probe = this.#probes > 0 ? undefined : mtu.wanted(now)
    if (probe !== undefined && probe <= this.#recovery.room) return this.#probeSize(number, into, probe, now)
    const due = this.#ackGenerator.due
    if (!this.#maySend(now)) {
      if (due === undefined || due > now) return 0
      this.#ackGenerator.write(this.#writer, now)
      return this.#writer.length
    }
    const frames: SentFrame[] = []
    const upTo = this.#ackGenerator.pending ? this.#ackGenerator.write(this.#writer, now) : undefined
    const before = this.#writer.length
    this.#writeFrames(frames, now)
    // What was ready turned out to be held up by the other end's limits.
    if (this.#writer.length === before && this.#probes === 0) return before
    if (this.#writer.length === before) this.#writer.numbers(FRAME.ping)
    if (upTo !== undefined) frames.push({ type: 'ack', upTo })
    this.#recovery.sent(number, this.#writer.length + RECORD_OVERHEAD, frames, now)
    if (this.#probes > 0) this.#probes--
    return this.#sent()
  }

  /** RFC 8899 §4.1: a packet of this size that nothing else depends on. */
  #probeSize(number: number, into: Uint8Array, size: number, now: Instant): number {
    this.#writer.reset(into, size - RECORD_OVERHEAD)
    this.#writer.numbers(FRAME.ping)
    this.#writer.pad()
    this.#recovery.sent(number, size, [], now, true)
    return this.#sent()
  }

  #sent(): number {
    this.#pacer.sent(this.#writer.length + RECORD_OVERHEAD)
    this.#sentCount++
    return this.#writer.length
  }

  /** A genuine record of the other end. @param sentTo one more than the highest number of this end's records */
  receive(number: number, payload: Uint8Array, sentTo: number, now: Instant): void {
    if (this.closed) return
    this.#now = now
    this.#sentTo = sentTo
    const reading = readFrames(payload, this.#sink)
    if (this.closed) return
    if (reading === 'bad') this.#fail(CLOSE_CODE.frameEncoding, 'a frame that is none')
    else this.#ackGenerator.received(number, reading === 'eliciting', now)
  }

  /** Records take another path (RFC 9000 §9). `abandonInFlight`: what is in flight on the former one is lost. */
  migrate(path: PathTraits, { abandonInFlight }: { readonly abandonInFlight: boolean }, now: Instant): void {
    this.#now = now
    this.#pacer = new Pacer(path.base)
    this.#probes = 0
    this.#ackGenerator.acks = path.acks
    this.#recovery.move(path, abandonInFlight, now)
    // Its acknowledgement measures the path, and shows what was lost on the one before.
    if (this.#recovery.waits) this.#flags.add('ping')
  }

  /** Asks the other end for an acknowledgement. */
  ping(): void {
    this.#flags.add('ping')
  }

  /** Ends the connection: the next records say so, and are the last. */
  close(code: number, reason: string): void {
    this.#closing ??= { code, reason, left: CLOSE_RECORDS }
  }

  /** Opens a stream. @returns undefined when the other end allows no more for now */
  open(priority = 0): number | undefined {
    const stream = this.#streams.open()
    if (stream !== undefined) stream.send.priority = priority
    return stream?.id
  }

  /** @param bytes not to be changed until they are acknowledged. @returns whether there is room for more; if not, `writable` tells when */
  write(id: number, bytes: Uint8Array): boolean {
    const stream = this.#streams.get(id)
    if (stream === undefined || stream.send.ended) return true
    stream.send.write(bytes)
    this.#enqueue(stream)
    stream.awaitsRoom = stream.send.buffered >= this.#sendBuffer
    return !stream.awaitsRoom
  }

  /** Nothing more will be written. */
  end(id: number): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    stream.send.end()
    this.#enqueue(stream)
  }

  /** Gives up writing: the other end gets the code, and no more bytes. */
  reset(id: number, code: number): void {
    const stream = this.#streams.get(id)
    if (stream === undefined || stream.send.done) return
    stream.send.reset(code)
    this.#controls.add(stream)
  }

  /** Gives up reading: the other end is asked to stop. */
  stop(id: number, code: number): void {
    const stream = this.#streams.get(id)
    if (stream === undefined || stream.receive.done || stream.stop !== undefined) return
    const before = stream.receive.readTo
    stream.receive.stop()
    this.#consumed(stream.receive.readTo - before)
    stream.stop = { code, state: 'wanted' }
    stream.told = true
    this.#controls.add(stream)
    this.#settle(stream)
  }

  /** The next bytes, or how the stream ended; undefined: nothing yet, `readable` tells when. */
  read(id: number): StreamRead | undefined {
    const stream = this.#streams.get(id)
    if (stream === undefined) return { type: 'end' }
    const { receive } = stream
    const bytes = receive.take()
    if (bytes !== undefined) {
      this.#consumed(bytes.length)
      if (receive.wantsLimit && !stream.limit) {
        stream.limit = true
        this.#controls.add(stream)
      }
      return { type: 'data', bytes }
    }
    if (receive.done) {
      stream.told = true
      this.#settle(stream)
      return receive.resetCode === undefined ? { type: 'end' } : { type: 'reset', code: receive.resetCode }
    }
    stream.awaitsData = true
    return undefined
  }

  /** What came and was not read, when the connection has ended. */
  unread(): readonly UnreadStream[] {
    return this.#streams.ids.flatMap((stream) => {
      const reads: StreamRead[] = []
      for (let found = this.read(stream); found !== undefined; found = this.read(stream)) {
        reads.push(found)
        if (found.type !== 'data') break
      }
      return reads.length === 0 ? [] : [{ stream, reads }]
    })
  }

  /** Whether a stream is not over. */
  has(id: number): boolean {
    return this.#streams.get(id) !== undefined
  }

  /** @returns false when too many wait. @param done called once: when it was sent, or when it never will be */
  datagram(bytes: Uint8Array, done: QueuedDatagram['done']): boolean {
    if (this.#datagrams.length >= DATAGRAM_QUEUE) return false
    this.#datagrams.push({ bytes, done })
    return true
  }

  /** Nothing is sent any more. */
  abandon(now: Instant): void {
    const datagrams = this.#datagrams
    this.#datagrams = []
    for (const { done } of datagrams) done(false, now)
  }

  /** What an application may have written ahead on one stream. */
  get #sendBuffer(): number {
    return Math.max(SEND_BUFFER, 2 * this.#recovery.congestion.window)
  }

  #hasFrames(): boolean {
    return (
      this.#probes > 0 ||
      this.#flags.size > 0 ||
      this.#controls.size > 0 ||
      this.#datagrams.length > 0 ||
      !this.#ready.isEmpty
    )
  }

  /** Whether a record with frames may leave now. */
  #maySend(now: Instant): boolean {
    this.#pacedUntil = undefined
    if (!this.#hasFrames()) {
      if (this.#recovery.room > 0) this.#recovery.limitedByApplication()
      return false
    }
    if (this.#probes > 0) return true
    if (this.#recovery.room < this.packet) return false
    const ready = this.#pacer.ready(this.packet, this.#recovery.congestion.pacingRate, now)
    if (ready <= now) return true
    this.#pacedUntil = ready
    return false
  }

  #sayClose(): number {
    const closing = this.#closing
    if (closing === undefined || closing.left === 0) return 0
    closing.left--
    // What came is acknowledged, so that the other end knows what arrived.
    if (this.#ackGenerator.pending) this.#ackGenerator.write(this.#writer, this.#now)
    this.#writer.close(closing.code, closing.reason)
    return this.#writer.length
  }

  #writeFrames(frames: SentFrame[], now: Instant): void {
    this.#writeFlags(frames)
    for (const stream of this.#controls) if (!this.#writeControls(stream, frames)) return
    this.#writeDatagrams(frames, now)
    this.#writeStreams(frames)
  }

  #writeFlags(frames: SentFrame[]): void {
    for (const type of this.#flags) {
      const written =
        type === 'ping'
          ? this.#writer.numbers(FRAME.ping)
          : type === 'maxData'
            ? this.#writer.numbers(FRAME.maxData, this.#flow.limit)
            : this.#writer.numbers(FRAME.maxStreams, this.#streams.allowance)
      if (!written) return
      this.#flags.delete(type)
      if (type !== 'ping') frames.push({ type })
    }
  }

  /** False when there is no room left. */
  #writeControls(stream: Stream, frames: SentFrame[]): boolean {
    const { id, send, receive, stop } = stream
    const { resetToSend } = send
    if (resetToSend !== undefined) {
      if (!this.#writer.numbers(FRAME.resetStream, id, resetToSend.code, resetToSend.size)) return false
      send.resetSent()
      frames.push({ type: 'resetStream', id })
    }
    if (stop?.state === 'wanted') {
      if (!this.#writer.numbers(FRAME.stopSending, id, stop.code)) return false
      stop.state = 'sent'
      frames.push({ type: 'stopSending', id })
    }
    if (stream.limit) {
      if (!this.#writer.numbers(FRAME.maxStreamData, id, receive.raiseLimit(this.#soon(stream)))) return false
      stream.limit = false
      frames.push({ type: 'maxStreamData', id })
    }
    this.#controls.delete(stream)
    return true
  }

  #writeDatagrams(frames: SentFrame[], now: Instant): void {
    let count = 0
    for (const { bytes, done } of this.#datagrams) {
      // One that no record has room for, since the path became a narrower one, is lost like any other.
      const fits = this.#writer.datagram(bytes)
      if (!fits && bytes.length <= this.packet - DATAGRAM_OVERHEAD) break
      if (fits) frames.push({ type: 'datagram' })
      count++
      done(true, now)
    }
    if (count > 0) this.#datagrams = this.#datagrams.slice(count)
  }

  #writeStreams(frames: SentFrame[]): void {
    for (let stream = this.#ready.first; stream !== undefined; stream = this.#ready.first) {
      const { send } = stream
      const room = this.#writer.streamRoom(stream.id, send.nextOffset)
      if (room <= 0) return
      const part = send.take(room, this.#flow.allowed)
      if (part === undefined) {
        this.#ready.delete(stream)
        if (this.#flow.allowed <= 0) this.#blocked.add(stream)
        continue
      }
      const { from, to, fin, again } = part
      send.copy(from, this.#writer.stream(stream.id, from, to - from, fin))
      if (!again) this.#flow.sent(to - from)
      frames.push({ type: 'stream', id: stream.id, from, to, fin })
      if (send.wants(this.#flow.allowed)) this.#ready.rotate(stream)
      else {
        this.#ready.delete(stream)
        if (this.#flow.allowed <= 0) this.#blocked.add(stream)
      }
    }
  }

  #enqueue(stream: Stream): void {
    if (stream.send.wants(this.#flow.allowed)) this.#ready.add(stream)
    else if (this.#flow.allowed <= 0) this.#blocked.add(stream)
  }

  #acked(frame: SentFrame): void {
    if (frame.type === 'ack') return this.#ackGenerator.forget(frame.upTo)
    if (!('id' in frame)) return
    const stream = this.#streams.get(frame.id)
    if (stream === undefined) return
    const wasDone = stream.send.done
    if (frame.type === 'stream') stream.send.acked(frame.from, frame.to, frame.fin)
    else if (frame.type === 'resetStream') stream.send.resetAcked()
    if (stream.send.done && !wasDone) this.#tell(stream.id, 'finished')
    if (stream.awaitsRoom && stream.send.buffered < this.#sendBuffer / 2) {
      stream.awaitsRoom = false
      this.#tell(stream.id, 'writable')
    }
    this.#settle(stream)
  }

  #lost(frame: SentFrame): void {
    switch (frame.type) {
      case 'maxData':
      case 'maxStreams':
        this.#flags.add(frame.type)
        return
      case 'stream':
      case 'resetStream':
      case 'stopSending':
      case 'maxStreamData':
        return this.#lostOfStream(frame)
    }
  }

  #lostOfStream(frame: Extract<SentFrame, { id: number }>): void {
    const stream = this.#streams.get(frame.id)
    if (stream === undefined) return
    if (frame.type === 'stream') {
      stream.send.lost(frame.from, frame.to, frame.fin)
      if (stream.send.wants(this.#flow.allowed)) this.#ready.add(stream)
      return
    }
    if (frame.type === 'resetStream') stream.send.resetLost()
    else if (frame.type === 'maxStreamData') stream.limit = !stream.receive.done
    else if (stream.stop !== undefined) stream.stop.state = 'wanted'
    this.#controls.add(stream)
  }

  #countLost(count: number): void {
    this.#lostCount += count
  }

  /** A stream whose halves have both ended is forgotten. */
  #settle(stream: Stream): void {
    if (!isOver(stream)) return
    this.#ready.delete(stream)
    this.#blocked.delete(stream)
    this.#controls.delete(stream)
    if (this.#streams.remove(stream.id)) this.#flags.add('maxStreams')
  }

  /** The application read, or what came is dropped: the other end may send as much more. */
  #consumed(bytes: number): void {
    if (bytes > 0 && this.#flow.read(bytes)) this.#raise()
  }

  #raise(): void {
    this.#flow.raise(this.#soon(this.#flow))
    this.#flags.add('maxData')
  }

  /** Whether a limit is raised within two round trips of the last time: it holds the other end up. */
  #soon(limited: { raisedAt: Instant | undefined }): boolean {
    const before = limited.raisedAt
    limited.raisedAt = this.#now
    return before !== undefined && this.#now - before < 2 * this.#recovery.rtt.smoothed
  }

  #tell(stream: number, what: StreamChange): void {
    this.#events.push({ type: 'stream', stream, what })
  }

  #fail(code: number, reason: string): void {
    this.close(code, reason)
    this.#events.push({ type: 'closed', code, reason })
  }

  #makeSink(): FrameSink {
    const events = this.#events
    return {
      ack: (ranges, delayMs) => {
        if (this.#recovery.acked(ranges, delayMs, this.#sentTo, this.#now)) return true
        return this.#refuse(CLOSE_CODE.protocolViolation, 'an acknowledgement of what was never sent')
      },
      stream: (id, offset, data, fin) => this.#arrive(id, ({ receive }) => receive.receive(offset, data, fin)),
      resetStream: (id, code, size) => this.#arrive(id, ({ receive }) => receive.wasReset(code, size)),
      stopSending: (id, code) => {
        const stream = this.#incoming(id)
        if (stream === undefined) return this.#closing === undefined
        if (stream.send.ended && stream.send.done) return true
        if (!stream.send.wasReset) events.push({ type: 'streamStopped', stream: id, code })
        stream.send.reset(code)
        this.#controls.add(stream)
        return true
      },
      maxData: (limit) => {
        if (!this.#flow.allow(limit)) return true
        for (const stream of this.#blocked) this.#ready.add(stream)
        this.#blocked.clear()
        return true
      },
      maxStreamData: (id, limit) => {
        const stream = this.#incoming(id)
        if (stream === undefined) return this.#closing === undefined
        stream.send.allow(limit)
        this.#enqueue(stream)
        return true
      },
      maxStreams: (count) => {
        if (this.#streams.allow(count)) events.push({ type: 'openable' })
        return true
      },
      pathChallenge: (token) => {
        events.push({ type: 'pathChallenge', token })
        return true
      },
      pathResponse: (token) => {
        events.push({ type: 'pathResponse', token })
        return true
      },
      datagram: (bytes) => {
        events.push({ type: 'datagram', bytes })
        return true
      },
      close: (code, reason) => {
        this.#closing ??= { code, reason, left: 0 }
        events.push({ type: 'closed', code, reason })
        return true
      },
    }
  }

  /** The stream that a frame is about; undefined when it is over, or when that closed the connection. */
  #incoming(id: number): Stream | undefined {
    const stream = this.#streams.incoming(id)
    if (stream !== 'bad') return stream
    this.#refuse(CLOSE_CODE.streamLimit, `stream ${id} may not be open`)
    return undefined
  }

  #refuse(code: number, reason: string): false {
    this.#fail(code, reason)
    return false
  }

  #arrive(id: number, take: (stream: Stream) => Arrival): boolean {
    const stream = this.#incoming(id)
    if (stream === undefined) return this.#closing === undefined
    const { receive } = stream
    const [highest, readTo] = [receive.highest, receive.readTo]
    const arrival = take(stream)
    if (arrival === 'final size') return this.#refuse(CLOSE_CODE.finalSize, `stream ${id} has two ends`)
    if (arrival === 'flow control' || !this.#flow.came(receive.highest - highest))
      return this.#refuse(CLOSE_CODE.flowControl, `stream ${id} has more than was allowed`)
    this.#consumed(receive.readTo - readTo)
    if (stream.awaitsData && receive.readable && !receive.stopped) {
      stream.awaitsData = false
      this.#tell(id, 'readable')
    }
    if (receive.done) this.#settle(stream)
    return true
  }
}

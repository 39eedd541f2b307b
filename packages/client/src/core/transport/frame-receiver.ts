/**
 * Takes up the frames of a record (RFC 9000 §12.4): each goes to the part of the transport that it
 * is about.
 */
import { type FrameSink, type FramesRead, readFrames } from '@showchain/wire/end-to-end'
import type { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { TransportEvent } from './events.ts'
import { CLOSE_CODE } from './limits.ts'
import { owned } from './owned.ts'
import type { LossRecovery } from './recovery/loss-recovery.ts'
import type { Streams, Violation } from './streams/streams.ts'

/** How a record ends the connection. */
export interface Ending extends Violation {
  /**
   * Whether the remote peer closed it, or this end has to, since the remote peer violated the
   * protocol.
   */
  readonly by: 'remote' | 'local'
}

export interface FrameReceiverOptions {
  readonly recovery: LossRecovery
  readonly streams: Streams
  readonly events: Pick<EventQueue<TransportEvent>, 'push'>
}

export class FrameReceiver implements FrameSink {
  readonly #options: FrameReceiverOptions
  /**
   * Of the record that is being read: when it arrived, and the number of this end's next record.
   */
  #now: Instant = 0 as Instant
  #nextNumber = 0
  #ending: Ending | undefined
  /** Whether an ACK of this record was read: no honest sender writes a second one. */
  #acknowledged = false

  constructor(options: FrameReceiverOptions) {
    this.#options = options
  }

  /** @param nextNumber one more than the highest number of this end's records */
  read(payload: Uint8Array, nextNumber: number, now: Instant): Exclude<FramesRead, 'violation'> | Ending {
    this.#now = now
    this.#acknowledged = false
    this.#nextNumber = nextNumber
    const reading = readFrames(payload, this)
    if (this.#ending !== undefined) return this.#ending
    return reading === 'violation'
      ? { by: 'local', code: CLOSE_CODE.frameEncoding, reason: 'malformed frame' }
      : reading
  }

  ack(ranges: readonly number[], delayMs: number): boolean {
    if (this.#acknowledged) return true
    this.#acknowledged = true
    if (this.#options.recovery.onAckReceived(ranges, delayMs, this.#nextNumber, this.#now)) return true
    return this.#accept({ code: CLOSE_CODE.protocolViolation, reason: 'acknowledgement of a record never sent' })
  }

  stream(id: number, offset: number, data: Uint8Array, fin: boolean): boolean {
    return this.#accept(this.#options.streams.onStream(id, offset, data, fin, this.#now))
  }

  resetStream(id: number, code: number, finalSize: number): boolean {
    return this.#accept(this.#options.streams.onResetStream(id, code, finalSize, this.#now))
  }

  stopSending(id: number, code: number): boolean {
    return this.#accept(this.#options.streams.onStopSending(id, code))
  }

  maxData(limit: number): boolean {
    this.#options.streams.onMaxData(limit)
    return true
  }

  maxStreamData(id: number, limit: number): boolean {
    return this.#accept(this.#options.streams.onMaxStreamData(id, limit))
  }

  maxStreams(limit: number): boolean {
    this.#options.streams.onMaxStreams(limit)
    return true
  }

  pathChallenge(token: Uint8Array): boolean {
    this.#options.events.push({ type: 'pathChallenge', token })
    return true
  }

  pathResponse(token: Uint8Array): boolean {
    this.#options.events.push({ type: 'pathResponse', token })
    return true
  }

  datagram(bytes: Uint8Array): boolean {
    this.#options.events.push({ type: 'datagram', bytes: owned(bytes) })
    return true
  }

  staticKey(key: Uint8Array, lifetimeS: number): boolean {
    this.#options.events.push({ type: 'staticKey', key: owned(key), lifetimeS })
    return true
  }

  /** Frames behind a CONNECTION_CLOSE are not read. */
  close(code: number, reason: string): boolean {
    this.#ending = { by: 'remote', code, reason }
    return false
  }

  #accept(violation: Violation | undefined): boolean {
    if (violation === undefined) return true
    this.#ending = { by: 'local', ...violation }
    return false
  }
}

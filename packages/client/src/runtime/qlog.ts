/**
 * A recording of a protected connection as qlog (draft-ietf-quic-qlog-main-schema, version 0.3):
 * a sequence of JSON texts (RFC 7464), which viewers such as qvis read. Records are QUIC's 1-RTT
 * packets there, with the same frames; what QUIC has no event for is in the `showchain` category.
 */
import { formatEndpoint, toBase64url } from '@showchain/wire'
import { FRAME, type FrameSink, readFrames } from '@showchain/wire/end-to-end'
import type { RecoveryMetrics } from '../core/transport/events.ts'
import type { Observe, ObservedPath, TransportObserver } from '../core/transport/observer.ts'
import type { Clock } from './clock.ts'

/** RFC 7464 §2.2: each text is between RS and LF. */
const RECORD_SEPARATOR = '\x1e'

/** Takes one JSON text of a recording, with its separators. Must not throw. */
export type QlogSink = (text: string) => void
type QlogConnection = Parameters<Observe>[0]
/**
 * Called for each connection when it is protected, again when the remote peer comes back after a
 * crash. Undefined: it is not recorded.
 */
export type Qlog = (connection: QlogConnection) => QlogSink | undefined

type Data = Readonly<Record<string, unknown>>

export class QlogRecorder implements TransportObserver {
  readonly #sink: QlogSink
  readonly #clock: Clock
  readonly #start: number
  #path: Data | undefined
  #metrics: Data = {}

  /** The first text describes the recording. */
  constructor(sink: QlogSink, { remoteId, initiator }: QlogConnection, clock: Clock) {
    this.#sink = sink
    this.#clock = clock
    this.#start = clock.now()
    this.#write({
      qlog_version: '0.3',
      qlog_format: 'JSON-SEQ',
      title: 'Show Chain',
      trace: {
        vantage_point: { name: 'showchain', type: initiator ? 'client' : 'server' },
        common_fields: {
          group_id: remoteId,
          protocol_type: ['SHOWCHAIN'],
          time_format: 'relative',
          reference_time: clock.unixMs(),
        },
      },
    })
    this.#event('connectivity:connection_state_updated', { new: 'handshake_complete' })
  }

  sent(number: number, payload: Uint8Array, bytes: number): void {
    this.#event('transport:packet_sent', packet(number, payload, bytes))
  }

  received(number: number, payload: Uint8Array, bytes: number): void {
    this.#event('transport:packet_received', packet(number, payload, bytes))
  }

  lost(number: number): void {
    this.#event('recovery:packet_lost', { header: headerOf(number) })
  }

  path(path: ObservedPath): void {
    const next = pathData(path)
    this.#event('showchain:path_updated', { ...(this.#path && { old: this.#path }), new: next })
    this.#path = next
  }

  /** Only what changed, as the schema asks for. */
  metrics(metrics: RecoveryMetrics): void {
    const next: Data = {
      min_rtt: metrics.minRtt,
      smoothed_rtt: metrics.smoothedRtt,
      latest_rtt: metrics.latestRtt,
      rtt_variance: metrics.rttVariation,
      pto_count: metrics.ptoCount,
      congestion_window: Math.floor(metrics.congestionWindow),
      bytes_in_flight: metrics.bytesInFlight,
      // In bits per second.
      pacing_rate: metrics.pacingRate === undefined ? undefined : Math.floor(metrics.pacingRate * 8),
    }
    const changed = Object.entries(next).filter(([name, value]) => value !== undefined && value !== this.#metrics[name])
    this.#metrics = next
    if (changed.length > 0) this.#event('recovery:metrics_updated', Object.fromEntries(changed))
  }

  closed(owner: 'local' | 'remote', code: number, reason: string): void {
    this.#event('connectivity:connection_closed', { owner, connection_code: code, reason })
  }

  #event(name: string, data: Data): void {
    const micros = Math.round((this.#clock.now() - this.#start) * 1000)
    this.#write({ time: micros / 1000, name, data })
  }

  #write(json: Data): void {
    this.#sink(`${RECORD_SEPARATOR}${JSON.stringify(json)}\n`)
  }
}

const headerOf = (number: number): Data => ({ packet_type: '1RTT', packet_number: number })

const pathData = (path: ObservedPath): Data =>
  path.kind === 'direct'
    ? { kind: 'direct', remote: formatEndpoint(path.to) }
    : { kind: 'relay', carrier: path.kind, session: toBase64url(path.session) }

function packet(number: number, payload: Uint8Array, bytes: number): Data {
  const frames = new QlogFrames()
  readFrames(payload, frames)
  return { header: headerOf(number), raw: { length: bytes, payload_length: payload.length }, frames: frames.list }
}

/** The frames of a record in the schema's form. PADDING and PING, which carry nothing, are left out. */
class QlogFrames implements FrameSink {
  readonly list: Data[] = []

  ack(ranges: readonly number[], delayMs: number): boolean {
    const acked: number[][] = []
    for (let index = 0; index + 1 < ranges.length; index += 2)
      acked.unshift([ranges[index] as number, ranges[index + 1] as number])
    return this.#add('ack', { ack_delay: delayMs, acked_ranges: acked })
  }

  stream(id: number, offset: number, data: Uint8Array, fin: boolean): boolean {
    return this.#add('stream', { stream_id: id, offset, length: data.length, fin })
  }

  resetStream(id: number, code: number, finalSize: number): boolean {
    return this.#add('reset_stream', { stream_id: id, error_code: code, final_size: finalSize })
  }

  stopSending(id: number, code: number): boolean {
    return this.#add('stop_sending', { stream_id: id, error_code: code })
  }

  maxData(limit: number): boolean {
    return this.#add('max_data', { maximum: limit })
  }

  maxStreamData(id: number, limit: number): boolean {
    return this.#add('max_stream_data', { stream_id: id, maximum: limit })
  }

  maxStreams(limit: number): boolean {
    return this.#add('max_streams', { stream_type: 'bidirectional', maximum: limit })
  }

  /** Not QUIC's: without a name in the schema. */
  staticKey(): boolean {
    return this.#add('unknown', { raw_frame_type: FRAME.staticKey })
  }

  pathChallenge(): boolean {
    return this.#add('path_challenge', {})
  }

  pathResponse(): boolean {
    return this.#add('path_response', {})
  }

  datagram(bytes: Uint8Array): boolean {
    return this.#add('datagram', { length: bytes.length })
  }

  close(code: number, reason: string): boolean {
    return this.#add('connection_close', { error_space: 'transport', error_code: code, reason })
  }

  #add(type: string, fields: Data): boolean {
    this.list.push({ frame_type: type, ...fields })
    return true
  }
}

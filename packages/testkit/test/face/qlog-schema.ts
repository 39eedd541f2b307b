/**
 * The part of qlog 0.3 that recordings use, after the CDDL of draft-ietf-quic-qlog-main-schema-04
 * and draft-ietf-quic-qlog-quic-events-03. Written from the drafts, not from the recorder.
 */
import * as z from 'zod'

const whole = z.number().int().nonnegative()
const ms = z.number().nonnegative()

const QlogFileSeq = z.strictObject({
  qlog_format: z.literal('JSON-SEQ'),
  qlog_version: z.literal('0.3'),
  title: z.string().optional(),
  description: z.string().optional(),
  trace: z.strictObject({
    title: z.string().optional(),
    description: z.string().optional(),
    common_fields: z
      .looseObject({
        time_format: z.enum(['absolute', 'delta', 'relative']),
        reference_time: z.number(),
        protocol_type: z.array(z.string()),
        group_id: z.union([z.string(), whole]),
      })
      .optional(),
    vantage_point: z
      .strictObject({ name: z.string().optional(), type: z.enum(['client', 'server', 'network', 'unknown']) })
      .optional(),
  }),
})

const frame = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.strictObject({ frame_type: z.literal(type), ...shape })

const QuicFrame = z.discriminatedUnion('frame_type', [
  frame('ack', {
    ack_delay: ms.optional(),
    acked_ranges: z.array(z.union([z.tuple([whole]), z.tuple([whole, whole])])).optional(),
  }),
  // Of a type that QUIC does not have.
  frame('unknown', { raw_frame_type: whole, raw_length: whole.optional(), raw: z.string().optional() }),
  frame('reset_stream', { stream_id: whole, error_code: whole, final_size: whole }),
  frame('stop_sending', { stream_id: whole, error_code: whole }),
  frame('stream', { stream_id: whole, offset: whole, length: whole, fin: z.boolean().optional() }),
  frame('max_data', { maximum: whole }),
  frame('max_stream_data', { stream_id: whole, maximum: whole }),
  frame('max_streams', { stream_type: z.enum(['bidirectional', 'unidirectional']), maximum: whole }),
  frame('path_challenge', {}),
  frame('path_response', {}),
  frame('datagram', { length: whole.optional() }),
  frame('connection_close', {
    error_space: z.enum(['transport', 'application']).optional(),
    error_code: whole.optional(),
    reason: z.string().optional(),
  }),
])

const header = z.strictObject({ packet_type: z.literal('1RTT'), packet_number: whole })
const packet = z.strictObject({
  header,
  raw: z.strictObject({ length: whole, payload_length: whole }),
  frames: z.array(QuicFrame),
})

const event = <Name extends string, Data extends z.ZodType>(name: Name, data: Data) =>
  z.strictObject({ time: ms, name: z.literal(name), data })

const path = z.union([
  z.strictObject({ kind: z.literal('direct'), remote: z.string() }),
  z.strictObject({ kind: z.literal('relay'), carrier: z.enum(['channel', 'message']), session: z.string() }),
])

export const QlogEvent = z.discriminatedUnion('name', [
  event('transport:packet_sent', packet),
  event('transport:packet_received', packet),
  event('recovery:packet_lost', z.strictObject({ header })),
  event(
    'recovery:metrics_updated',
    z
      .strictObject({
        min_rtt: ms,
        smoothed_rtt: ms,
        latest_rtt: ms,
        rtt_variance: ms,
        pto_count: z.number().int().min(0).max(65_535),
        congestion_window: whole,
        bytes_in_flight: whole,
        pacing_rate: whole,
      })
      .partial(),
  ),
  event('connectivity:connection_state_updated', z.strictObject({ new: z.literal('handshake_complete') })),
  event(
    'connectivity:connection_closed',
    z.strictObject({ owner: z.enum(['local', 'remote']), connection_code: whole, reason: z.string().optional() }),
  ),
  // A category of our own, as section 3.4.2 allows.
  event('showchain:path_updated', z.strictObject({ old: path.optional(), new: path })),
])
export type QlogEvent = z.infer<typeof QlogEvent>

/** Reads a recording (RFC 7464). @throws when any text of it does not keep the schema */
export function readQlog(recording: string): {
  readonly file: z.infer<typeof QlogFileSeq>
  readonly events: readonly QlogEvent[]
} {
  const texts = recording.split('\x1e')
  if (texts.shift() !== '' || texts.some((text) => !text.endsWith('\n'))) throw new Error('not a JSON text sequence')
  const [first, ...rest] = texts.map((text): unknown => JSON.parse(text))
  return { file: QlogFileSeq.parse(first), events: rest.map((each) => QlogEvent.parse(each)) }
}

/**
 * What went over the wire, for people: each datagram of a driver with the message in it, or why it
 * is none.
 */
import { decode, describe, type Endpoint, formatEndpoint, type Message, type Refusal } from '@showchain/wire'
import type { Machine } from '../core/endpoint/machine.ts'
import type { Clock } from './clock.ts'
import type { DriverOptions } from './driver.ts'

export interface TraceEntry {
  readonly direction: 'sent' | 'received'
  /** Unix milliseconds. */
  readonly at: number
  readonly remote: Endpoint
  readonly bytes: Uint8Array
  /** Absent when the datagram is no message. */
  readonly message?: Message
  /** Why the datagram is no message. */
  readonly refusal?: Refusal
}

export type Trace = (entry: TraceEntry) => void

export function traceEntry(
  direction: TraceEntry['direction'],
  at: number,
  remote: Endpoint,
  bytes: Uint8Array,
): TraceEntry {
  const decoded = decode(bytes)
  const what = decoded.ok ? { message: decoded.message } : { refusal: decoded.refusal }
  return { direction, at, remote, bytes, ...what }
}

/**
 * An entry as one line of JSON: `{ trace, at, remote, size, op, text }`, or `refusal` in place of
 * the last two.
 */
export function traceLine({ direction, at, remote, bytes, message, refusal }: TraceEntry): string {
  const what = message === undefined ? { refusal } : { op: message.op_code, text: describe(message) }
  return JSON.stringify({ trace: direction, at, remote: formatEndpoint(remote), size: bytes.length, ...what })
}

/**
 * The taps of a driver that show everything to `trace`; none when there is no `trace`, since
 * decoding twice costs.
 */
export function traceTaps(
  trace: Trace | undefined,
  clock: Clock,
): Pick<DriverOptions<Machine<unknown>>, 'onReceive' | 'onTransmit'> {
  if (trace === undefined) return {}
  return {
    onReceive: ({ source, bytes }) => trace(traceEntry('received', clock.unixMs(), source, bytes.slice())),
    onTransmit: (to, bytes) => trace(traceEntry('sent', clock.unixMs(), to, bytes)),
  }
}

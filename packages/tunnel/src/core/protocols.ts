/**
 * The bytes that a tunnel adds to what it carries:
 *
 *   stream    of the protocol of its kind
 *             from the end that forwards:  bytes of the local program …
 *             from the end that serves:    answer u8 | bytes of the target …
 *   datagram  flow u32, big-endian | payload
 */
import { FLOW_BYTES } from './limits.ts'

/** What a stream is for: the bytes of one connection, or, while it is open, the datagrams of all flows. */
export type Kind = 'bytes' | 'datagrams'
/** The name of a stream says which, and the version. */
export const PROTOCOLS: Readonly<Record<Kind, string>> = {
  bytes: 'tunnel-bytes/1',
  datagrams: 'tunnel-datagrams/1',
}

/** What the end that serves writes first, when its target is there. */
export const ANSWER: Uint8Array = Uint8Array.of(0)

/**
 * @param bytes at least one
 * @returns what came behind the answer; undefined: it is none
 */
export const behindAnswer = (bytes: Uint8Array): Uint8Array | undefined =>
  bytes[0] === ANSWER[0] ? bytes.subarray(ANSWER.length) : undefined

export interface FlowDatagram {
  readonly flow: number
  /** A view of the datagram. */
  readonly payload: Uint8Array
}

export function datagram({ flow, payload }: FlowDatagram): Uint8Array {
  const bytes = new Uint8Array(FLOW_BYTES + payload.length)
  new DataView(bytes.buffer).setUint32(0, flow)
  bytes.set(payload, FLOW_BYTES)
  return bytes
}

/** Undefined: it is too short. */
export function readDatagram(bytes: Uint8Array): FlowDatagram | undefined {
  if (bytes.length < FLOW_BYTES) return undefined
  const flow = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  return { flow, payload: bytes.subarray(FLOW_BYTES) }
}

/** The path that records take at the moment. */
import {
  CHANNEL_HEADER_BYTES,
  HANDSHAKE_HEADER_BYTES,
  splitHandshake,
  writeChannelHeader,
} from '@showchain/wire/end-to-end'
import type { Instant, Route } from '../endpoint/machine.ts'
import { sameRoute } from '../endpoint/route.ts'
import type { PathTraits } from '../transport/recovery/path-traits.ts'

interface Carrier {
  /** Where its datagrams go: the remote peer, or a relay. */
  readonly to: Route
  /** Session id of the path, 16 bytes: names it in handshake parts and channel frames. */
  readonly session: Uint8Array
  readonly traits: PathTraits
  /** Whether it takes another record now. When it does again, its owner calls `pump`. */
  ready(): boolean
  transmit(datagram: Uint8Array, now: Instant): void
}

/** Records travel as they are, in a relay's channel frames, or as the data of 0x123 messages. */
export type RecordPath =
  | (Carrier & {
      readonly kind: 'direct'
      /** Whether the remote peer is known to be there: else it gets no more than came from there. */
      readonly validated: boolean
    })
  | (Carrier & { readonly kind: 'channel' | 'message' })

/** Whether records take the same way: all sessions at one relay do. */
export const samePath = (a: RecordPath, b: RecordPath): boolean =>
  a === b || (a.kind === b.kind && sameRoute(a.to, b.to))

/** Bytes of a datagram on this path in front of the record. */
export const frontBytes = ({ kind }: RecordPath): number => (kind === 'channel' ? CHANNEL_HEADER_BYTES : 0)

/**
 * Sends a handshake message in as many parts as it takes.
 * @param group names the parts of one message
 */
export function sendHandshake(path: RecordPath, kind: number, group: number, message: Uint8Array, now: Instant): void {
  const front = frontBytes(path)
  const { session, traits } = path
  for (const part of splitHandshake(message, traits.base - HANDSHAKE_HEADER_BYTES, { session, kind, group })) {
    const datagram = new Uint8Array(front + part.length)
    writeFront(path, datagram)
    datagram.set(part, front)
    path.transmit(datagram, now)
  }
}

export function writeFront({ kind, session }: RecordPath, datagram: Uint8Array): void {
  if (kind === 'channel') writeChannelHeader(datagram, session)
}

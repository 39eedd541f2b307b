/**
 * What LAN discovery says by mDNS (docs/protocol.md, LAN discovery): the names, and what is read and
 * written of DNS messages. Whoever runs the machine has the codec.
 */
import type { CryptoProvider } from '@showchain/crypto/core'
import { type Endpoint, type PeerId, peerIdToBytes, toHex, utf8 } from '@showchain/wire'
import { joined } from '../endpoint/joined.ts'

/** RFC 6762 §3. */
export const MDNS_GROUP: Endpoint = { ip: '224.0.0.251', port: 5353 }
/** By IP family; that of IPv6 is of one link. */
export const MDNS_GROUPS: Readonly<Record<4 | 6, Endpoint>> = { 4: MDNS_GROUP, 6: { ip: 'ff02::fb', port: 5353 } }
/** Of DNS-SD (RFC 6763 §4.1.2). */
export const LAN_SERVICE = '_showchain._udp.local'
/** The label of the service as it stands in a message, once at least: names are compressed (RFC 1035 §4.1.4). */
export const SERVICE_LABEL: Uint8Array = joined([Uint8Array.of(10), utf8('_showchain')])
/** Addresses of one answer. */
export const MAX_LAN_ADDRESSES = 4

/** Of the hash, as hexadecimal digits: who does not know the id does not guess 64 bits. */
const INSTANCE_BYTES = 8
const DAY_MS = 86_400_000

/** Where somebody says that the peer of an instance is. */
export interface LanAnswer {
  readonly instance: string
  readonly port: number
  /** At most MAX_LAN_ADDRESSES. */
  readonly ips: readonly string[]
}

/** What a message has for LAN discovery. */
export interface LanMessage {
  /** Instances that are asked for. */
  readonly asked: readonly string[]
  readonly answers: readonly LanAnswer[]
}

/** DNS messages as bytes. */
export interface LanCodec {
  query(instance: string): Uint8Array
  answer(answer: LanAnswer): Uint8Array
  /** Undefined: that is no such message. */
  read(bytes: Uint8Array): LanMessage | undefined
}

/** Of UTC. */
export const dayOf = (unixMs: number): number => Math.floor(unixMs / DAY_MS)

/** The name of a peer on one day, for those who know its id. */
export function instanceOf({ sha256 }: Pick<CryptoProvider, 'sha256'>, id: PeerId, day: number): string {
  const days = new Uint8Array(4)
  new DataView(days.buffer).setUint32(0, day)
  const hash = sha256(joined([utf8('lan'), peerIdToBytes(id), days]))
  return toHex(hash.subarray(0, INSTANCE_BYTES))
}

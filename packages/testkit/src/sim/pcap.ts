/**
 * A timeline as a capture file that Wireshark and tcpdump read (draft-ietf-opsawg-pcap): raw IP
 * packets with the headers that a UDP socket would have given them.
 */
import { type Endpoint, ipFamily, parseIp } from '@showchain/wire'
import { SIMULATED_EPOCH } from './clock.ts'
import type { Packet } from './packet.ts'
import type { PacketEntry, TimelineEntry } from './timeline.ts'

/** Timestamps in microseconds, in the byte order of what follows. */
const MAGIC = 0xa1b2_c3d4
/** Packets begin with an IPv4 or IPv6 header. */
const LINKTYPE_RAW = 101
const FILE_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
const SNAP_LENGTH = 65_535
const UDP = 17
const UDP_HEADER_BYTES = 8
const IP_HEADER_BYTES = { 4: 20, 6: 40 } as const
const HOP_LIMIT = 64

/** Which packets are written. */
export interface PcapOptions {
  /**
   * Only what this station sends and what arrives at it, as a capture on it shows it.
   * @default every packet, once for each network that it crosses, as it is sent
   */
  readonly at?: string | undefined
}

/**
 * A capture file (pcap) of what a timeline has.
 * @param entries of a timeline; notes and what routers did are not packets
 */
export function toPcap(entries: readonly TimelineEntry[], { at }: PcapOptions = {}): Uint8Array {
  const packets = entries
    .flatMap((entry) => (entry.type === 'packet' ? captured(entry, at) : []))
    .sort((a, b) => a.at - b.at)
    .map(({ at, packet }) => ({ at, bytes: ipPacket(packet) }))
  const length = packets.reduce((sum, { bytes }) => sum + RECORD_HEADER_BYTES + bytes.length, FILE_HEADER_BYTES)
  const file = new Uint8Array(length)
  const view = new DataView(file.buffer)
  view.setUint32(0, MAGIC)
  view.setUint16(4, 2)
  view.setUint16(6, 4)
  view.setUint32(16, SNAP_LENGTH)
  view.setUint32(20, LINKTYPE_RAW)
  let offset = FILE_HEADER_BYTES
  for (const { at, bytes } of packets) {
    const micros = Math.round((SIMULATED_EPOCH + at) * 1000)
    view.setUint32(offset, Math.floor(micros / 1e6))
    view.setUint32(offset + 4, micros % 1e6)
    view.setUint32(offset + 8, bytes.length)
    view.setUint32(offset + 12, bytes.length)
    file.set(bytes, offset + RECORD_HEADER_BYTES)
    offset += RECORD_HEADER_BYTES + bytes.length
  }
  return file
}

interface Captured {
  readonly at: number
  readonly packet: Packet
}

/**
 * When a capture sees the packet: as it is sent, or each time that it arrives. What nobody listens
 * for arrives as well, and was seen by then.
 */
function captured(
  { at, from, to, packet, fate, arrivals }: PacketEntry,
  station: string | undefined,
): readonly Captured[] {
  if (fate === 'unbound') return []
  if (station === undefined || from === station) return [{ at, packet }]
  return to === station ? arrivals.map((arrival) => ({ at: arrival, packet })) : []
}

function ipPacket({ source, destination, bytes }: Packet): Uint8Array {
  const family = ipFamily(destination.ip) ?? 4
  const header = IP_HEADER_BYTES[family]
  const udpLength = UDP_HEADER_BYTES + bytes.length
  const packet = new Uint8Array(header + udpLength)
  const view = new DataView(packet.buffer)
  const [from, to] = [addressOf(source), addressOf(destination)]
  if (family === 4) {
    // RFC 791 §3.1: version and header length, total length, do not fragment.
    view.setUint16(0, 0x4500)
    view.setUint16(2, packet.length)
    view.setUint16(6, 0x4000)
    view.setUint8(8, HOP_LIMIT)
    view.setUint8(9, UDP)
    packet.set(from, 12)
    packet.set(to, 16)
    view.setUint16(10, checksum(packet.subarray(0, header)))
  } else {
    // RFC 8200 §3.
    view.setUint32(0, 0x6000_0000)
    view.setUint16(4, udpLength)
    view.setUint8(6, UDP)
    view.setUint8(7, HOP_LIMIT)
    packet.set(from, 8)
    packet.set(to, 24)
  }
  view.setUint16(header, source.port)
  view.setUint16(header + 2, destination.port)
  view.setUint16(header + 4, udpLength)
  packet.set(bytes, header + UDP_HEADER_BYTES)
  // RFC 768: over a pseudo header as well; zero would say that there is none.
  const pseudo = Uint8Array.of(...from, ...to, 0, UDP, udpLength >> 8, udpLength & 0xff)
  view.setUint16(header + 6, checksum(pseudo, packet.subarray(header)) || 0xffff)
  return packet
}

const addressOf = ({ ip }: Endpoint): Uint8Array => parseIp(ip) ?? new Uint8Array(4)

/**
 * RFC 1071: the complement of the sum of 16-bit words in one's complement. Every part but the last
 * has an even length.
 */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0
  for (const part of parts)
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] as number) << 8) | (part[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000)
  return ~sum & 0xffff
}

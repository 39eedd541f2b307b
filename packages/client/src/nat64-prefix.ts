/** The prefix of a NAT64 as people write it: only a diagnosis tells it, and pages need not load it. */
import { parseIp } from '@showchain/wire'
import type { Nat64 } from './nat64.ts'

/** RFC 6052 §2.2: byte 8 is left out of IPv4 addresses, so that one behind 64 bits begins a byte later. */
const RESERVED = 8

/** With its length; undefined: none is known. */
export function prefixOf(nat64: Pick<Nat64, 'synthesised'>): string | undefined {
  const [none, all] = ['0.0.0.0', '255.255.255.255'].map((ip) => nat64.synthesised({ ip, port: 1 })?.ip)
  const [zeros, ones] = [parseIp(none ?? ''), parseIp(all ?? '')]
  if (zeros === undefined || ones === undefined) return undefined
  const first = zeros.findIndex((byte, at) => byte !== ones[at])
  return `${none}/${8 * (first === RESERVED + 1 ? RESERVED : first)}`
}

/**
 * The key of a source's rate limit: its IPv4 address, or its IPv6 /64, which is what one host is
 * assigned (RFC 7421).
 */
import { ipFamily, parseIp } from '@showchain/wire'

/** Bytes of an IPv6 address that name the subnet. */
const SUBNET_BYTES = 8

/** The key of a source address's limits. */
export function rateSource(ip: string): string {
  if (ipFamily(ip) === 4) return ip
  const groups: string[] = []
  for (const byte of (parseIp(ip) ?? new Uint8Array(0)).subarray(0, SUBNET_BYTES)) groups.push(byte.toString(16))
  return `${groups.join(':')}/64`
}

/**
 * Addresses that stand for host names, where the system resolves them itself when it connects and tells
 * nobody what it found, as browsers do. They are of 2001:20::/28, where hashes of names are no addresses of
 * anybody (ORCHIDv2, RFC 7343).
 */
import type { CryptoProvider } from '@showchain/crypto/core'
import { formatIp, parseIp, utf8 } from '@showchain/wire'

/** 28 bits of prefix, then 4 for the kind of hash, of which none is registered: 0. */
const PREFIX = [0x20, 0x01, 0x00, 0x20] as const
/** Bytes of the hash. */
const HASHED = 12

/** The address that stands for a name. */
export function standInFor(name: string, { sha256 }: Pick<CryptoProvider, 'sha256'>): string {
  const bytes = Uint8Array.of(...PREFIX, ...sha256(utf8(name.toLowerCase())).subarray(0, HASHED))
  return formatIp(bytes, 0, bytes.length)
}

/** Whether an address stands for a name: nothing can be sent there. */
export function isStandIn(ip: string): boolean {
  const bytes = parseIp(ip)
  return bytes?.length === PREFIX.length + HASHED && PREFIX.every((byte, at) => bytes[at] === byte)
}

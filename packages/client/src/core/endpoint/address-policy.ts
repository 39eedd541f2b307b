/**
 * Which addresses that somebody else announced a peer sends to (docs/protocol.md, Punch safety). This
 * is policy, injected: a test lab lives on the very ranges that the internet must not make us punch at.
 */
import { type Endpoint, parseIp } from '@showchain/wire'

/** @param sharesPublicIp whether both ends are behind one public address, so that private ones can mean the same network. */
export type AddressPolicy = (endpoint: Endpoint, sharesPublicIp: boolean) => boolean

type Range = 'public' | 'private' | 'never'

/** First bytes and their mask length → what stands there; the first match counts. */
const IPV4_RANGES: readonly (readonly [prefix: readonly number[], bits: number, range: Range])[] = [
  [[0], 8, 'never'], // "this network", RFC 1122 §3.2.1.3
  [[127], 8, 'never'], // loopback, RFC 1122 §3.2.1.3
  [[10], 8, 'private'], // RFC 1918
  [[172, 16], 12, 'private'], // RFC 1918
  [[192, 168], 16, 'private'], // RFC 1918
  [[100, 64], 10, 'private'], // carrier-grade NAT, RFC 6598
  [[169, 254], 16, 'private'], // link-local, RFC 3927
  [[192, 0, 2], 24, 'never'], // documentation, RFC 5737
  [[198, 51, 100], 24, 'never'],
  [[203, 0, 113], 24, 'never'],
  [[198, 18], 15, 'never'], // benchmarking, RFC 2544
  [[224], 3, 'never'], // multicast, reserved and limited broadcast: RFC 1112, RFC 919
]
const IPV6_RANGES: typeof IPV4_RANGES = [
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 120, 'never'], // unspecified and loopback, RFC 4291 §2.5
  [[0xff], 8, 'never'], // multicast
  [[0xfe, 0x80], 10, 'never'], // link-local: means nothing without a zone
  [[0xfc], 7, 'private'], // unique local, RFC 4193
  [[0x20, 0x01, 0x0d, 0xb8], 32, 'never'], // documentation, RFC 3849
]

const matches = (bytes: Uint8Array, prefix: readonly number[], bits: number): boolean =>
  prefix.every((byte, index) => {
    const used = Math.min(8, bits - index * 8)
    const mask = (0xff << (8 - used)) & 0xff
    return ((bytes[index] ?? 0) & mask) === (byte & mask)
  })

function rangeOf(ip: string): Range {
  const bytes = parseIp(ip)
  if (bytes === undefined) return 'never'
  const ranges = bytes.length === 4 ? IPV4_RANGES : IPV6_RANGES
  return ranges.find(([prefix, bits]) => matches(bytes, prefix, bits))?.[2] ?? 'public'
}

/** For the internet: public addresses, and private ones between peers that share a public one. */
export const internetPolicy: AddressPolicy = ({ ip }, sharesPublicIp) => {
  const range = rangeOf(ip)
  return range === 'public' || (range === 'private' && sharesPublicIp)
}

/** For labs on loopback, private and documentation ranges: everything that one host can be reached at. */
export const labPolicy: AddressPolicy = ({ ip }) => {
  const first = parseIp(ip)?.[0]
  return first !== undefined && (ip.includes(':') ? first !== 0xff && ip !== '::' : first !== 0 && first < 224)
}

export type AddressPolicyName = 'internet' | 'lab'
export const ADDRESS_POLICIES: Readonly<Record<AddressPolicyName, AddressPolicy>> = {
  internet: internetPolicy,
  lab: labPolicy,
}

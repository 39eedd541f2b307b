/**
 * IP addresses as text and bytes. The canonical text is a dotted quad for IPv4 and RFC 5952 for
 * IPv6, without zones. An IPv4-mapped IPv6 address is an IPv4 address and written as one.
 */

export const IPV4_BYTES = 4
export const IPV6_BYTES = 16
/** Character codes. */
const [DOT, ZERO] = [0x2e, 0x30]

/** Bytes 0–11 of an IPv4-mapped address, ::ffff:0:0/96 (RFC 4291 §2.5.5.2). */
export function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i++) if (bytes[at + i] !== 0) return false
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff
}

/** The canonical text of the address whose bytes stand there. @param length 4 or 16 */
export function formatIp(bytes: Uint8Array, at: number, length: number): string {
  if (length === IPV4_BYTES) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
  const groups: number[] = []
  for (let i = 0; i < IPV6_BYTES; i += 2) groups.push(((bytes[at + i] as number) << 8) | (bytes[at + i + 1] as number))
  const [start, run] = longestZeroRun(groups)
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':')
  return run < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + run))}`
}

/**
 * RFC 5952 §4.2: `::` stands for the longest run of zero groups, the first of equals, never one
 * group.
 */
function longestZeroRun(groups: readonly number[]): readonly [start: number, length: number] {
  let best = 0
  let bestLength = 0
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === 0) end++
    if (end - start > bestLength) {
      best = start
      bestLength = end - start
    }
    if (end > start) start = end
  }
  return [best, bestLength]
}

/** The 4 or 16 bytes of an address in any textual form (4 for a mapped one), or undefined. */
export function parseIp(text: string): Uint8Array | undefined {
  // From JavaScript anything may come.
  if (typeof text !== 'string') return undefined
  if (!text.includes(':')) return parseIpv4(text)
  const bytes = parseIpv6(text)
  return bytes !== undefined && isMapped(bytes, 0) ? bytes.slice(12) : bytes
}

/** Character by character: it runs for the source of every datagram. */
function parseIpv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(IPV4_BYTES)
  let part = 0
  let value: number | undefined
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === DOT) {
      if (value === undefined || part === IPV4_BYTES - 1) return undefined
      bytes[part++] = value
      value = undefined
      continue
    }
    const digit = character - ZERO
    // Not after a zero: `01` would be a second text of 1.
    if (digit < 0 || digit > 9 || value === 0) return undefined
    value = (value ?? 0) * 10 + digit
    if (value > 0xff) return undefined
  }
  if (value === undefined || part < IPV4_BYTES - 1) return undefined
  bytes[part] = value
  return bytes
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] as string, halves.length === 1)
  const tail = parseGroups(halves[1] ?? '', halves.length === 2)
  if (head === undefined || tail === undefined) return undefined
  const missing = IPV6_BYTES - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail])
}

/** @param last whether these groups may end with a dotted quad (RFC 4291 §2.2). */
function parseGroups(text: string, last: boolean): readonly number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (last && index === groups.length - 1 && group.includes('.')) {
      const quad = parseIpv4(group)
      if (quad === undefined) return undefined
      bytes.push(...quad)
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes
}

/** The canonical text of an address, or undefined if the text is not an address. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIp(text)
  return bytes === undefined ? undefined : formatIp(bytes, 0, bytes.length)
}

/** Whether the value is the canonical text of an address. */
export const isCanonicalIp = (value: unknown): value is string =>
  typeof value === 'string' && canonicalIp(value) === value

/**
 * 4 or 6.
 * @param ip in canonical form
 */
export const ipFamily = (ip: string): 4 | 6 => (ip.includes(':') ? 6 : 4)

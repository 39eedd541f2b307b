/** Big-endian integers (network byte order, RFC 791 appendix B) and comparison of bytes. */

export function writeU16(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 8
  out[at + 1] = value
  return at + 2
}

export const readU16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number)

export function writeU32(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
  return at + 4
}

export const readU32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0

const TWO_32 = 0x1_0000_0000

/**
 * The bits of a number above the lowest 32: numbers up to 2^53 do not fit JavaScript's 32-bit
 * shifts.
 */
export const highBits = (value: number): number => Math.floor(value / TWO_32)
/**
 * The inverse of `highBits(value)` and `value >>> 0`. A product would be a floating-point number to
 * V8 wherever it goes: small ones stay integers.
 */
export const fromHalves = (high: number, low: number): number => (high === 0 ? low : high * TWO_32 + low)

/** @param value at most 2^53 − 1 */
export const writeU64 = (out: Uint8Array, at: number, value: number): number =>
  writeU32(out, writeU32(out, at, highBits(value)), value >>> 0)

/** Inexact above 2^53 − 1. */
export const readU64 = (bytes: Uint8Array, at: number): number => fromHalves(readU32(bytes, at), readU32(bytes, at + 4))

/** Two digits for each byte. */
export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Not in constant time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

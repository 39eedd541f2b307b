/**
 * Base64url without padding (RFC 4648 §5), canonical only: a text whose unused last bits are not
 * zero is a second encoding of the same bytes and is refused. One value has one text.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0))
/** Value of each ASCII character code; 64 where the character is not in the alphabet, as beyond them. */
const VALUES = new Uint8Array(128).fill(64)
for (const [value, code] of CODES.entries()) VALUES[code] = value

const code = (sextet: number): number => CODES[sextet & 63] as number

/** Bytes per call of `String.fromCharCode`: far below every engine's limit on arguments. */
const CHUNK = 3 * 512

export function toBase64url(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return encodeChunk(bytes, 0, bytes.length)
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK) text += encodeChunk(bytes, at, Math.min(at + CHUNK, bytes.length))
  return text
}

/** Reused arrays of character codes for the two lengths of ids, which every datagram contains. */
const SCRATCH = new Map([43, 22].map((length) => [length, new Array<number>(length).fill(0)]))

/** Text of `bytes[from, to)`. */
export function encodeChunk(bytes: Uint8Array, from: number, to: number): string {
  const length = Math.ceil(((to - from) * 4) / 3)
  const codes = SCRATCH.get(length) ?? new Array<number>(length).fill(0)
  let at = from
  let out = 0
  for (; at + 2 < to; at += 3) {
    const word = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
    codes[out++] = code(word >> 18)
    codes[out++] = code(word >> 12)
    codes[out++] = code(word >> 6)
    codes[out++] = code(word)
  }
  if (to - at === 1) {
    const word = (bytes[at] as number) << 4
    codes[out++] = code(word >> 6)
    codes[out] = code(word)
  } else if (to - at === 2) {
    const word = ((bytes[at] as number) << 10) | ((bytes[at + 1] as number) << 2)
    codes[out++] = code(word >> 12)
    codes[out++] = code(word >> 6)
    codes[out] = code(word)
  }
  return String.fromCharCode.apply(undefined, codes)
}

/** Unused bits of the last character, by the number of bytes modulo 3. */
const UNUSED_BITS = [0, 15, 3]

/**
 * Whether `fromBase64url` would give this many bytes. Allocates nothing: it runs for every id of
 * every message.
 */
export function isBase64urlOf(text: string, bytes: number): boolean {
  const { length } = text
  if (length !== Math.ceil((bytes * 4) / 3)) return false
  let bits = 0
  let last = 0
  for (let at = 0; at < length; at++) {
    last = VALUES[text.charCodeAt(at)] ?? 64
    bits |= last
  }
  return bits <= 63 && (last & (UNUSED_BITS[bytes % 3] as number)) === 0
}

/** The bytes, or undefined when the text is not canonical base64url. */
export function fromBase64url(text: string): Uint8Array | undefined {
  const tail = text.length % 4
  if (tail === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let out = 0
  let at = 0
  for (; at + 3 < text.length; at += 4) {
    const a = VALUES[text.charCodeAt(at)] ?? 64
    const b = VALUES[text.charCodeAt(at + 1)] ?? 64
    const c = VALUES[text.charCodeAt(at + 2)] ?? 64
    const d = VALUES[text.charCodeAt(at + 3)] ?? 64
    if ((a | b | c | d) > 63) return undefined
    bytes[out++] = (a << 2) | (b >> 4)
    bytes[out++] = (b << 4) | (c >> 2)
    bytes[out++] = (c << 6) | d
  }
  if (tail === 0) return bytes
  const a = VALUES[text.charCodeAt(at)] ?? 64
  const b = VALUES[text.charCodeAt(at + 1)] ?? 64
  const c = tail === 3 ? (VALUES[text.charCodeAt(at + 2)] ?? 64) : 0
  if ((a | b | c) > 63) return undefined
  if (tail === 2 ? (b & 15) !== 0 : (c & 3) !== 0) return undefined
  bytes[out++] = (a << 2) | (b >> 4)
  if (tail === 3) bytes[out] = (b << 4) | (c >> 2)
  return bytes
}

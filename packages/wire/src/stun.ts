/**
 * STUN for address and NAT behaviour discovery: Binding requests and responses (RFC 8489 §5, §14;
 * RFC 5780 §7), and those of RFC 3489, which have no magic cookie.
 *
 *    0               2               4                               8                 20
 *   +---------------+---------------+-------------------------------+------- … --------+-- … --
 *   | type          | length        | magic cookie 0x2112A442       | transaction id   | attributes
 *   +---------------+---------------+-------------------------------+------- … --------+-- … --
 *
 * MESSAGE-INTEGRITY is skipped, since credentials are not used; FINGERPRINT is checked.
 */

import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from './bytes.ts'
import { crc32 } from './crc32.ts'
import type { Endpoint } from './endpoint.ts'
import { ShowchainError } from './errors.ts'
import { quote } from './foreign.ts'
import { formatIp, IPV4_BYTES, IPV6_BYTES, isMapped, parseIp } from './ip.ts'
import { MAX_DATAGRAM } from './limits.ts'
import { fromUtf8, utf8 } from './utf8.ts'

/** In the header since RFC 5389 (RFC 8489 §5). */
export const STUN_MAGIC_COOKIE = 0x2112_a442
/** Bytes of the header (RFC 8489 §5). */
export const STUN_HEADER_BYTES = 20
/** Largest first byte of a Binding message (RFC 8489 §5). */
export const MAX_STUN_BYTE = 0x03
/** XORed with the CRC-32 of FINGERPRINT (RFC 8489 §14.7). */
const FINGERPRINT_XOR = 0x5354_554e

/** Message types: the method Binding (0x001) with its class (RFC 8489 §5). */
export const STUN_TYPE = {
  bindingRequest: 0x0001,
  bindingIndication: 0x0011,
  bindingSuccess: 0x0101,
  bindingError: 0x0111,
} as const
/** Types of STUN messages that are read and written. */
export type StunType = keyof typeof STUN_TYPE
const TYPE_NAMES = new Map<number, StunType>(
  Object.entries(STUN_TYPE).map(([name, value]) => [value, name as StunType]),
)

/**
 * Attribute types (RFC 8489 §18.3, RFC 5780 §9.1; SOURCE-ADDRESS and CHANGED-ADDRESS are RFC 3489
 * §11.2's).
 */
export const STUN_ATTRIBUTE = {
  mappedAddress: 0x0001,
  changeRequest: 0x0003,
  sourceAddress: 0x0004,
  changedAddress: 0x0005,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  messageIntegritySha256: 0x001c,
  userhash: 0x001e,
  xorMappedAddress: 0x0020,
  padding: 0x0026,
  responsePort: 0x0027,
  fingerprint: 0x8028,
  responseOrigin: 0x802b,
  otherAddress: 0x802c,
  /** Ours, and of no registry: from a range that others skip (docs/protocol.md, STUN). */
  clock: 0xc5c1,
} as const

/** Attributes below this are comprehension-required (RFC 8489 §14). */
const FIRST_OPTIONAL = 0x8000

/** Attributes that are read, or skipped without an error, as credentials are. */
const UNDERSTOOD: ReadonlySet<number> = new Set(Object.values(STUN_ATTRIBUTE))

/** A STUN message, with the attributes that NAT discovery uses (RFC 8489, RFC 5780). */
export interface StunMessage {
  readonly type: StunType
  /** 12 bytes; 16 in a message of RFC 3489, which has no magic cookie. */
  readonly transactionId: Uint8Array
  /** XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS: the source address that the server saw. */
  readonly mapped?: Endpoint | undefined
  /** CHANGE-REQUEST: respond from another address or port. */
  readonly change?: { readonly ip: boolean; readonly port: boolean } | undefined
  /** RESPONSE-ORIGIN or SOURCE-ADDRESS: the address that the response was sent from. */
  readonly origin?: Endpoint | undefined
  /** OTHER-ADDRESS or CHANGED-ADDRESS: the server's other address and port. */
  readonly other?: Endpoint | undefined
  /** RESPONSE-PORT: the port to respond to, instead of the source port. */
  readonly responsePort?: number | undefined
  /** PADDING: its length. */
  readonly padding?: number | undefined
  /** CLOCK: the responder's, in Unix milliseconds; a request asks for it by 0. */
  readonly clock?: number | undefined
  readonly error?: { readonly code: number; readonly reason: string } | undefined
  /** UNKNOWN-ATTRIBUTES of a 420. */
  readonly unknown?: readonly number[] | undefined
  /** Comprehension-required attributes that are unknown, in order. `encodeStun` ignores it. */
  readonly notUnderstood?: readonly number[] | undefined
  /** Whether the message ends with FINGERPRINT. */
  readonly fingerprint?: boolean | undefined
}

/** Whether these bytes are STUN, with or without the magic cookie, by first byte and length. */
export function isStun(bytes: Uint8Array): boolean {
  const first = bytes[0]
  if (first === undefined || first > MAX_STUN_BYTE || bytes.length < STUN_HEADER_BYTES) return false
  return readU16(bytes, 2) === bytes.length - STUN_HEADER_BYTES && bytes.length % 4 === 0
}

/** Whether a message is of RFC 3489: the response then has no XOR-MAPPED-ADDRESS. */
export const isClassic = ({ transactionId }: Pick<StunMessage, 'transactionId'>): boolean => transactionId.length === 16

/**
 * Undefined if the bytes are not a Binding message. Of a repeated attribute the first is read (RFC
 * 8489 §14).
 */
export function decodeStun(bytes: Uint8Array): StunMessage | undefined {
  if (!isStun(bytes)) return undefined
  const type = TYPE_NAMES.get(readU16(bytes, 0))
  if (type === undefined) return undefined
  const classic = readU32(bytes, 4) !== STUN_MAGIC_COOKIE
  const message: Writable<StunMessage> = { type, transactionId: bytes.slice(classic ? 4 : 8, STUN_HEADER_BYTES) }
  const notUnderstood: number[] = []
  const seen = new Set<number>()
  let integrity = false
  for (let at = STUN_HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length || message.fingerprint === true) return undefined
    const attribute = readU16(bytes, at)
    const length = readU16(bytes, at + 2)
    const value = bytes.subarray(at + 4, at + 4 + length)
    if (value.length !== length) return undefined
    const start = at
    at += 4 + padded(length)
    if (attribute === STUN_ATTRIBUTE.fingerprint) {
      if (length !== 4 || readU32(value, 0) !== fingerprintOf(bytes.subarray(0, start))) return undefined
      message.fingerprint = true
    } else if (!seen.has(attribute) && !integrity) {
      seen.add(attribute)
      if (UNDERSTOOD.has(attribute)) {
        if (!read(message, attribute, value, bytes)) return undefined
      } else if (attribute < FIRST_OPTIONAL) notUnderstood.push(attribute)
      // RFC 8489 §14.5: what follows the integrity is ignored, except FINGERPRINT and a stronger one.
      integrity = attribute === STUN_ATTRIBUTE.messageIntegritySha256
    }
  }
  if (notUnderstood.length > 0) message.notUnderstood = notUnderstood
  return message
}

/**
 * @param message with a transaction id of 12 bytes for RFC 8489, of 16 bytes for RFC 3489, which has
 *   neither XOR-MAPPED-ADDRESS nor RFC 5780's attributes.
 * @throws ShowchainError `ERR_BAD_MESSAGE`, `ERR_TOO_LARGE`
 */
export function encodeStun(message: StunMessage): Uint8Array {
  const { transactionId } = message
  const classic = isClassic(message)
  if (!classic && transactionId.length !== 12)
    throw new ShowchainError(
      'ERR_BAD_MESSAGE',
      `A STUN transaction id has 12 or 16 bytes, not ${transactionId.length}.`,
    )
  const bytes = new Uint8Array(MAX_DATAGRAM)
  writeU16(bytes, 0, STUN_TYPE[message.type])
  if (!classic) writeU32(bytes, 4, STUN_MAGIC_COOKIE)
  bytes.set(transactionId, classic ? 4 : 8)
  let at = STUN_HEADER_BYTES
  const put = (attribute: number, value: Uint8Array): void => {
    if (at + 4 + padded(value.length) > MAX_DATAGRAM) throw new ShowchainError('ERR_TOO_LARGE', 'It is a STUN message.')
    writeU16(bytes, at, attribute)
    writeU16(bytes, at + 2, value.length)
    bytes.set(value, at + 4)
    at += 4 + padded(value.length)
    writeU16(bytes, 2, at - STUN_HEADER_BYTES)
  }
  const { change, responsePort, padding, clock, error, unknown, mapped, origin, other } = message
  if (change !== undefined) put(STUN_ATTRIBUTE.changeRequest, u32((change.ip ? 4 : 0) | (change.port ? 2 : 0)))
  if (responsePort !== undefined)
    put(STUN_ATTRIBUTE.responsePort, Uint8Array.of(responsePort >> 8, responsePort & 0xff, 0, 0))
  if (padding !== undefined) put(STUN_ATTRIBUTE.padding, new Uint8Array(padding))
  if (clock !== undefined) put(STUN_ATTRIBUTE.clock, u64(clock))
  if (error !== undefined) {
    const reason = utf8(error.reason)
    put(STUN_ATTRIBUTE.errorCode, Uint8Array.of(0, 0, Math.floor(error.code / 100), error.code % 100, ...reason))
  }
  if (unknown !== undefined) {
    // RFC 3489 §11.2.10: a list of odd length repeats its last element, for lack of padding.
    const list = classic && unknown.length % 2 === 1 ? [...unknown, unknown.at(-1) as number] : unknown
    put(STUN_ATTRIBUTE.unknownAttributes, Uint8Array.from(list.flatMap((each) => [each >> 8, each & 0xff])))
  }
  if (mapped !== undefined) {
    if (classic) put(STUN_ATTRIBUTE.mappedAddress, address(mapped))
    else put(STUN_ATTRIBUTE.xorMappedAddress, xor(address(mapped), bytes))
  }
  if (origin !== undefined) put(classic ? STUN_ATTRIBUTE.sourceAddress : STUN_ATTRIBUTE.responseOrigin, address(origin))
  if (other !== undefined) put(classic ? STUN_ATTRIBUTE.changedAddress : STUN_ATTRIBUTE.otherAddress, address(other))
  if (message.fingerprint === true) {
    writeU16(bytes, 2, at - STUN_HEADER_BYTES + 8)
    put(STUN_ATTRIBUTE.fingerprint, u32(fingerprintOf(bytes.subarray(0, at))))
  }
  return bytes.slice(0, at)
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

const padded = (length: number): number => (length + 3) & ~3

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  writeU32(bytes, 0, value)
  return bytes
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeU64(bytes, 0, value)
  return bytes
}

/** Reads an attribute into the message. False for a bad value. */
function read(message: Writable<StunMessage>, attribute: number, value: Uint8Array, whole: Uint8Array): boolean {
  switch (attribute) {
    case STUN_ATTRIBUTE.xorMappedAddress:
      message.mapped = readAddress(xor(value, whole))
      return message.mapped !== undefined
    case STUN_ATTRIBUTE.mappedAddress: {
      const mapped = readAddress(value)
      message.mapped ??= mapped
      return mapped !== undefined
    }
    case STUN_ATTRIBUTE.sourceAddress:
    case STUN_ATTRIBUTE.responseOrigin:
      message.origin = readAddress(value)
      return message.origin !== undefined
    case STUN_ATTRIBUTE.changedAddress:
    case STUN_ATTRIBUTE.otherAddress:
      message.other = readAddress(value)
      return message.other !== undefined
    case STUN_ATTRIBUTE.changeRequest: {
      if (value.length !== 4) return false
      const flags = readU32(value, 0)
      message.change = { ip: (flags & 4) !== 0, port: (flags & 2) !== 0 }
      return true
    }
    case STUN_ATTRIBUTE.responsePort:
      if (value.length !== 4 && value.length !== 2) return false
      message.responsePort = readU16(value, 0)
      return message.responsePort !== 0
    case STUN_ATTRIBUTE.padding:
      message.padding = value.length
      return true
    case STUN_ATTRIBUTE.clock:
      message.clock = value.length === 8 ? readU64(value, 0) : undefined
      return message.clock !== undefined
    case STUN_ATTRIBUTE.errorCode: {
      const reason = value.length < 4 ? undefined : fromUtf8(value.subarray(4))
      if (reason === undefined) return false
      message.error = { code: ((value[2] as number) & 7) * 100 + (value[3] as number), reason }
      return true
    }
    case STUN_ATTRIBUTE.unknownAttributes:
      if (value.length % 2 !== 0) return false
      message.unknown = Array.from({ length: value.length / 2 }, (_, index) => readU16(value, index * 2))
      return true
    default:
      return true
  }
}

/** A family byte, the port, the address (RFC 8489 §14.1). */
function readAddress(value: Uint8Array): Endpoint | undefined {
  const length = value[1] === 1 ? IPV4_BYTES : value[1] === 2 ? IPV6_BYTES : 0
  const port = value.length < 4 ? 0 : readU16(value, 2)
  if (length === 0 || value.length !== 4 + length || port === 0) return undefined
  if (length === IPV6_BYTES && isMapped(value, 4)) return undefined
  return { ip: formatIp(value, 4, length), port }
}

function address({ ip, port }: Endpoint): Uint8Array {
  const bytes = parseIp(ip)
  if (bytes === undefined) throw new ShowchainError('ERR_BAD_MESSAGE', `${quote(ip)} is not an IP address.`)
  return Uint8Array.of(0, bytes.length === IPV4_BYTES ? 1 : 2, port >> 8, port & 0xff, ...bytes)
}

/** RFC 8489 §14.2: XORs the port with half of the cookie, the address with cookie and transaction id. */
function xor(value: Uint8Array, header: Uint8Array): Uint8Array {
  return value.map((byte, index) => (index < 2 ? byte : byte ^ (header[index < 4 ? 2 + index : index] as number)))
}

/**
 * The value of FINGERPRINT (RFC 8489 §14.7): CRC-32 of the bytes before it, XORed. Their length field must include FINGERPRINT.
 */
const fingerprintOf = (covered: Uint8Array): number => (crc32(covered) ^ FINGERPRINT_XOR) >>> 0

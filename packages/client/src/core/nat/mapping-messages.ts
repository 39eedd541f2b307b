/**
 * What a host and its router say to each other to map a UDP port over IPv4: MAP of PCP (RFC 6887
 * §7, §11), and NAT-PMP (RFC 6886 §3). Bytes to values and back; what is malformed is undefined.
 */
import { equalBytes, parseIp } from '@showchain/wire'

/** The port of both protocols (RFC 6887 §19.1). */
export const MAPPING_PORT = 5351
/** Bytes of a nonce (RFC 6887 §11.1). */
export const MAPPING_NONCE_BYTES = 12

const PCP_VERSION = 2
const NAT_PMP_VERSION = 0
/** Of PCP, and of NAT-PMP for UDP. */
const MAP = 1
/** NAT-PMP: what the outside address is. */
const ADDRESS = 0
/** In an answer beside the op code. */
const ANSWER = 0x80
/** Header and MAP without options. */
const PCP_BYTES = 60
/** RFC 6887 §7. */
const MAX_PCP_BYTES = 1100
const NAT_PMP_ADDRESS_BYTES = 12
const NAT_PMP_MAP_BYTES = 16
/** A version that is not known is answered with no more. */
const NAT_PMP_REFUSAL_BYTES = 4
/** IANA's number of the protocol. */
const UDP = 17
const SUCCESS = 0
/** Of both protocols: the version is not known. */
const UNSUPPORTED_VERSION = 1

/** Which protocol maps the port. */
export type MappingProtocol = 'PCP' | 'NAT-PMP' | 'UPnP'

/** What a host wants of its router. */
export interface MappingRequest {
  /** Of the host, on the network of the router. */
  readonly local: string
  readonly nonce: Uint8Array
  readonly internalPort: number
  /** What it has, or would like: nothing is promised. Port 0: none. */
  readonly suggested: { readonly ip: string | undefined; readonly port: number }
  /** Seconds; 0 ends the mapping. */
  readonly lifetime: number
}

/** What a router answers, as far as it answers `request`. */
export type MappingAnswer =
  | { readonly type: 'mapped'; readonly port: number; readonly lifetime: number; readonly ip?: string | undefined }
  /** NAT-PMP says it in an answer of its own. */
  | { readonly type: 'address'; readonly ip: string }
  | { readonly type: 'refused'; readonly code: number }
  /** It does not know PCP. */
  | { readonly type: 'otherVersion' }

export function encodePcp({ local, nonce, internalPort, suggested, lifetime }: MappingRequest): Uint8Array {
  const bytes = new Uint8Array(PCP_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = PCP_VERSION
  bytes[1] = MAP
  view.setUint32(4, lifetime)
  writeMapped(bytes, 8, local)
  bytes.set(nonce, 24)
  bytes[36] = UDP
  view.setUint16(40, internalPort)
  view.setUint16(42, suggested.port)
  writeMapped(bytes, 44, suggested.ip ?? '0.0.0.0')
  return bytes
}

/** An answer from the router to a MAP of PCP; undefined: it is none to this one. */
export function readPcp(bytes: Uint8Array, { nonce, internalPort }: MappingRequest): MappingAnswer | undefined {
  if (bytes[0] === NAT_PMP_VERSION) return readRefusedVersion(bytes)
  if (bytes.length < PCP_BYTES || bytes.length > MAX_PCP_BYTES || bytes.length % 4 !== 0) return undefined
  const view = viewOf(bytes)
  const asked = bytes[1] === (ANSWER | MAP) && bytes[36] === UDP && view.getUint16(40) === internalPort
  if (!asked || !equalBytes(bytes.subarray(24, 24 + MAPPING_NONCE_BYTES), nonce)) return undefined
  const code = bytes[3] as number
  if (code === UNSUPPORTED_VERSION) return { type: 'otherVersion' }
  if (bytes[0] !== PCP_VERSION) return undefined
  if (code !== SUCCESS) return { type: 'refused', code }
  const ip = readMapped(bytes, 44)
  return ip === undefined ? undefined : { type: 'mapped', ip, port: view.getUint16(42), lifetime: view.getUint32(4) }
}

/** RFC 6886 §3.5: a server of NAT-PMP alone answers so to any other version. */
function readRefusedVersion(bytes: Uint8Array): MappingAnswer | undefined {
  if (bytes.length < NAT_PMP_REFUSAL_BYTES || viewOf(bytes).getUint16(2) !== UNSUPPORTED_VERSION) return undefined
  return { type: 'otherVersion' }
}

/** Asks for the outside address. */
export const encodeNatPmpAddress = (): Uint8Array => Uint8Array.of(NAT_PMP_VERSION, ADDRESS)

export function encodeNatPmp({ internalPort, suggested, lifetime }: MappingRequest): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = viewOf(bytes)
  bytes[1] = MAP
  view.setUint16(4, internalPort)
  view.setUint16(6, suggested.port)
  view.setUint32(8, lifetime)
  return bytes
}

/** An answer from the router to one of NAT-PMP; undefined: it is none to these. */
export function readNatPmp(bytes: Uint8Array, { internalPort }: MappingRequest): MappingAnswer | undefined {
  const [version, operation] = bytes
  if (version !== NAT_PMP_VERSION || bytes.length < NAT_PMP_ADDRESS_BYTES) return undefined
  if (operation !== (ANSWER | ADDRESS) && operation !== (ANSWER | MAP)) return undefined
  const view = viewOf(bytes)
  const code = view.getUint16(2)
  if (operation === (ANSWER | ADDRESS))
    return code === SUCCESS ? { type: 'address', ip: bytes.subarray(8, 12).join('.') } : { type: 'refused', code }
  if (bytes.length < NAT_PMP_MAP_BYTES || view.getUint16(8) !== internalPort) return undefined
  if (code !== SUCCESS) return { type: 'refused', code }
  return { type: 'mapped', port: view.getUint16(10), lifetime: view.getUint32(12) }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** As an IPv4-mapped address (RFC 4291 §2.5.5.2). */
function writeMapped(out: Uint8Array, at: number, ip: string): void {
  out[at + 10] = 0xff
  out[at + 11] = 0xff
  out.set(parseIp(ip) ?? [], at + 12)
}

/** Undefined for what is not IPv4. */
function readMapped(bytes: Uint8Array, at: number): string | undefined {
  const prefix = bytes.subarray(at, at + 12)
  const mapped = prefix.every((byte, index) => byte === (index < 10 ? 0 : 0xff))
  return mapped ? bytes.subarray(at + 12, at + 16).join('.') : undefined
}

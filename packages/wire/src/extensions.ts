/**
 * The table of extension fields: `u8 type, u16 length, value` after the row of a binary message,
 * members of a JSON message (docs/protocol.md, Extension fields).
 *
 * A type that the table does not list for a message is unknown there: it is kept as bytes, covered
 * by the signature, forwarded, and otherwise ignored.
 */
import * as z from 'zod'
import { readU32, writeU32 } from './bytes.ts'
import { type Endpoint, endpointSchema, formatEndpoint } from './endpoint.ts'
import { ipKind, portKind, showBytes } from './kinds.ts'
import {
  KX_BYTES,
  MAX_COOKIE_BYTES,
  MAX_DATAGRAM,
  MAX_FURTHER_ADDRESSES,
  MAX_HELLO_BYTES,
  MAX_KEY_BYTES,
  MAX_LOCAL_CANDIDATES,
  MAX_TOKEN_BYTES,
  MIN_HELLO_BYTES,
} from './limits.ts'

/**
 * RFC 4787 behaviour in the `nat` extension: 0 unknown, 1 endpoint-independent, 2
 * address-dependent,
 * 3 address- and port-dependent.
 */
export const natBehaviourSchema = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)])
export const natSchema = z.strictObject({ mapping: natBehaviourSchema, filtering: natBehaviourSchema }).readonly()
/** A NAT's behaviour as the `nat` field has it (RFC 4787 §4.1, §5). */
export type Nat = z.infer<typeof natSchema>
/**
 * Mapping or filtering behaviour (RFC 4787): endpoint-independent, address-dependent, or address- and
 * port-dependent.
 */
export type NatBehaviour = Nat['mapping']

/** How the value of an extension is encoded, without type and length. */
export interface ExtensionKind<Value> {
  readonly schema: z.ZodType<Value>
  /** Bytes of the value, or −1 if it is not of this kind. */
  measure(value: Value): number
  write(out: Uint8Array, at: number, value: Value): void
  /** The value of `bytes[at, end)`, or undefined if it is not canonical. */
  read(bytes: Uint8Array, at: number, end: number): Value | undefined
  /** As part of a log line. */
  show(value: Value): string
}

const opaque = (min: number, max: number): ExtensionKind<Uint8Array> => ({
  schema: z
    .instanceof(Uint8Array)
    .refine((bytes) => bytes.length >= min && bytes.length <= max, `not ${min}–${max} bytes`),
  measure: (value) => (value instanceof Uint8Array && value.length >= min && value.length <= max ? value.length : -1),
  write: (out, at, value) => out.set(value, at),
  read: (bytes, at, end) => (end - at >= min && end - at <= max ? bytes.subarray(at, end) : undefined),
  show: showBytes,
})

const MAX_U32 = 0xffff_ffff
const capsKind: ExtensionKind<number> = {
  schema: z.number().int().min(0).max(MAX_U32),
  measure: (value) => (Number.isInteger(value) && value >= 0 && value <= MAX_U32 ? 4 : -1),
  write: (out, at, value) => void writeU32(out, at, value),
  read: (bytes, at, end) => (end - at === 4 ? readU32(bytes, at) : undefined),
  show: String,
}

const isNatBehaviour = (value: number | undefined): value is NatBehaviour =>
  value !== undefined && Number.isInteger(value) && value >= 0 && value <= 3
const natKind: ExtensionKind<Nat> = {
  schema: natSchema,
  measure: (value) => (isNatBehaviour(value?.mapping) && isNatBehaviour(value.filtering) ? 2 : -1),
  write: (out, at, value) => {
    out[at] = value.mapping
    out[at + 1] = value.filtering
  },
  read: (bytes, at, end) => {
    const mapping = bytes[at]
    const filtering = bytes[at + 1]
    return end - at === 2 && isNatBehaviour(mapping) && isNatBehaviour(filtering) ? { mapping, filtering } : undefined
  },
  show: ({ mapping, filtering }) => `${mapping}/${filtering}`,
}

const endpoints = (max: number): ExtensionKind<readonly Endpoint[]> => ({
  schema: z.array(endpointSchema).min(1).max(max).readonly(),
  measure: (value) => {
    if (!Array.isArray(value) || value.length < 1 || value.length > max) return -1
    let total = 0
    for (const endpoint of value as readonly Endpoint[]) {
      const ipBytes = ipKind.measure(endpoint?.ip)
      if (ipBytes === -1 || portKind.measure(endpoint.port) === -1) return -1
      total += ipBytes + 2
    }
    return total
  },
  write: (out, at, value) => {
    let next = at
    for (const { ip, port } of value) next = portKind.write(out, ipKind.write(out, next, ip), port)
  },
  read: (bytes, at, end) => {
    const list: Endpoint[] = []
    const view = bytes.subarray(0, end)
    for (let next = at; next < end; ) {
      const ipEnd = ipKind.end(view, next)
      const portEnd = ipEnd === -1 ? -1 : portKind.end(view, ipEnd)
      if (portEnd === -1 || list.length === max) return undefined
      list.push({ ip: ipKind.read(view, next, ipEnd), port: portKind.read(view, ipEnd, portEnd) })
      next = portEnd
    }
    return list.length === 0 ? undefined : list
  },
  show: (value) => value.map(formatEndpoint).join(','),
})

/** So many zeros: the value is their number. */
const zeros = (max: number): ExtensionKind<number> => ({
  schema: z.number().int().min(0).max(max),
  measure: (value) => (Number.isInteger(value) && value >= 0 && value <= max ? value : -1),
  write: (out, at, value) => void out.fill(0, at, at + value),
  read: (bytes, at, end) =>
    end - at <= max && bytes.subarray(at, end).every((byte) => byte === 0) ? end - at : undefined,
  show: (value) => `${value}B`,
})

const localKind = endpoints(MAX_LOCAL_CANDIDATES)
const oneEndpoint = endpoints(1)
const observedKind: ExtensionKind<Endpoint> = {
  schema: endpointSchema,
  measure: (value) => oneEndpoint.measure([value]),
  write: (out, at, value) => oneEndpoint.write(out, at, [value]),
  read: (bytes, at, end) => oneEndpoint.read(bytes, at, end)?.[0],
  show: formatEndpoint,
}

interface ExtensionRow<Value> {
  readonly type: number
  readonly kind: ExtensionKind<Value>
  /** For the reference page. */
  readonly value: string
  /** Op codes of the messages that may carry it. */
  readonly in: readonly number[]
  /** Whether the signature covers it. */
  readonly signed: boolean
  readonly meaning: string
}

const row = <Value>(spec: ExtensionRow<Value>): ExtensionRow<Value> => spec

/** In ascending order of type, as on the wire. */
export const EXTENSIONS = {
  key: row({
    type: 1,
    kind: opaque(1, MAX_KEY_BYTES),
    value: 'SPKI DER',
    signed: false,
    in: [0x101, 0x102, 0x111, 0x112, 0x113, 0x114, 0x115, 0x121, 0x122],
    meaning:
      "sender's key, on first contact. A relay adds the original sender's key to 0x112 and 0x115 when it has it. 0x102 carries it iff 0x101 did",
  }),
  cookie: row({
    type: 2,
    kind: opaque(1, MAX_COOKIE_BYTES),
    value: `1–${MAX_COOKIE_BYTES} bytes`,
    signed: true,
    in: [0x101, 0x111, 0x112, 0x121],
    meaning: 'the value of a challenge, echoed. Only 0x101 is ever challenged',
  }),
  caps: row({
    type: 3,
    kind: capsKind,
    value: 'u32 bit set',
    signed: true,
    in: [0x101, 0x102, 0x111, 0x112, 0x114, 0x115, 0x121, 0x122],
    meaning: 'what the sender can do: see Capabilities',
  }),
  nat: row({
    type: 4,
    kind: natKind,
    value: 'u8 mapping, u8 filtering (0 unknown, 1 EI, 2 AD, 3 APD)',
    signed: true,
    in: [0x101, 0x111, 0x112, 0x114, 0x115],
    meaning: "sender's NAT behaviour (RFC 4787)",
  }),
  local: row({
    type: 5,
    kind: localKind,
    value: `1–${MAX_LOCAL_CANDIDATES} × (ip, port)`,
    signed: false,
    in: [0x101, 0x111, 0x112, 0x113, 0x114, 0x115],
    meaning:
      'host candidates. A relay passes them on only between peers that share a public address; a candidate counts only after 0x101/0x102 there',
  }),
  kx: row({
    type: 6,
    kind: opaque(KX_BYTES, KX_BYTES),
    value: `${KX_BYTES} bytes`,
    signed: true,
    in: [0x101, 0x102, 0x111, 0x112, 0x114, 0x115, 0x121, 0x122],
    meaning: 'reserved: never sent',
  }),
  observed: row({
    type: 7,
    kind: observedKind,
    value: 'ip, port',
    signed: true,
    in: [0x102],
    meaning: 'the source address that the responder saw',
  }),
  hello: row({
    type: 8,
    kind: opaque(MIN_HELLO_BYTES, MAX_HELLO_BYTES),
    value: `${MIN_HELLO_BYTES}–${MAX_HELLO_BYTES} bytes`,
    signed: true,
    in: [0x101, 0x102, 0x111, 0x112, 0x114, 0x115],
    meaning: 'key exchange of the two identities that sign: see Hello',
  }),
  token: row({
    type: 9,
    kind: opaque(1, MAX_TOKEN_BYTES),
    value: `1–${MAX_TOKEN_BYTES} bytes`,
    signed: true,
    in: [0x101, 0x102],
    meaning: 'opaque: 0x102 gives one, a later 0x101 shows it: see Tokens',
  }),
  also: row({
    type: 10,
    kind: endpoints(MAX_FURTHER_ADDRESSES),
    value: `1–${MAX_FURTHER_ADDRESSES} × (ip, port)`,
    signed: true,
    in: [0x111, 0x112, 0x114, 0x115],
    meaning: 'further addresses of the sender, as it knows them: see Both IP families',
  }),
  pad: row({
    type: 11,
    kind: zeros(MAX_DATAGRAM),
    value: 'zeros',
    signed: true,
    in: [0x101],
    meaning: 'makes a 0x101 as long as its answer may be: see Hello, Tokens',
  }),
}

/** Names of the extension fields. */
export type ExtensionName = keyof typeof EXTENSIONS
type ValueOf<Name extends ExtensionName> = z.infer<(typeof EXTENSIONS)[Name]['kind']['schema']>

/** A field of a type that is unknown, or unknown in this message. */
export interface UnknownExtension {
  /** 0–255. */
  readonly type: number
  readonly value: Uint8Array
}

/** Extension fields of a message, by name, and those of unknown types. */
export type Extensions = { readonly [Name in ExtensionName]?: ValueOf<Name> | undefined } & {
  /** In ascending order of type. */
  readonly unknown?: readonly UnknownExtension[] | undefined
}

/** Masks of the `caps` extension (docs/protocol.md, Capabilities). */
export const CAPS = {
  /** Reserved, and never sent: end-to-end protection is not negotiated. */
  encryption: 1,
  /** A relay: channel frames, in its 0x102. */
  channel: 2,
  /** Signed data (0x123) sent straight to the other end of a validated direct path. */
  directData: 4,
  /** A relay, in its 0x102: it is about to end, and takes no new attempts and sessions. */
  draining: 8,
  /** A relay, in its 0x102: the session of an introduction carries data like any other. */
  introduced: 16,
  /** A relay, in its 0x102: its other addresses are nodes of the same fleet. */
  fleet: 32,
  /** A peer that reaches its relays by WebSocket alone: nobody need look for it over UDP. */
  withoutUdp: 64,
} as const

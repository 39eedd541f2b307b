/**
 * The table of extension fields: `u8 type, u16 length, value` after the row of a binary message,
 * members of a JSON message (docs/protocol.md, Extension fields).
 *
 * A type that the table does not list for a message is unknown there: it is kept as bytes, covered
 * by the signature, forwarded, and otherwise ignored.
 */
import type * as z from 'zod/mini'
import {
  capsKind,
  type ExtensionKind,
  endpoints,
  modulusKind,
  natKind,
  observedKind,
  opaque,
  zeros,
} from './extension-kinds.ts'
import {
  KX_BYTES,
  MAX_COOKIE_BYTES,
  MAX_DATAGRAM,
  MAX_FURTHER_ADDRESSES,
  MAX_HELLO_BYTES,
  MAX_KEY_BYTES,
  MAX_LOCAL_CANDIDATES,
  MAX_PERMIT_BYTES,
  MAX_TOKEN_BYTES,
  MIN_HELLO_BYTES,
} from './limits.ts'

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
      "sender's key, on first contact. A relay adds the original sender's key to 0x112 and 0x115 when it has it. 0x102 carries it iff 0x101 had it, or `modulus`",
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
    kind: endpoints(MAX_LOCAL_CANDIDATES),
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
    meaning: 'further addresses of the sender, as it knows them: see Both IP families, and Port mapping',
  }),
  pad: row({
    type: 11,
    kind: zeros(MAX_DATAGRAM),
    value: 'zeros',
    signed: true,
    in: [0x101],
    meaning: 'makes a 0x101 as long as its answer may be: see Hello, Tokens',
  }),
  permit: row({
    type: 12,
    kind: opaque(1, MAX_PERMIT_BYTES),
    value: `1–${MAX_PERMIT_BYTES} bytes`,
    signed: true,
    in: [0x101],
    meaning: 'opaque: what the operator of a relay gave its sender, to be let in: see Permits',
  }),
  modulus: row({
    type: 13,
    kind: modulusKind,
    value: 'the modulus of an RSA key',
    signed: false,
    in: [0x101],
    meaning: "sender's key in place of `key`, where that has no room beside `permit`",
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
  /** A peer, in 0x111 and 0x114: its address is not passed on. */
  concealed: 128,
  /** A relay, in its 0x102: it passes on no address of a peer that is `concealed`. */
  conceals: 256,
} as const

/** Whether these extension fields say that their sender's address is not passed on. */
export const isConcealed = (ext: Extensions | undefined): boolean => ((ext?.caps ?? 0) & CAPS.concealed) !== 0

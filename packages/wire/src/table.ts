/**
 * The message table: one row defines one message. Schemas, types, both codecs, signature preimages,
 * `describe` and the reference pages are derived from it; a new message is a new row.
 *
 * Fields and their order are the seed's (sections 1–5); rows at 0x1E0–0x1FF are extensions.
 */
import {
  codeKind,
  cookieKind,
  counterKind,
  dataKind,
  ipKind,
  type Kind,
  opKind,
  peerIdKind,
  portKind,
  sessionIdKind,
  signKind,
} from './kinds.ts'

/** A field has the same kind in every message. */
export const FIELDS = {
  id: peerIdKind,
  target: peerIdKind,
  session: sessionIdKind,
  seq: counterKind,
  ts: counterKind,
  ip: ipKind,
  port: portKind,
  code: codeKind,
  ref_op: opKind,
  cookie: cookieKind,
  data: dataKind,
  sign: signKind,
} as const

/** Names of the fields of messages. */
export type FieldName = keyof typeof FIELDS
/** Elements of signature lists; each list begins with `op_code`, which is left out here. */
export type SignedElement = 'target' | 'id' | 'session' | 'seq' | 'ts'

/** One row of the message table. */
export interface MessageRow {
  /** The op code on the wire. */
  readonly op: number
  readonly name: string
  /** The seed's section, or `ext`. */
  readonly section: 1 | 2 | 3 | 4 | 5 | 'ext'
  /** In the order of the binary form. */
  readonly fields: readonly FieldName[]
  /**
   * The fields that `sign` covers after the op code, in order. Absent: the message is not signed.
   */
  readonly signature?: readonly SignedElement[]
  /** The op code in the preimage, if the signature is that of another message, forwarded. */
  readonly signedAs?: number
  /** Fields that the seed fixes to 0. */
  readonly zero?: readonly FieldName[]
  /** `id` and `target` must differ. */
  readonly distinct?: true
  /** Who sends it to whom. */
  readonly route: string
  readonly meaning: string
}

const row = <const Row extends MessageRow>(spec: Row): Row => spec

/** The message table: everything about the seed's messages, each once (docs/protocol.md, Messages). */
export const MESSAGES = [
  row({
    op: 0x100,
    name: 'keepAlive',
    section: 1,
    fields: ['id', 'seq', 'ts'],
    zero: ['seq', 'ts'],
    route: 'either end of a live connection',
    meaning: 'keeps a path and its NAT mappings open',
  }),
  row({
    op: 0x101,
    name: 'directRequest',
    section: 2,
    fields: ['id', 'target', 'seq', 'ts', 'sign'],
    signature: ['target', 'seq', 'ts'],
    distinct: true,
    route: 'R → any reachable peer',
    meaning: 'direct connect; to a relay it is the registration, after a punch the path check',
  }),
  row({
    op: 0x102,
    name: 'directResponse',
    section: 2,
    fields: ['id', 'seq', 'ts', 'sign'],
    signature: ['id', 'seq', 'ts'],
    route: 'responder → R',
    meaning: 'answers 0x101; id is the responder, seq and ts echo the request',
  }),
  row({
    op: 0x111,
    name: 'punchRequest',
    section: 3,
    fields: ['target', 'id', 'seq', 'ts', 'sign'],
    signature: ['target', 'seq', 'ts'],
    distinct: true,
    route: 'R → P',
    meaning: 'asks the relay to bring R and T together',
  }),
  row({
    op: 0x112,
    name: 'punchPassRequest',
    section: 3,
    fields: ['target', 'id', 'seq', 'ts', 'ip', 'port', 'session', 'sign'],
    signature: ['target', 'seq', 'ts'],
    signedAs: 0x111,
    distinct: true,
    route: 'P → T',
    meaning: "R's request passed on, with R's address as P sees it and the session that names the attempt",
  }),
  row({
    op: 0x113,
    name: 'sameAddressResponse',
    section: 3,
    fields: ['target', 'id', 'seq', 'ts', 'sign'],
    signature: ['target', 'id', 'seq', 'ts'],
    route: 'P → R',
    meaning: 'R and T share a public address: try host candidates first; id is the signer, target is T',
  }),
  row({
    op: 0x114,
    name: 'punchAck',
    section: 3,
    fields: ['id', 'seq', 'ts', 'session', 'sign'],
    signature: ['session', 'seq', 'ts'],
    route: 'T → P',
    meaning: "T's consent; seq and ts echo R's request",
  }),
  row({
    op: 0x115,
    name: 'punchPassAck',
    section: 3,
    fields: ['id', 'seq', 'ts', 'ip', 'port', 'session', 'sign'],
    signature: ['session', 'seq', 'ts'],
    signedAs: 0x114,
    route: 'P → R',
    meaning: "T's consent passed on, with T's address as P sees it",
  }),
  row({
    op: 0x121,
    name: 'proxyRequest',
    section: 4,
    fields: ['target', 'id', 'seq', 'ts', 'sign'],
    signature: ['target', 'seq', 'ts'],
    distinct: true,
    route: 'R → P',
    meaning: 'asks the relay for a proxy session with T',
  }),
  row({
    op: 0x122,
    name: 'proxyResponse',
    section: 4,
    fields: ['session', 'target', 'seq', 'ts', 'sign'],
    signature: ['target', 'session', 'seq', 'ts'],
    route: 'P → R',
    meaning: 'grants the session, also for an absent target',
  }),
  row({
    op: 0x123,
    name: 'proxyData',
    section: 5,
    fields: ['target', 'id', 'data', 'session', 'seq', 'ts', 'sign'],
    signature: ['target', 'session', 'seq', 'ts'],
    distinct: true,
    route: 'either end → P',
    meaning: 'data for the other end of the session',
  }),
  row({
    op: 0x124,
    name: 'proxyPassData',
    section: 5,
    fields: ['target', 'id', 'data', 'session', 'seq', 'ts'],
    distinct: true,
    route: 'P → the other end',
    meaning: 'the data passed on; id is the original sender',
  }),
  row({
    op: 0x125,
    name: 'proxyDataAck',
    section: 5,
    fields: ['session', 'seq', 'ts'],
    route: 'receiver → P → sender',
    meaning: 'the data arrived',
  }),
  row({
    op: 0x1f0,
    name: 'error',
    section: 'ext',
    fields: ['code', 'ref_op', 'seq', 'ts'],
    route: 'P → R',
    meaning: 'why a message was not acted on: see Errors',
  }),
  row({
    op: 0x1f1,
    name: 'challenge',
    section: 'ext',
    fields: ['cookie', 'ref_op', 'seq', 'ts'],
    route: 'responder → R',
    meaning: 'prove that you receive at your address: send the request again with this cookie',
  }),
] as const

type Row = (typeof MESSAGES)[number]
/** Names of the messages. */
export type OpName = Row['name']
/** Op codes on the wire. */
export type OpCode = Row['op']

/** Op codes by name. */
export const OP = Object.fromEntries(MESSAGES.map(({ name, op }) => [name, op])) as {
  readonly [R in Row as R['name']]: R['op']
}

/** A row with the kinds of its fields, looked up once: codecs need them for every field. */
export interface CodecRow extends MessageRow {
  readonly kinds: readonly Kind<unknown>[]
}

const ROWS = new Map<number, CodecRow>(
  MESSAGES.map((row: MessageRow) => [
    row.op,
    { ...row, kinds: row.fields.map((name) => FIELDS[name] as Kind<unknown>) },
  ]),
)

/** The row of an op code, or undefined if there is none. */
export const rowOf = (op: number): CodecRow | undefined => ROWS.get(op)

/** Codes of the error message, 0x1F0. */
export const WIRE_ERROR = {
  /** No binding for the source of a keep-alive: register again. */
  unbound: 1,
  /** No such session for proxied data: request a new one. */
  noSession: 2,
  /** The relay is about to end: register again, its signed answer says so too. */
  draining: 3,
  /** The relay does not serve this peer. */
  refused: 4,
  /** The relay cannot find out whether it serves this peer: ask later. */
  undecided: 5,
  /** An allotment of bytes is used up. */
  overQuota: 6,
  /** The relay serves who shows a permit. */
  permitNeeded: 7,
  /** The permit was made by somebody else, or is damaged. */
  permitUnknown: 8,
  /** The permit was made for another id. */
  permitForAnother: 9,
  /** The time of the permit is over. */
  permitExpired: 10,
  /** The bytes of the permit are used up. */
  permitUsedUp: 11,
} as const

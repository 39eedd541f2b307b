/**
 * Random messages, read off the message table: a row's fields by their names, and any set of
 * extension fields that the row may have, unknown ones included. A new row needs nothing here.
 */
import fc from 'fast-check'
import {
  type Endpoint,
  EXTENSIONS,
  type ExtensionName,
  type Extensions,
  type FieldName,
  KX_BYTES,
  MAX_COOKIE_BYTES,
  MAX_COUNTER,
  MAX_PERMIT_BYTES,
  MAX_TOKEN_BYTES,
  MAX_U16,
  MESSAGES,
  type Message,
  type MessageRow,
  MIN_HELLO_BYTES,
  PEER_ID_BYTES,
  peerIdFromBytes,
  SESSION_ID_BYTES,
  SIGNATURE_BYTES,
  sessionIdFromBytes,
} from '../src/index.ts'
import { formatIp } from '../src/ip.ts'

export const bytes = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength })

/** Both families; addresses with zero runs often, a mapped one never (it is an IPv4 address). */
export const ip: fc.Arbitrary<string> = fc
  .oneof(
    bytes(4),
    bytes(16),
    fc.array(fc.constantFrom(0, 0, 1, 0xff), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
  )
  .filter((value) => !(value.length === 16 && value.subarray(0, 10).every((b) => b === 0) && value[10] === 0xff))
  .map((value) => formatIp(value, 0, value.length))

export const port: fc.Arbitrary<number> = fc.integer({ min: 1, max: MAX_U16 })
export const endpoint: fc.Arbitrary<Endpoint> = fc.record({ ip, port })
const counter = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, MAX_COUNTER))
const u16 = fc.integer({ min: 0, max: MAX_U16 })
const id = bytes(PEER_ID_BYTES).map(peerIdFromBytes)
const cookie = bytes(1, MAX_COOKIE_BYTES)

/** Small enough that a message with any extension fields still fits one datagram in binary. */
const MAX_DATA = 100

const FIELD_VALUES: { readonly [Name in FieldName]: fc.Arbitrary<unknown> } = {
  id,
  target: id,
  session: bytes(SESSION_ID_BYTES).map(sessionIdFromBytes),
  seq: counter,
  ts: counter,
  ip,
  port,
  code: u16,
  ref_op: u16,
  cookie,
  data: bytes(0, MAX_DATA),
  sign: fc.constantFrom(...SIGNATURE_BYTES).chain((length) => bytes(length)),
}

const natBehaviour = fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2, 3)
const EXTENSION_VALUES: { readonly [Name in ExtensionName]: fc.Arbitrary<unknown> } = {
  key: bytes(1, 100),
  cookie,
  caps: fc.integer({ min: 0, max: 0xffff_ffff }),
  nat: fc.record({ mapping: natBehaviour, filtering: natBehaviour }),
  local: fc.array(endpoint, { minLength: 1, maxLength: 4 }),
  kx: bytes(KX_BYTES),
  observed: endpoint,
  hello: bytes(MIN_HELLO_BYTES, 60),
  token: bytes(1, MAX_TOKEN_BYTES),
  also: fc.array(endpoint, { minLength: 1, maxLength: 4 }),
  pad: fc.integer({ min: 0, max: 20 }),
  permit: bytes(1, MAX_PERMIT_BYTES),
  modulus: bytes(255).map((rest) => Uint8Array.of(0x80, ...rest)),
}

const names = Object.keys(EXTENSIONS) as ExtensionName[]

/** Names of the extensions that a row's messages know. */
export const knownTo = (row: MessageRow): readonly ExtensionName[] =>
  names.filter((name) => EXTENSIONS[name].in.includes(row.op))

/** Any extension fields of a row, at least one. */
export function extensionsOf(row: MessageRow): fc.Arbitrary<Extensions> {
  const known = knownTo(row)
  const taken = new Set(known.map((name) => EXTENSIONS[name].type))
  const type = fc.integer({ min: 0, max: 255 }).filter((candidate) => !taken.has(candidate))
  const unknown = fc
    .uniqueArray(fc.record({ type, value: bytes(0, 20) }), { selector: (field) => field.type, maxLength: 3 })
    .map((fields) => fields.toSorted((a, b) => a.type - b.type))
  const record = fc.record(Object.fromEntries(known.map((name) => [name, EXTENSION_VALUES[name]])), {
    requiredKeys: [],
  })
  return fc
    .tuple(record, unknown)
    .map(([fields, rest]): Extensions => (rest.length === 0 ? fields : { ...fields, unknown: rest }))
    .filter((ext) => Object.keys(ext).length > 0)
}

/** Any message of a row, with and without extension fields. */
export function messageOf(row: MessageRow): fc.Arbitrary<Message> {
  const fields = fc.record(
    Object.fromEntries(
      row.fields.map((name) => [name, row.zero?.includes(name) ? fc.constant(0) : FIELD_VALUES[name]]),
    ),
  )
  return fc
    .tuple(fields, fc.option(extensionsOf(row), { nil: undefined }))
    .map(
      ([values, ext]) => ({ op_code: row.op, ...values, ...(ext === undefined ? {} : { ext }) }) as unknown as Message,
    )
    .filter(
      (message) => row.distinct !== true || !('id' in message && 'target' in message) || message.id !== message.target,
    )
}

export const anyRow: fc.Arbitrary<MessageRow> = fc.constantFrom<MessageRow>(...MESSAGES)
export const anyMessage: fc.Arbitrary<Message> = anyRow.chain(messageOf)

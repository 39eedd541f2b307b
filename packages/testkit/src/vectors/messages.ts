/**
 * The golden messages: for each row of the table and each key size, one without extension fields
 * (as
 * in the seed), one of a first contact if the row may carry a key, and one with every other
 * extension
 * field of the row. All values are fixed; RSA PKCS#1 v1.5 has no randomness.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import {
  EXTENSIONS,
  type ExtensionName,
  type Extensions,
  encode,
  MAX_DATAGRAM,
  MESSAGES,
  type Message,
  type MessageRow,
  type PeerId,
  parsePeerId,
  preimage,
  type SignedMessage,
  sessionIdFromBytes,
} from '@showchain/wire'
import type { IdentityVector, MessageVector, Role } from './files.ts'
import { fromHex, toHex } from './hex.ts'
import { plainOf } from './plain.ts'
import { sha256 } from './sha256.ts'

const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf8'))

/** Bytes `from`, `from` + 1, …, so that fields are recognizable in hex. */
const count = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => from + index)

/** A 48-bit number, as sequences begin with; its bytes differ from those of `ts`. */
const SEQ = 0x1234_5678_9abc
/** 2026-01-01T00:00:00.123Z. */
const TS = 1_767_225_600_123
const SESSION = sessionIdFromBytes(count(0xa0, 16))
const COOKIE = count(0xc0, 16)

/**
 * The sender and signer of messages that the requester does not send (docs/protocol.md, Who sends
 * what).
 */
const SENDER: ReadonlyMap<number, Role> = new Map([
  [0x102, 'target'],
  [0x113, 'relay'],
  [0x114, 'target'],
  [0x115, 'target'],
  [0x122, 'relay'],
])
const senderOf = (row: MessageRow): Role => SENDER.get(row.op) ?? 'requester'

/** The values of a row's fields, except `sign`. */
function fieldsOf(row: MessageRow, ids: Readonly<Record<Role, PeerId>>, six: boolean): Record<string, unknown> {
  const values: Record<string, unknown> = {
    id: ids[senderOf(row)],
    target: ids.target,
    session: SESSION,
    seq: row.zero?.includes('seq') ? 0 : SEQ,
    ts: row.zero?.includes('ts') ? 0 : TS,
    ip: six ? '2001:db8::c0:ffee' : '203.0.113.7',
    port: six ? 65535 : 40000,
    code: 1,
    ref_op: 0x101,
    cookie: COOKIE,
    data: utf8('Hello, 世界'),
  }
  return Object.fromEntries(row.fields.filter((name) => name !== 'sign').map((name) => [name, values[name]]))
}

const EXTENSION_VALUES: Required<Omit<Extensions, 'key' | 'modulus' | 'unknown'>> = {
  cookie: COOKIE,
  caps: 0x8000_0005,
  nat: { mapping: 1, filtering: 3 },
  local: [
    { ip: '192.168.1.20', port: 40000 },
    { ip: 'fd00::14', port: 40001 },
  ],
  kx: count(0x40, 32),
  observed: { ip: '203.0.113.7', port: 40000 },
  /** One of kind 1; the file `hello.json` has others. */
  hello: Uint8Array.from([1, 3, ...count(0xb1, 8), ...count(0x60, 32)]),
  token: count(0xd0, 19),
  also: [
    { ip: '198.51.100.9', port: 40002 },
    { ip: '2001:db8::9', port: 40003 },
  ],
  pad: 7,
  permit: count(0xe0, 45),
}
/** A type that is not in the table. */
const TOMORROW = { type: 200, value: utf8('tomorrow') }
/** Of the exponent, behind the modulus in an encoded key. */
const EXPONENT_BYTES = 5
const KEY_TYPE = EXTENSIONS.key.type

interface Variant {
  readonly name: string
  readonly what: string
  readonly ext?: Extensions
  readonly fields?: Readonly<Record<string, unknown>>
  readonly six?: true
}

/** Bytes of 0x123 besides data and signature: header, two ids, length, session, seq, ts. */
const DATA_OVERHEAD = 1 + 2 + 2 * 32 + 2 + 16 + 2 * 8
const roomForData = (row: MessageRow, bits: number): number =>
  MAX_DATAGRAM - DATA_OVERHEAD - (row.signature === undefined ? 0 : 2 + bits / 8)

function variantsOf(row: MessageRow, self: PeerId, key: Uint8Array, bits: number): readonly Variant[] {
  const listed = (Object.keys(EXTENSIONS) as ExtensionName[]).filter((name) => EXTENSIONS[name].in.includes(row.op))
  const variants: Variant[] = [{ name: 'seed', what: 'without extension fields, as the seed has it' }]
  if (listed.includes('key'))
    variants.push({
      name: 'first-contact',
      what: 'with the extension fields of a first contact',
      ext: listed.includes('cookie') ? { key, cookie: COOKIE } : { key },
    })
  const others = listed.filter((name) => name !== 'key' && name !== 'modulus')
  if (listed.includes('modulus'))
    variants.push({
      name: 'permit',
      what: 'with a permit, the modulus of the key and a cookie',
      ext: {
        cookie: COOKIE,
        permit: EXTENSION_VALUES.permit,
        modulus: key.subarray(-EXPONENT_BYTES - bits / 8, -EXPONENT_BYTES),
      },
    })
  if (listed.length === 0)
    variants.push({
      name: 'unknown-fields',
      what: 'with extension fields that nobody knows in this message: type 1 is `key` elsewhere',
      ext: { unknown: [{ type: KEY_TYPE, value: count(1, 4) }, TOMORROW] },
    })
  else
    variants.push({
      name: 'all-fields',
      what: 'with every extension field of its row but the key, and one of an unknown type',
      ext: {
        ...Object.fromEntries(others.map((name) => [name, EXTENSION_VALUES[name as keyof typeof EXTENSION_VALUES]])),
        unknown: [TOMORROW],
      },
      six: true,
    })
  const unlisted = Object.values(EXTENSIONS).find((each) => !each.in.includes(row.op))
  if (listed.length > 0 && unlisted !== undefined)
    variants.push({
      name: 'unlisted-field',
      what: `with a field of type ${unlisted.type}, which other messages have: unknown here, and hashed`,
      ext: { unknown: [{ type: unlisted.type, value: count(1, 4) }] },
    })
  if (row.fields.includes('id') && row.fields.includes('target') && row.distinct !== true)
    variants.push({
      name: 'own-target',
      what: 'with one peer as id and target, which this row allows',
      fields: { target: self },
    })
  if (row.fields.includes('data'))
    variants.push(
      { name: 'empty', what: 'with no data', fields: { data: new Uint8Array(0) } },
      {
        name: 'full',
        what: 'with as much data as a datagram holds',
        fields: { data: count(0, roomForData(row, bits)) },
      },
    )
  return variants
}

export class VectorSigner {
  readonly #keys = new Map<Role, KeyObject>()
  readonly identities: Readonly<Record<Role, IdentityVector>>

  constructor(identities: readonly IdentityVector[]) {
    this.identities = Object.fromEntries(identities.map((identity) => [identity.role, identity])) as Record<
      Role,
      IdentityVector
    >
    for (const { role, privateKey } of identities) this.#keys.set(role, createPrivateKey(privateKey))
  }

  sign(role: Role, bytes: Uint8Array): Uint8Array {
    return Uint8Array.from(sign('sha256', bytes, this.#keys.get(role) as KeyObject))
  }
}

/** Every golden message of one key size. */
export function messageVectors(signer: VectorSigner): readonly MessageVector[] {
  const { requester, target, relay } = signer.identities
  const ids = {
    requester: parsePeerId(requester.id),
    target: parsePeerId(target.id),
    relay: parsePeerId(relay.id),
  }
  return MESSAGES.flatMap((row: MessageRow) => {
    const role = senderOf(row)
    const key = fromHex(signer.identities[role].spki)
    const variants = variantsOf(row, ids[role], key, requester.bits)
    return variants.map((variant) => {
      const fields = { op_code: row.op, ...fieldsOf(row, ids, variant.six === true), ...variant.fields }
      const unsigned = (variant.ext === undefined ? fields : { ...fields, ext: variant.ext }) as unknown as Message
      return vector(row, variant, unsigned, signer, role)
    })
  })
}

function vector(row: MessageRow, variant: Variant, unsigned: Message, signer: VectorSigner, role: Role): MessageVector {
  const name = `${row.name}/${signer.identities[role].bits}/${variant.name}`
  const description = `0x${row.op.toString(16)} ${row.name} ${variant.what}`
  if (row.signature === undefined) return { name, description, ...forms(unsigned) }
  const covered = preimage(unsigned as SignedMessage, sha256)
  const message = { ...unsigned, sign: signer.sign(role, covered) } as Message
  return { name, description, signer: signer.identities[role].name, preimage: toHex(covered), ...forms(message) }
}

function forms(message: Message): Pick<MessageVector, 'message' | 'binary' | 'json' | 'jsonFits'> {
  const plain = plainOf(message)
  const json = utf8(JSON.stringify(plain))
  return {
    message: plain,
    binary: toHex(encode(message, 'binary')),
    json: toHex(json),
    jsonFits: json.length <= MAX_DATAGRAM,
  }
}

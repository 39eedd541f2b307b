/**
 * What an attacker on the path can do to a golden message with one bit, a cut or one more byte:
 * nothing that is noticed by neither the decoder nor the signature, save in fields that the message
 * table leaves unsigned.
 */
import { openssl, type PublicKey } from '@showchain/crypto'
import {
  decode,
  EXTENSIONS,
  type ExtensionName,
  type MessageRow,
  preimage,
  rowOf,
  type SignedMessage,
  toBase64url,
} from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { KEY_SIZES, type MessageVector, readMessages, readVectors } from '../../src/vectors/files.ts'
import { fromHex, toHex } from '../../src/vectors/hex.ts'
import { type PlainMessage, plainOf } from '../../src/vectors/plain.ts'

const { identities } = readVectors('identities.json')
const keys = new Map<string, PublicKey>(identities.map(({ id, spki }) => [id, openssl.importPublicKey(fromHex(spki))]))
const relays = new Map(identities.filter(({ role }) => role === 'relay').map(({ name, id }) => [name, id]))

/**
 * Fields that may change unnoticed. Not `id`: a key that verifies must hash to it. Not `key`: it
 * must hash to the signer's id, though it may be missing.
 */
function unsignedFields(row: MessageRow): ReadonlySet<string> {
  const covered = new Set<string>([...(row.signature ?? []), 'sign', 'id'])
  const fields = row.signature === undefined ? row.fields : row.fields.filter((name) => !covered.has(name))
  const extensions = (Object.keys(EXTENSIONS) as ExtensionName[]).filter((name) => !EXTENSIONS[name].signed)
  return new Set([...fields, ...extensions])
}

/**
 * Judges tampered datagrams of one golden message as a receiver would that knows the three
 * identities.
 */
class Receiver {
  readonly #vector: MessageVector
  /** What each signature that verified is a signature of, by signer and signature. */
  readonly #signed = new Map<string, string>()

  constructor(vector: MessageVector) {
    this.#vector = vector
  }

  /** Names of the members that changed unnoticed, or undefined when the datagram is refused. */
  changedUnnoticed(datagram: Uint8Array): readonly string[] | undefined {
    const decoded = decode(datagram)
    if (!decoded.ok) return undefined
    const { message } = decoded
    if (rowOf(message.op_code)?.signature !== undefined && !this.#verifies(message as SignedMessage)) return undefined
    return changedMembers(this.#vector.message, plainOf(message))
  }

  #verifies(message: SignedMessage): boolean {
    // 0x122 names no signer: it comes from the relay that was asked
    const signer = 'id' in message ? message.id : relays.get(this.#vector.signer as string)
    const key = keys.get(signer as string)
    if (key === undefined) return false
    const sentKey = message.ext?.key
    if (sentKey !== undefined && toBase64url(openssl.sha256(sentKey)) !== signer) return false
    const covered = preimage(message, openssl.sha256)
    const question = `${signer} ${toHex(message.sign)}`
    const signed = this.#signed.get(question)
    // a PKCS #1 v1.5 signature is that of one digest only: under the same key it verifies for nothing else
    if (signed !== undefined) return signed === toHex(covered)
    if (!openssl.verify(key, covered, message.sign)) return false
    this.#signed.set(question, toHex(covered))
    return true
  }
}

function changedMembers(before: PlainMessage, after: PlainMessage): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => before[name] !== after[name])
}

/**
 * Where the signature stands: its bits are the same question in every message that carries the same
 * signature.
 */
function signatureSpan(vector: MessageVector): readonly [start: number, end: number] {
  if (vector.signer === undefined) return [0, 0]
  const signature = Buffer.from(String(vector.message.sign), 'base64url').toString('hex')
  const start = vector.binary.indexOf(signature) / 2
  return [start, start + signature.length / 2]
}

const golden = readMessages().map((vector) => [vector.name, vector] as const)
const signatures = new Map(
  golden.filter(([, vector]) => vector.signer !== undefined).map(([, vector]) => [String(vector.message.sign), vector]),
)

/** Members that some flipped bit outside the signature changes unnoticed. */
function changedByOneBit(vector: MessageVector): readonly string[] {
  const receiver = new Receiver(vector)
  const datagram = fromHex(vector.binary)
  expect(receiver.changedUnnoticed(datagram)).toEqual([])
  const [signStart, signEnd] = signatureSpan(vector)
  const changed = new Set<string>()
  for (let bit = 0; bit < datagram.length * 8; bit++) {
    const at = bit >> 3
    if (at >= signStart && at < signEnd) continue
    flip(datagram, bit)
    for (const name of receiver.changedUnnoticed(datagram) ?? []) changed.add(name)
    flip(datagram, bit)
  }
  return [...changed]
}

describe('one flipped bit outside the signature is refused, or changes an unsigned field:', () => {
  test.each(golden)('%s', (_, vector) => {
    const allowed = unsignedFields(rowOf(Number(vector.message.op_code)) as MessageRow)
    expect(changedByOneBit(vector).filter((name) => !isUnsigned(name, allowed, vector))).toEqual([])
  })

  // by hand, from the seed's signature lists
  test.each([
    ['directRequest', []],
    ['directResponse', []],
    ['punchRequest', []],
    ['punchPassRequest', ['ip', 'port', 'session']],
    ['sameAddressResponse', []],
    ['punchAck', []],
    ['punchPassAck', ['ip', 'port']],
    ['proxyRequest', []],
    ['proxyResponse', []],
    ['proxyData', ['data']],
    ['proxyPassData', ['data', 'id', 'seq', 'session', 'target', 'ts']],
    ['keepAlive', ['id']],
  ])('of a %s of the seed: %s', (name, expected) => {
    const found = golden.find(([vector]) => vector === `${name}/2048/seed`)
    expect(changedByOneBit(found?.[1] as MessageVector).toSorted()).toEqual(expected)
  })
})

describe.each(KEY_SIZES)('one flipped bit of an RSA-%s signature is refused:', (bits) => {
  const ofSize = [...signatures.values()].filter(({ signer }) => signer?.endsWith(`-${bits}`))
  const cases = ofSize.map((vector) => [vector.name, vector] as const)
  function refused(_name: string, vector: MessageVector): void {
    const receiver = new Receiver(vector)
    const datagram = fromHex(vector.binary)
    const [start, end] = signatureSpan(vector)
    expect(end - start).toBe(bits / 8)
    let accepted = 0
    for (let bit = start * 8; bit < end * 8; bit++) {
      flip(datagram, bit)
      if (receiver.changedUnnoticed(datagram) !== undefined) accepted++
      flip(datagram, bit)
    }
    expect(accepted).toBe(0)
  }
  if (bits === 2048) test.each(cases)('%s', refused)
  else test.each(cases)('%s', { tags: ['long'] }, refused)
})

describe('a cut is refused, or takes away unsigned extension fields:', () => {
  test.each(golden)('%s', (_, vector) => {
    const receiver = new Receiver(vector)
    const datagram = fromHex(vector.binary)
    const allowed = unsignedFields(rowOf(Number(vector.message.op_code)) as MessageRow)
    for (let length = 0; length < datagram.length; length++) {
      const unnoticed = receiver.changedUnnoticed(datagram.subarray(0, length)) ?? []
      expect(unnoticed.filter((name) => !isUnsigned(name, allowed, vector))).toEqual([])
      if (vector.name.endsWith('/seed')) expect(receiver.changedUnnoticed(datagram.subarray(0, length))).toBeUndefined()
    }
  })
})

describe('one more byte is never a message:', () => {
  test.each(golden)('%s', (_, vector) => {
    const longer = fromHex(`${vector.binary}00`)
    for (let byte = 0; byte < 256; byte++) {
      longer[longer.length - 1] = byte
      expect(decode(longer).ok).toBe(false)
    }
  })
})

function flip(datagram: Uint8Array, bit: number): void {
  datagram[bit >> 3] = (datagram[bit >> 3] as number) ^ (0x80 >> (bit & 7))
}

/** In a message without a signature every extension field is unsigned, unknown ones too. */
const isUnsigned = (name: string, allowed: ReadonlySet<string>, vector: MessageVector): boolean =>
  allowed.has(name) || (vector.signer === undefined && /^ext\d+$/.test(name))

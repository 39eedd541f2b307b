/** The golden vectors as checks. */
import type { Encoding } from '@showchain/wire'
import {
  type IdentityVector,
  type MessageVector,
  type RefusedKeyVector,
  readMessages,
  readVectors,
  type TextVectors,
} from '../vectors/files.ts'
import type { PlainMessage } from '../vectors/plain.ts'
import { endToEndChecks } from './end-to-end-checks.ts'
import type { Check } from './operations.ts'

export function* conformanceChecks(): Generator<Check> {
  const { identities } = readVectors('identities.json')
  for (const { name, spki, id } of identities)
    yield { vector: name, operation: 'peerId', input: { key: spki }, expected: id }
  yield* refusedKeyChecks(readVectors('refused-keys.json').keys)
  for (const vector of readMessages()) yield* messageChecks(vector, identities)
  for (const { name, datagram, strictOnly } of readVectors('refused.json').refused) {
    if (strictOnly === undefined) yield decodes(name, datagram, false, null)
    yield decodes(`${name}, strict`, datagram, true, null)
  }
  for (const { name, datagram, message, strictOnlyRefused } of readVectors('accepted.json').accepted) {
    yield decodes(name, datagram, false, message)
    if (strictOnlyRefused === undefined) yield decodes(`${name}, strict`, datagram, true, message)
  }
  yield* textChecks(readVectors('text.json'))
  yield* endToEndChecks()
}

const decodes = (vector: string, datagram: string, strict: boolean, expected: PlainMessage | null): Check => ({
  vector,
  operation: 'decode',
  input: { datagram, strict },
  expected,
})

function* messageChecks(vector: MessageVector, identities: readonly IdentityVector[]): Generator<Check> {
  const { name, message, binary, json, jsonFits } = vector
  const encodes = (encoding: Encoding, expected: string | null): Check => ({
    vector: `${name}, ${encoding}`,
    operation: 'encode',
    input: { message, encoding },
    expected,
  })
  yield decodes(`${name}, binary`, binary, false, message)
  yield decodes(`${name}, JSON`, json, true, jsonFits ? message : null)
  yield encodes('binary', binary)
  yield encodes('json', jsonFits ? json : null)
  const signer = identities.find((identity) => identity.name === vector.signer)
  if (signer === undefined || vector.preimage === undefined) return
  yield { vector: name, operation: 'preimage', input: { message }, expected: vector.preimage }
  yield* signatureChecks(vector, signer, identities)
}

function* signatureChecks(
  { name, message }: MessageVector,
  signer: IdentityVector,
  identities: readonly IdentityVector[],
): Generator<Check> {
  const { sign, ...unsigned } = message
  const signature = Buffer.from(String(sign), 'base64url')
  yield {
    vector: name,
    operation: 'sign',
    input: { message: unsigned, privateKey: signer.privateKey },
    expected: signature.toString('hex'),
  }
  const verifies = (what: string, checked: PlainMessage, key: string, expected: boolean): Check => ({
    vector: `${name}, ${what}`,
    operation: 'verify',
    input: { message: checked, key },
    expected,
  })
  yield verifies('its key', message, signer.spki, true)
  for (const other of identities)
    if (other.bits === signer.bits && other !== signer)
      yield verifies(`the key of ${other.name}`, message, other.spki, false)
  signature[signature.length - 1] = (signature.at(-1) as number) ^ 1
  yield verifies('one bit of the signature', { ...message, sign: signature.toString('base64url') }, signer.spki, false)
  yield verifies('another ts', { ...message, ts: Number(message.ts) + 1 }, signer.spki, false)
}

function* refusedKeyChecks(keys: readonly RefusedKeyVector[]): Generator<Check> {
  for (const { name, spki, message } of keys) {
    yield { vector: name, operation: 'peerId', input: { key: spki }, expected: null }
    if (message === undefined) continue
    yield { vector: `signed by ${name}`, operation: 'verify', input: { message, key: spki }, expected: false }
  }
}

function* textChecks(text: TextVectors): Generator<Check> {
  for (const id of text.ids)
    yield { vector: id.text, operation: 'parseId', input: { text: id.text }, expected: id.bytes }
  for (const { text: bad, reason } of text.refusedIds)
    yield { vector: `an id: ${reason}`, operation: 'parseId', input: { text: bad }, expected: null }
  for (const { text: written, ip, port, canonical } of text.endpoints) {
    const endpoint = { ip, port }
    yield { vector: written, operation: 'parseEndpoint', input: { text: written }, expected: endpoint }
    yield { vector: canonical, operation: 'formatEndpoint', input: endpoint, expected: canonical }
  }
  for (const { text: bad, reason } of text.refusedEndpoints)
    yield { vector: `an endpoint: ${reason}`, operation: 'parseEndpoint', input: { text: bad }, expected: null }
  for (const { text: written, canonical, ...ticket } of text.tickets) {
    yield { vector: written, operation: 'parseTicket', input: { text: written }, expected: ticket }
    yield { vector: canonical, operation: 'formatTicket', input: ticket, expected: canonical }
  }
  for (const { text: bad, reason } of text.refusedTickets)
    yield { vector: `a ticket: ${reason}`, operation: 'parseTicket', input: { text: bad }, expected: null }
}

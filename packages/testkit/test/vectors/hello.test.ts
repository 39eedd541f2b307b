/** The vectors of hellos, made a second time by hand, and each bit of them. */
import { NoiseHandshake } from '@showchain/crypto'
import { parsePeerId } from '@showchain/wire'
import {
  helloPrologue,
  readHelloAnswer,
  readHelloOffer,
  readHelloRequest,
  writeHelloOffer,
} from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { flipped } from '../../src/vectors/end-to-end/ends.ts'
import type { HelloVector } from '../../src/vectors/end-to-end/forms.ts'
import { NOISE, rawPair } from '../../src/vectors/end-to-end/handshakes.ts'
import { readVectors } from '../../src/vectors/files.ts'
import { fromHex, toHex } from '../../src/vectors/hex.ts'
import * as hand from './secure-by-hand.ts'

const { hellos, refusedRequests, refusedAnswers } = readVectors('hello.json')
const named = hellos.map((vector) => [vector.name, vector] as const)

/** What both ends have when the requester's value and the target's answer came as given. */
function exchange(
  vector: HelloVector,
  request: string,
  answer = vector.answer,
  ids = [vector.requester.id, vector.target.id],
): string | undefined {
  const { requester, target, opened } = vector
  const value = fromHex(request)
  const read = readHelloRequest(value)
  const answered = readHelloAnswer(fromHex(answer))
  if (read === undefined || answered === undefined) return undefined
  const warm = read.warm !== undefined && opened
  const noise = (initiator: boolean, own: Uint8Array, [from, to]: readonly string[]): NoiseHandshake =>
    new NoiseHandshake({
      pattern: (initiator ? answered.kind === 2 : warm) ? 'NK' : 'NN',
      ...{ crypto: NOISE, initiator, staticKey: rawPair(target.staticKey) },
      responderKey: fromHex(target.staticKey.publicKey),
      prologue: helloPrologue(own, parsePeerId(from as string), parsePeerId(to as string)),
      ephemeralKey: rawPair((initiator ? requester : target).ephemeralKey),
    })
  const b = noise(false, value, [requester.id, target.id])
  const early = b.read(Uint8Array.from([...read.ephemeral, ...(warm ? (read.warm?.sealed ?? []) : [])]))
  if (early === undefined) return undefined
  const a = noise(true, fromHex(vector.request), ids)
  a.write(fromHex(answered.kind === 2 ? (vector.early ?? '') : ''))
  const own = b.write(writeHelloOffer({ ...target, connectionId: fromHex(target.connectionId) }))
  // To another request the target answers with other bytes.
  const payload = a.read(request === vector.request ? answered.message : own)
  if (payload === undefined || readHelloOffer(payload) === undefined) return undefined
  const [ours, theirs] = [a.result(), b.result()]
  const same = toHex(ours.sendKey) === toHex(theirs.receiveKey) && toHex(ours.hash) === toHex(theirs.hash)
  return same ? toHex(ours.hash) : undefined
}

test.each(named)('%s is made of the bytes that others make', (_name, vector) => {
  const { requester, target, early, opened, request, answer, hash, keys, connection } = vector
  const made = hand.helloByHand({ requester, target, warm: early, answersWarm: opened })
  expect([request, answer]).toEqual(made.values)
  expect({ hash, keys }).toEqual({ hash: made.hash, keys: { requester: made.keys[0], target: made.keys[1] } })
  expect(connection).toBe(hash.slice(0, 32))
  expect(exchange(vector, request)).toBe(hash)
})

describe.each(named)('%s', (_name, vector) => {
  const { request, answer } = vector

  test('with any bit of the answer flipped gives no keys', () => {
    for (let bit = 0; bit < answer.length * 4; bit++)
      expect(exchange(vector, request, flipped(answer, bit)), `bit ${bit}`).toBeUndefined()
  })

  test('with any bit of the request flipped, that the exchange reads, gives no common keys', () => {
    // The hint, and what is sealed for a key that the target has lost, are under the signature alone.
    const bytes = vector.early !== null && !vector.opened ? 42 : request.length / 2
    for (let bit = 0; bit < bytes * 8; bit++) {
      if (bit >= 42 * 8 && bit < 50 * 8) continue
      expect(exchange(vector, flipped(request, bit)), `bit ${bit}`).toBeUndefined()
    }
  })

  test('gives no keys to an end that takes another peer for its requester or target', () => {
    const { requester, target } = vector
    const relay = readVectors('identities.json').identities.find(({ role }) => role === 'relay')?.id as string
    for (const ids of [
      [target.id, requester.id],
      [relay, target.id],
      [requester.id, relay],
    ])
      expect(exchange(vector, request, answer, ids)).toBeUndefined()
  })
})

test('the answer to one hello opens no other', () => {
  for (const [, a] of named)
    for (const [, b] of named) if (a !== b) expect(exchange(a, a.request, b.answer)).toBeUndefined()
})

test.each(refusedRequests.map(({ name, bytes }) => [name, bytes]))('a request %s is none', (_name, bytes) => {
  expect(readHelloRequest(fromHex(bytes))).toBeUndefined()
})

test.each(refusedAnswers.map(({ name, bytes }) => [name, bytes]))('an answer %s is none', (_name, bytes) => {
  expect(readHelloAnswer(fromHex(bytes))).toBeUndefined()
})

/** Noise XX, NN and NK against the vectors of other implementations, and what they refuse. */
import { describe, expect, test } from 'vitest'
import { type KeyPair, type NoiseCrypto, NoiseHandshake, type NoisePattern } from '../src/index.ts'
import { END_TO_END, fromHex, hasVectors, needsVectorFile, repeatable, toHex, vectors } from './fixtures.ts'

const [[, crypto]] = END_TO_END as [(typeof END_TO_END)[number]]
const pairOf = (privateKey: Uint8Array, by: NoiseCrypto = crypto): KeyPair => ({
  privateKey,
  publicKey: by.x25519Public(privateKey),
})
const { bytes } = repeatable(1)
const newPair = (): KeyPair => pairOf(bytes(32))
const text = (words: string): Uint8Array => new TextEncoder().encode(words)
const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)

interface Vector {
  readonly init_prologue: string
  readonly init_static?: string
  readonly init_ephemeral: string
  readonly init_remote_static?: string
  readonly resp_prologue: string
  readonly resp_static?: string
  readonly resp_ephemeral: string
  readonly handshake_hash?: string
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

function ends({
  pattern = 'XX',
  prologues = [text('p'), text('p')],
}: {
  pattern?: NoisePattern
  prologues?: readonly [Uint8Array, Uint8Array]
} = {}) {
  const [staticA, staticB] = [newPair(), newPair()]
  const end = (initiator: boolean, staticKey: KeyPair, prologue: Uint8Array): NoiseHandshake =>
    new NoiseHandshake({
      ...{ pattern, crypto, initiator, prologue, staticKey },
      responderKey: staticB.publicKey,
      ephemeralKey: newPair(),
    })
  return {
    ...{ staticA, staticB },
    a: end(true, staticA, prologues[0]),
    b: end(false, staticB, prologues[1]),
  }
}

const FILES = [
  ['XX', 'noise/cacophony-xx-25519-chachapoly-sha256.json'],
  ['XX', 'noise/snow-xx-25519-chachapoly-sha256.json'],
  ['NN', 'noise/cacophony-nn-25519-chachapoly-sha256.json'],
  ['NK', 'noise/cacophony-nk-25519-chachapoly-sha256.json'],
] as const
const SOURCES = FILES.flatMap(([pattern, file]) => END_TO_END.map(([name, by]) => [file, name, pattern, by] as const))

describe.each(SOURCES)('the vectors of %s by %s', (file, _name, pattern, by) => {
  const all = hasVectors(file) ? vectors<{ vectors: readonly Vector[] }>(file).vectors : []
  test.each(all.map((vector, index) => [index, vector] as const))('number %d', (_index, vector) => {
    const end = (initiator: boolean, side: 'init' | 'resp'): NoiseHandshake => {
      const { [`${side}_static` as const]: own, init_remote_static: known } = vector
      return new NoiseHandshake({
        ...{ pattern, crypto: by, initiator },
        prologue: fromHex(vector[`${side}_prologue`]),
        ...(own === undefined ? {} : { staticKey: pairOf(fromHex(own), by) }),
        ...(known === undefined ? {} : { responderKey: fromHex(known) }),
        ephemeralKey: pairOf(fromHex(vector[`${side}_ephemeral`]), by),
      })
    }
    const [a, b] = [end(true, 'init'), end(false, 'resp')]
    let index = 0
    for (; !a.done; index++) {
      const { payload, ciphertext } = vector.messages[index] as Vector['messages'][number]
      const [writer, reader] = index % 2 === 0 ? [a, b] : [b, a]
      const message = writer.write(fromHex(payload))
      expect(toHex(message)).toBe(ciphertext)
      expect(toHex(reader.read(message) as Uint8Array)).toBe(payload)
    }
    const [ours, theirs] = [a.result(), b.result()]
    expect(toHex(ours.hash)).toBe(toHex(theirs.hash))
    // In the files of NN and NK it is the hash after message 1; the tags cover it there.
    if (pattern === 'XX' && vector.handshake_hash !== undefined) expect(toHex(ours.hash)).toBe(vector.handshake_hash)
    // The transport messages of the vectors go on alternately.
    expect(vector.messages.length).toBeGreaterThan(index)
    const counts = new Map<Uint8Array, number>()
    for (; index < vector.messages.length; index++) {
      const { payload, ciphertext } = vector.messages[index] as Vector['messages'][number]
      const [key, other] = index % 2 === 0 ? [ours.sendKey, theirs.receiveKey] : [theirs.sendKey, ours.receiveKey]
      expect(toHex(key)).toBe(toHex(other))
      const number = counts.get(key) ?? 0
      counts.set(key, number + 1)
      const nonce = new Uint8Array(12)
      nonce[4] = number
      const sealed = new Uint8Array(payload.length / 2 + 16)
      by.aead(key).seal(nonce, new Uint8Array(0), fromHex(payload), sealed, 0)
      expect(toHex(sealed)).toBe(ciphertext)
    }
  })
  if (all.length === 0) test(`needs ${file}`, needsVectorFile(file), () => expect.unreachable())
})

test('both ends get the same keys, crosswise, and each the key of the other', () => {
  const { a, b, staticA, staticB } = ends()
  b.read(a.write(text('one')))
  a.read(b.write(text('two')))
  expect(toHex(a.remoteStaticKey as Uint8Array)).toBe(toHex(staticB.publicKey))
  b.read(a.write(text('three')))
  const [ours, theirs] = [a.result(), b.result()]
  expect([ours.sendKey, ours.receiveKey, ours.hash].map(toHex)).toEqual(
    [theirs.receiveKey, theirs.sendKey, theirs.hash].map(toHex),
  )
  expect(toHex(ours.sendKey)).not.toBe(toHex(ours.receiveKey))
  expect([ours, theirs].map(({ remoteStaticKey }) => toHex(remoteStaticKey as Uint8Array))).toEqual(
    [staticB, staticA].map(({ publicKey }) => toHex(publicKey)),
  )
})

test.each(['NN', 'NK'] as const)('%s: two messages give both ends the same keys, crosswise', (pattern) => {
  const { a, b, staticB } = ends({ pattern })
  expect(textOf(b.read(a.write(text('one'))))).toBe('one')
  expect(textOf(a.read(b.write(text('two'))))).toBe('two')
  const [ours, theirs] = [a.result(), b.result()]
  expect([ours.sendKey, ours.receiveKey, ours.hash].map(toHex)).toEqual(
    [theirs.receiveKey, theirs.sendKey, theirs.hash].map(toHex),
  )
  expect(ours.remoteStaticKey).toEqual(pattern === 'NK' ? staticB.publicKey : undefined)
  expect(theirs.remoteStaticKey).toBeUndefined()
})

test('NK: the first payload is for the owner of the static key alone', () => {
  const { a, b } = ends({ pattern: 'NK' })
  const first = a.write(text('early'))
  expect(toHex(first)).not.toContain(toHex(text('early')))
  expect(ends({ pattern: 'NK' }).b.read(first)).toBeUndefined()
  expect(textOf(b.read(first))).toBe('early')
})

test('NK without the static key that it needs is a mistake of the caller', () => {
  const options = { pattern: 'NK', crypto, prologue: text('p'), ephemeralKey: newPair() } as const
  expect(() => new NoiseHandshake({ ...options, initiator: true })).toThrow('static key')
  expect(() => new NoiseHandshake({ ...options, initiator: false })).toThrow('static key')
})

test.each([
  ['NN', 0],
  ['NN', 1],
  ['NK', 0],
  ['NK', 1],
] as const)('%s: every flipped bit of message %d ends the handshake', (pattern, index) => {
  const run = (flip?: number): boolean => {
    const { a, b } = ends({ pattern })
    for (const [at, [writer, reader]] of (
      [
        [a, b],
        [b, a],
      ] as const
    ).entries()) {
      const message = writer.write(text('payload'))
      if (at === index && flip !== undefined) message[flip >> 3] = (message[flip >> 3] as number) ^ (1 << (flip & 7))
      if (reader.read(message) === undefined) return false
    }
    return true
  }
  expect(run()).toBe(true)
  const bytes = 32 + 'payload'.length + (pattern === 'NN' && index === 0 ? 0 : 16)
  for (let flip = 0; flip < 8 * bytes; flip++) expect(run(flip), `bit ${flip}`).toBe(false)
})

test('identities and payloads from the second message on are not readable', () => {
  const { a, b, staticA, staticB } = ends()
  const first = a.write(text('capabilities'))
  b.read(first)
  const second = b.write(text('certificate of b'))
  a.read(second)
  const third = a.write(text('certificate of a'))
  const seen = toHex(second) + toHex(third)
  for (const secret of [staticA.publicKey, staticB.publicKey, text('certificate')])
    expect(seen).not.toContain(toHex(secret))
})

test.each([0, 1, 2])('every flipped bit of message %d ends the handshake', (index) => {
  const run = (flip?: number): boolean => {
    const { a, b } = ends()
    for (let at = 0; at < 3; at++) {
      const [writer, reader] = at % 2 === 0 ? [a, b] : [b, a]
      const message = writer.write(text('payload'))
      if (at === index && flip !== undefined) {
        message[flip >> 3] = (message[flip >> 3] as number) ^ (1 << (flip & 7))
        // The first message is readable: a changed one is found out by what follows.
        const read = reader.read(message)
        if (at > 0) return read !== undefined
      } else if (reader.read(message) === undefined) return false
    }
    return true
  }
  expect(run()).toBe(true)
  const bits = index === 0 ? 39 * 8 : index === 1 ? 103 * 8 : 71 * 8
  // Every bit of a byte is as good as the others; every byte is tried.
  for (let flip = 0; flip < bits; flip += 7) {
    // RFC 7748 §5: the highest bit of a public key is ignored in the product, but not in the hash.
    expect(run(flip), `bit ${flip}`).toBe(false)
  }
})

test('another prologue at the other end ends the handshake', () => {
  const { a, b } = ends({ prologues: [text('version 1'), text('version 2')] })
  b.read(a.write(text('')))
  expect(a.read(b.write(text('')))).toBeUndefined()
})

test.each([0, 31, 32, 79, 80])('a second message of %d bytes is refused', (length) => {
  const { a, b } = ends()
  b.read(a.write(text('')))
  expect(a.read(b.write(text('')).subarray(0, length))).toBeUndefined()
})

test('a message that is too short ends the handshake: the genuine one is not read after it', () => {
  const { a, b } = ends()
  b.read(a.write(text('')))
  const second = b.write(text(''))
  expect(a.read(second.subarray(0, 31))).toBeUndefined()
  expect(a.read(second)).toBeUndefined()
})

test('a key of small order is refused', () => {
  const { b } = ends()
  b.read(new Uint8Array(32))
  expect(() => b.write(text(''))).toThrow('small order')
})

test('a message that is read twice, or by its writer, is refused', () => {
  const { a, b } = ends()
  const first = a.write(text(''))
  expect(a.read(first)).toBeUndefined()
  expect(b.read(first)).toEqual(text(''))
  expect(b.read(first)).toBeUndefined()
  expect(() => a.result()).toThrow('not finished')
})

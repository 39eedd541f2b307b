/** Keys of one direction: epochs, numbers, and everything that is not genuine. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { MAX_EPOCH, OpeningKey, opensslEndToEnd, SealingKey } from '../src/index.ts'

const KEY = new Uint8Array(32).fill(7)
const AAD = Uint8Array.of(1, 2, 3)
const PLAIN = new TextEncoder().encode('a record')

const pair = (): { readonly sealing: SealingKey; readonly opening: OpeningKey } => ({
  sealing: new SealingKey(opensslEndToEnd, KEY),
  opening: new OpeningKey(opensslEndToEnd, KEY),
})

interface Sealed {
  readonly epoch: number
  readonly number: number
  readonly bytes: Uint8Array
}
function seal(sealing: SealingKey): Sealed {
  const bytes = new Uint8Array(PLAIN.length + 16)
  const { epoch } = sealing
  return { epoch, number: sealing.seal(AAD, PLAIN, bytes, 0), bytes }
}
const opens = (opening: OpeningKey, { epoch, number, bytes }: Sealed, aad = AAD): boolean =>
  opening.open(epoch, number, aad, bytes) !== undefined

test('what is sealed opens, in any order, each under its own number', () => {
  const { sealing, opening } = pair()
  const records = [seal(sealing), seal(sealing), seal(sealing)]
  expect(records.map(({ number }) => number)).toEqual([0, 1, 2])
  for (const { epoch, number, bytes } of records.reverse())
    expect(opening.open(epoch, number, AAD, bytes)).toEqual(Buffer.from(PLAIN))
})

test('the same plaintext is never the same record twice', () => {
  const { sealing } = pair()
  const first = seal(sealing)
  const second = seal(sealing)
  sealing.advance()
  const third = seal(sealing)
  expect(new Set([first, second, third].map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size).toBe(3)
})

test('every flipped bit, another number, another epoch, and another header are refused', () => {
  const { sealing, opening } = pair()
  const record = seal(sealing)
  for (let bit = 0; bit < record.bytes.length * 8; bit++) {
    const bytes = record.bytes.slice()
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(opens(opening, { ...record, bytes }), `bit ${bit}`).toBe(false)
  }
  for (const changed of [{ number: 1 }, { number: 2 ** 32 }, { epoch: 1 }, { epoch: 2 }, { epoch: MAX_EPOCH }])
    expect(opens(opening, { ...record, ...changed }), JSON.stringify(changed)).toBe(false)
  expect(opens(opening, record, Uint8Array.of(1, 2, 4))).toBe(false)
  expect(opens(opening, record)).toBe(true)
})

describe('the next epoch', () => {
  test('begins with its first genuine record; late ones of the epoch before open until they are forgotten', () => {
    const { sealing, opening } = pair()
    const [early, late] = [seal(sealing), seal(sealing)]
    sealing.advance()
    const next = seal(sealing)
    expect(next.number).toBe(2)
    expect(opens(opening, early)).toBe(true)
    expect(opens(opening, next)).toBe(true)
    expect(opening.epoch).toBe(1)
    expect(opens(opening, late)).toBe(true)
    opening.forgetPrevious()
    expect(opens(opening, late)).toBe(false)
    expect(opens(opening, next)).toBe(true)
  })

  test('does not begin with a forged record', () => {
    const { sealing, opening } = pair()
    const record = seal(sealing)
    expect(opens(opening, { ...record, epoch: 1 })).toBe(false)
    expect(opening.epoch).toBe(0)
    expect(opens(opening, record)).toBe(true)
  })

  test('two ahead, and two behind, are refused', () => {
    const { sealing, opening } = pair()
    const first = seal(sealing)
    sealing.advance()
    const second = seal(sealing)
    sealing.advance()
    const third = seal(sealing)
    expect(opens(opening, third)).toBe(false)
    expect([opens(opening, second), opens(opening, third)]).toEqual([true, true])
    expect(opens(opening, first)).toBe(false)
  })

  test('is one ahead: a record that names a later one under the next key is refused', () => {
    const { opening } = pair()
    // REKEY (The Noise Protocol Framework §4.2), and a record of number 0 under it that says epoch
    // 2
    const nonce = (...end: readonly number[]): Uint8Array =>
      Uint8Array.from([...new Uint8Array(12 - end.length), ...end])
    const next = new Uint8Array(48)
    opensslEndToEnd
      .aead(KEY)
      .seal(nonce(...new Array<number>(8).fill(0xff)), new Uint8Array(0), new Uint8Array(32), next, 0)
    const bytes = new Uint8Array(PLAIN.length + 16)
    opensslEndToEnd.aead(next.slice(0, 32)).seal(nonce(2, 0), AAD, PLAIN, bytes, 0)
    expect(opens(opening, { epoch: 2, number: 0, bytes })).toBe(false)
    opensslEndToEnd.aead(next.slice(0, 32)).seal(nonce(1, 0), AAD, PLAIN, bytes, 0)
    expect(opens(opening, { epoch: 1, number: 0, bytes })).toBe(true)
  })
})

test('there are 65,536 epochs, and none after them', () => {
  const { sealing } = pair()
  for (let epoch = 0; epoch < MAX_EPOCH; epoch++) {
    expect(sealing.exhausted).toBe(false)
    sealing.advance()
  }
  expect([sealing.epoch, sealing.exhausted]).toEqual([65_535, true])
  expect(() => sealing.advance()).toThrow('The last epoch has been reached.')
})

test('a record of one direction is none of the other', () => {
  const { sealing } = pair()
  const other = new OpeningKey(opensslEndToEnd, new Uint8Array(32).fill(8))
  expect(opens(other, seal(sealing))).toBe(false)
})

test('a record is what docs/protocol.md says, read by other code: epoch 2, number 3', () => {
  const first = new Uint8Array(32).fill(7)
  const key = new SealingKey(opensslEndToEnd, first)
  const aad = Uint8Array.of(1, 2, 3)
  const sealed = new Uint8Array(5 + 16)
  key.advance()
  key.advance()
  for (let number = 0; number <= 3; number++) key.seal(aad, Uint8Array.of(9, 8, 7, 6, 5), sealed, 0)

  // REKEY (Noise §4.2): 32 zeros under the nonce 2^64 - 1, without the tag.
  const rekey = (before: Uint8Array): Buffer =>
    createCipheriv('chacha20-poly1305', before, Buffer.from('00000000ffffffffffffffff', 'hex'), {
      authTagLength: 16,
    }).update(Buffer.alloc(32))
  // Four zeros, then 64 bits, little-endian: the number in the lower 48, the epoch in the upper 16.
  const nonce = Buffer.from('00000000030000000000' + '0200', 'hex')
  const decipher = createDecipheriv('chacha20-poly1305', rekey(rekey(first)), nonce, { authTagLength: 16 })
  decipher.setAAD(aad, { plaintextLength: 5 })
  decipher.setAuthTag(sealed.subarray(5))
  expect(Buffer.concat([decipher.update(sealed.subarray(0, 5)), decipher.final()])).toEqual(Buffer.of(9, 8, 7, 6, 5))
})

import { MAX_DATAGRAM } from '@showchain/wire'
import { type HandshakePart, MAX_HANDSHAKE_PARTS, readHandshakePart, splitHandshake } from '@showchain/wire/end-to-end'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Assembly } from '../../src/core/secure/fragments.ts'

const session = new Uint8Array(16).fill(7)
const read = (bytes: Uint8Array): HandshakePart => {
  const part = readHandshakePart(bytes)
  if (part === undefined) throw new Error('no part')
  return part
}
const message = (length: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index + salt) & 0xff)

test('messages come out of their parts, in any order, each part twice', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1500 }),
      fc.integer({ min: 500, max: 1169 }),
      fc.nat(5),
      (length, room, turn) => {
        const whole = message(length)
        const parts = splitHandshake(whole, room, { session, kind: 2, group: 9 })
        expect(parts.length).toBe(Math.max(1, Math.ceil(length / room)))
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(MAX_DATAGRAM)
        const order = parts.map((_, index) => parts[(index + turn) % parts.length] as Uint8Array)
        const assembly = new Assembly()
        const found = [...order, ...order].flatMap((part) => assembly.add(read(part)) ?? [])
        expect(found[0]).toEqual(whole)
      },
    ),
  )
})

test('what would take too many parts is not sent, and not taken', () => {
  expect(splitHandshake(message(4000), 1000, { session, kind: 2, group: 1 })).toEqual([])
  const assembly = new Assembly()
  const part = { session, kind: 2, group: 1, bytes: message(10), count: MAX_HANDSHAKE_PARTS + 1 }
  for (let index = 0; index <= MAX_HANDSHAKE_PARTS; index++) expect(assembly.add({ ...part, index })).toBeUndefined()
})

test('parts of two messages are not mixed: the newer one wins', () => {
  const [old, young] = [0, 1].map((group) =>
    splitHandshake(message(900, group), 500, { session, kind: 2, group }).map(read),
  )
  const assembly = new Assembly()
  expect(assembly.add(old?.[0] as HandshakePart)).toBeUndefined()
  expect(assembly.add(young?.[1] as HandshakePart)).toBeUndefined()
  expect(assembly.add(young?.[0] as HandshakePart)).toEqual(message(900, 1))
})

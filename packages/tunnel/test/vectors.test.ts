/** The vectors that docs/tunnel.md names: bytes that every implementation writes and reads alike. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ANSWER, behindAnswer, CODES, datagram, PROTOCOLS, readDatagram, reasonOf } from '../src/core/index.ts'

interface Vectors {
  readonly protocols: Readonly<Record<string, string>>
  readonly answer: string
  readonly datagrams: Readonly<Record<string, string>>
  readonly codes: Readonly<Record<string, number>>
  readonly refused: { readonly answers: readonly string[]; readonly datagrams: readonly string[] }
}

const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vectors
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (hex: string | undefined): Uint8Array => new Uint8Array(Buffer.from(hex ?? '', 'hex'))
const text = (of: string): Uint8Array => new TextEncoder().encode(of)

const DATAGRAMS: Readonly<Record<string, { readonly flow: number; readonly payload: Uint8Array }>> = {
  'the first flow': { flow: 0, payload: text('ping') },
  'the last flow': { flow: 4_294_967_295, payload: text('pong') },
  empty: { flow: 258, payload: new Uint8Array() },
}

describe('the vectors', () => {
  test('are what is written', () => {
    expect([vectors.protocols, vectors.answer]).toEqual([PROTOCOLS, hexOf(ANSWER)])
    const written = Object.entries(DATAGRAMS).map(([name, found]) => [name, hexOf(datagram(found))])
    expect(vectors.datagrams).toEqual(Object.fromEntries(written))
  })

  test('are what is read', () => {
    expect(behindAnswer(bytesOf(vectors.answer))).toEqual(new Uint8Array())
    for (const [name, hex] of Object.entries(vectors.datagrams)) {
      expect(readDatagram(bytesOf(hex))).toEqual(DATAGRAMS[name])
    }
  })

  test('have the codes of resets', () => {
    expect(vectors.codes).toEqual(Object.fromEntries(Object.entries(CODES).map(([name, { code }]) => [name, code])))
    for (const [name, code] of Object.entries(vectors.codes)) expect(reasonOf(code)).toBe(name)
    expect(reasonOf(0)).toBeUndefined()
  })

  test('have what is not read', () => {
    for (const hex of vectors.refused.answers) expect(behindAnswer(bytesOf(hex))).toBeUndefined()
    for (const hex of vectors.refused.datagrams) expect(readDatagram(bytesOf(hex))).toBeUndefined()
  })
})

test('an answer is not read with any bit flipped, and what comes behind it is left', () => {
  for (let bit = 0; bit < 8; bit++) expect(behindAnswer(Uint8Array.of(1 << bit, 7))).toBeUndefined()
  expect(behindAnswer(Uint8Array.of(0, 7, 8))).toEqual(Uint8Array.of(7, 8))
})

test('a datagram comes out as it went in', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffff_ffff }), fc.uint8Array({ maxLength: 1500 }), (flow, payload) => {
      // A view into a larger buffer, as it comes from a connection.
      const inside = new Uint8Array([9, ...datagram({ flow, payload }), 9]).subarray(1, payload.length + 5)
      expect(readDatagram(inside)).toEqual({ flow, payload })
    }),
  )
})

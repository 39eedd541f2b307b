/** docs/protocol.md, Named streams. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isProtocolName, missingOfName, readProtocolName, writeProtocolName } from '../../src/end-to-end/index.ts'
import { fromHex, hex } from '../samples.ts'

const LONGEST = 'x'.repeat(255)

test('a name is its length and its characters', () => {
  expect(hex(writeProtocolName('chat/1'))).toBe('06636861742f31')
  expect(hex(writeProtocolName(LONGEST))).toBe(`ff${'78'.repeat(255)}`)
})

test('every name reads as it was written', () => {
  const names = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 255,
  })
  fc.assert(
    fc.property(names, (name) => {
      const written = writeProtocolName(name)
      expect([isProtocolName(name), missingOfName(written), readProtocolName(written)]).toEqual([true, 0, name])
      for (let length = 1; length < written.length; length++)
        expect(missingOfName(written.subarray(0, length))).toBe(written.length - length)
    }),
  )
})

test('the first byte is missing of nothing', () => {
  expect(missingOfName(new Uint8Array(0))).toBe(1)
})

test.each([
  ['empty', '00'],
  ['with a space', '03612062'],
  ['with a line feed', '02610a'],
  ['with an escape', '021b41'],
  ['with DEL', '02617f'],
  ['in UTF-8', '02c3a9'],
  ['not in UTF-8', '0161ff'],
])('%s: it is no name', (_what, bytes) => {
  expect(readProtocolName(fromHex(bytes))).toBeUndefined()
})

test.each(['', ' ', 'a b', 'é', 'a\n', `${LONGEST}x`])('%j is no name to give', (text) => {
  expect(isProtocolName(text)).toBe(false)
})

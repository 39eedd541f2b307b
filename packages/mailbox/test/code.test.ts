import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { completeCode, formatCode, newWords, parseCode } from '../src/core/index.ts'
import { repeatable } from './bed.ts'

const badCode = expect.objectContaining({ code: 'ERR_BAD_CODE' })

describe('a code', () => {
  test.each([
    '7-orbit-velvet',
    '7 orbit velvet',
    '  7-ORBIT-Velvet\n',
    '\t7\torbit\tvelvet',
    '7 - orbit - velvet',
    '07-orbit-velvet',
    '7–orbit–velvet',
    '7-orbi-velv',
    '7.orbit.velvet',
  ])('may be typed as %j', (text) => {
    expect(parseCode(text)).toEqual({ number: 7, words: 'orbit-velvet' })
  })

  test.each([
    ['nothing', ''],
    ['no number', 'orbit-velvet'],
    ['one word', '7-orbit'],
    ['three words', '7-orbit-velvet-act'],
    ['number 0', '0-orbit-velvet'],
    ['number 10000', '10000-orbit-velvet'],
    ['a word that no code has', '7-orbit-velvat'],
    ['three letters of a longer word', '7-orb-velvet'],
    ['a ticket', 'showchain:AAAA'],
  ])('with %s is refused before it is tried', (_what, text) => {
    expect(() => parseCode(text)).toThrow(badCode)
  })

  test('that is refused is shown without what controls a terminal', () => {
    expect(() => parseCode('7-\u001b[2J-velvet')).toThrow('"\\u001b[2j"')
  })

  test('a short word is itself, though longer ones begin with it', () => {
    expect(parseCode('1-act-actor').words).toBe('act-actor')
  })

  test('is read as it was written, also from four letters of each word', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 9999 }), (seed, number) => {
        const code = { number, words: newWords(repeatable(seed)) }
        const [first = '', second = ''] = code.words.split('-')
        expect(parseCode(formatCode(code))).toEqual(code)
        expect(parseCode(`${number} ${first.slice(0, 4)} ${second.slice(0, 4)}`)).toEqual(code)
      }),
      { seed: 1 },
    )
  })

  test('has 2^22 words, each as likely as the others', () => {
    const seen = new Set<string>()
    let next = 0
    for (let index = 0; index < 2048; index++) {
      const [first, second] = newWords({ uint32: () => next++ >>> 0 }).split('-')
      next = index + 1
      seen.add(first as string)
      expect(second).toBeDefined()
    }
    expect(seen.size).toBe(2048)
  })
})

describe('what somebody is typing is completed', () => {
  test.each([
    ['7-orbi', ['7-orbit-']],
    ['7-orbit-velv', ['7-orbit-velvet']],
    ['9999-zo', ['9999-zone-', '9999-zoo-']],
    ['7-orbit-zo', ['7-orbit-zone', '7-orbit-zoo']],
  ])('%s', (begun, ends) => {
    expect(completeCode(begun)).toEqual(ends)
  })

  test('to what is a code at its end, whatever was begun', () => {
    const letters = [...'abcdefghijklmnopqrstuvwxyz']
    for (const end of letters.flatMap((letter) => completeCode(`7-orbit-${letter}`)))
      expect(formatCode(parseCode(end))).toBe(end)
    expect(letters.flatMap((letter) => completeCode(`7-${letter}`))).toHaveLength(2048)
  })

  test.each(['', '7', '7-', '7-orbit-', '7-xyzzy-a', 'orbit', '7-orbit-velvet-a', '12345-a', '7-ORB', '7-\u001b'])(
    'there is nothing for %j',
    (begun) => {
      expect(completeCode(begun)).toEqual([])
    },
  )
})

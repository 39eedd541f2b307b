import { RELAY_COUNTERS, RELAY_LIMITS, type RelayLimits, relayLimits } from '@showchain/server'
import { ShowchainError } from '@showchain/wire'
import { foreign, unreadable } from '@showchain-tooling/vitest/foreign'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

describe('limits', () => {
  test('have a default and a sentence each', () => {
    for (const [name, { default: value, sentence }] of Object.entries(RELAY_LIMITS)) {
      expect(Number.isSafeInteger(value) && value > 0, name).toBe(true)
      expect(sentence.length, name).toBeGreaterThan(10)
    }
  })

  test('are the defaults but for what is given', () => {
    expect(relayLimits({ sessions: 7 })).toEqual({ ...relayLimits(), sessions: 7 })
    expect(relayLimits().bindings).toBe(200_000)
  })

  test.each([{ sessions: 0 }, { sessions: 1.5 }, { sessions: -1 }, { sessions: '9' }, { sesions: 9 }])(
    'refuse %o with the name of what is wrong',
    (limits) => {
      const [name] = Object.keys(limits)
      expect(() => relayLimits(limits as never)).toThrow(ShowchainError)
      expect(() => relayLimits(limits as never)).toThrow(name)
    },
  )

  test('make an error of one line, whatever they are', () => {
    fc.assert(
      fc.property(foreign, fc.constantFrom('bindings', 'sessions', '\u001b[2J'), (given, name) => {
        for (const limits of [given(), { [name]: given() }, unreadable({}, name)]) {
          try {
            relayLimits(limits as Partial<RelayLimits>)
          } catch (error) {
            expect(error instanceof ShowchainError && error.code).toBe('ERR_BAD_CONFIG')
            expect((error as ShowchainError).message).toMatch(/^\P{C}+$/u)
          }
        }
      }),
    )
  })
})

test('every counter has a sentence', () => {
  for (const [name, sentence] of Object.entries(RELAY_COUNTERS)) expect(sentence.length, name).toBeGreaterThan(10)
})

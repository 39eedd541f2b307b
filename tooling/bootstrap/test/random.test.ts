import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runs, SEED } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** What another process, with another environment, makes of its variables. */
const elsewhere = (env: Readonly<Record<string, string>>): string => {
  const script = "import('@showchain-tooling/vitest/random').then(({ SEED, runs }) => console.log(SEED, runs(100)))"
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  return execFileSync(process.execPath, ['-e', script], { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trim()
}

describe('random choices', () => {
  test('of properties are those of the one seed', () => {
    expect(fc.readConfigureGlobal()).toMatchObject({ seed: SEED, numRuns: runs(100) })
    const drawn = (): number[] => {
      const numbers: number[] = []
      fc.assert(fc.property(fc.nat(), (number) => void numbers.push(number)))
      return numbers
    }
    expect(drawn()).toEqual(drawn())
  })

  test('are always the same, unless the environment says otherwise', () => {
    expect(elsewhere({})).toBe('1 100')
    expect(elsewhere({ SHOWCHAIN_SEED: '7', SHOWCHAIN_RUNS: '3' })).toBe('7 300')
    expect(() => elsewhere({ SHOWCHAIN_SEED: 'seven' })).toThrow('SHOWCHAIN_SEED is a whole number, not "seven"')
  })

  test('of a property are counted in its report', ({ task }) => {
    fc.assert(
      fc.property(fc.nat(), () => true),
      { numRuns: 30 },
    )
    fc.assert(
      fc.property(fc.nat(), () => true),
      { numRuns: 12 },
    )
    expect(task.meta.inputs).toBe(42)
  })
})

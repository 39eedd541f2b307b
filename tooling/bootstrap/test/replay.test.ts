import { describe, expect, test } from 'vitest'
import { replaysOf } from '../replay.mjs'

const where = { root: '/clone', folder: 'packages/wire', variables: { SHOWCHAIN_SEED: '5', SHOWCHAIN_RUNS: '10' } }
const file = (status: string, ...tests: readonly (readonly [fullName: string, status: string])[]): object => ({
  name: '/clone/packages/wire/test/ip.test.ts',
  status,
  assertionResults: tests.map(([fullName, each]) => ({ fullName, status: each })),
})
const commands = (...testResults: readonly object[]): readonly string[] => replaysOf({ testResults }, where)

describe('a run that found something', () => {
  test('gives a command for each failed test, with the seed and the runs', () => {
    expect(commands(file('failed', [' a rule  holds', 'failed'], [' another', 'passed']))).toEqual([
      "(cd packages/wire && SHOWCHAIN_SEED=5 SHOWCHAIN_RUNS=10 npx vitest run test/ip.test.ts -t '^a rule  holds$')",
    ])
  })

  test('gives a name that neither the shell nor a pattern misreads', () => {
    const name = 'it’s [a] "test" of $HOME (10 %), isn\'t it?'
    const [command = ''] = commands(file('failed', [name, 'failed']))
    const given = /-t '(.*)'\)$/.exec(command)?.[1] as string
    expect(given).not.toContain("'")
    expect(new RegExp(given).test(name)).toBe(true)
  })

  test('gives the file where no test failed, but loading it', () => {
    expect(commands(file('failed'))).toEqual([
      '(cd packages/wire && SHOWCHAIN_SEED=5 SHOWCHAIN_RUNS=10 npx vitest run test/ip.test.ts)',
    ])
    expect(commands(file('passed', ['fine', 'passed']))).toEqual([])
  })
})

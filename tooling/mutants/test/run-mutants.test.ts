import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Mutant } from '../src/mutant.ts'
import { type Outcome, runMutants } from '../src/run-mutants.ts'

/** A tree with one small package. */
const root = mkdtempSync(join(tmpdir(), 'showchain-mutants-test-'))
const SOURCE = `
export const half = (value: number): number => value / 2
export const double = (value: number): number => value * 2
export function count(value: number): number {
  let times = 0
  while (times < value) times++
  return times
}
`
const FILES = {
  'packages/tiny/package.json': '{ "name": "tiny", "type": "module", "private": true }',
  'packages/tiny/vitest.config.ts': "import { preset } from '@showchain-tooling/vitest'\nexport default preset()\n",
  'packages/tiny/src/tiny.ts': SOURCE,
  'packages/tiny/test/tiny.test.ts': `
import { expect, test } from 'vitest'
import { count, half } from '../src/tiny.ts'
test('half of four is two', () => expect(half(4)).toBe(2))
test('counts to three', () => expect(count(3)).toBe(3))
`,
  'packages/tiny/test/wrong.test.ts': `
import { expect, test } from 'vitest'
test('one is two', () => expect(1).toBe(2))
`,
}

beforeAll(() => {
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  mkdirSync(join(root, 'node_modules'))
  const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
  symlinkSync(modules, join(root, 'packages/tiny/node_modules'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const mutant = (change: Partial<Mutant>): Mutant => ({
  name: 'tiny/half',
  rule: 'Half is half.',
  folder: 'packages/tiny',
  file: 'src/tiny.ts',
  text: 'value / 2',
  replacement: 'value / 3',
  test: 'test/tiny.test.ts',
  ...change,
})

/** Outcome and reason of each. */
async function play(mutants: readonly Mutant[], deadline?: number): Promise<readonly (readonly [Outcome, string])[]> {
  const { signal } = new AbortController()
  const limit = deadline === undefined ? {} : { deadline }
  const results = await runMutants({ root, mutants, jobs: 2, signal, report: () => {}, ...limit })
  return results.map(({ outcome, why }) => [outcome, why])
}

test('a mutant is killed by the test that fails, and survives tests that pass', async () => {
  const results = await play([mutant({}), mutant({ text: 'value * 2', replacement: 'value * 3' })])
  expect(results).toEqual([
    ['killed', 'half of four is two'],
    ['survived', 'all tests passed'],
  ])
  expect(readFileSync(join(root, 'packages/tiny/src/tiny.ts'), 'utf8')).toBe(SOURCE)
})

test('a mutant that only keeps its test from being loaded is broken: nothing was tested', async () => {
  expect(await play([mutant({ replacement: 'value /' })])).toEqual([['broken', 'the tests could not run']])
})

test('a mutant that never ends is ended by its deadline, and killed only where that is expected', async () => {
  const endless = { text: 'times++', replacement: 'times--' }
  expect(await play([mutant(endless), mutant({ ...endless, hangs: true })], 5000)).toEqual([
    ['hung', 'the tests did not end'],
    ['killed', 'the tests did not end'],
  ])
})

test('a mutant is stale when its text does not occur exactly once, changes nothing, or has no test', async () => {
  const results = await play([
    mutant({ text: 'value % 2' }),
    mutant({ text: 'value:' }),
    mutant({ replacement: 'value / 2' }),
    mutant({ file: 'src/gone.ts' }),
    mutant({ test: 'test/gone.test.ts' }),
    mutant({ replacement: 'value / this.#gone' }),
  ])
  expect(results).toEqual([
    ['stale', 'its text occurs 0 times in packages/tiny/src/tiny.ts'],
    ['stale', 'its text occurs 3 times in packages/tiny/src/tiny.ts'],
    ['stale', 'it changes nothing'],
    ['stale', 'packages/tiny/src/gone.ts is not there'],
    ['stale', 'packages/tiny/test/gone.test.ts is not there'],
    ['stale', 'its replacement names #gone, which packages/tiny/src/tiny.ts does not have'],
  ])
})

test('tests that fail without any mutant are told, and no mutant is played', async () => {
  await expect(play([mutant({ test: 'test/wrong.test.ts' })])).rejects.toThrow(
    'The tests of packages/tiny do not pass without a mutant: one is two',
  )
})

test('an aborted run ends at once', async () => {
  const run = runMutants({ root, mutants: [mutant({})], jobs: 1, signal: AbortSignal.abort(), report: () => {} })
  await expect(run).rejects.toThrow('aborted')
})

import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { staleness } from '../src/mutant.ts'
import { MUTANTS } from '../src/rules/index.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('every mutant fits the sources: its text occurs exactly once, its test file is there', () => {
  const stale = MUTANTS.flatMap((mutant) => {
    const why = staleness(root, mutant)
    return why === undefined ? [] : [`${mutant.name}: ${why}`]
  })
  expect(stale).toEqual([])
})

test('every mutant has a name of its own and a rule of its own', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  expect(new Set(MUTANTS.map(({ rule }) => rule)).size).toBe(MUTANTS.length)
})

test.each(['wire', 'crypto', 'client', 'server'])('there are rules of %s', (name) => {
  expect(MUTANTS.some(({ folder }) => folder === `packages/${name}`)).toBe(true)
})

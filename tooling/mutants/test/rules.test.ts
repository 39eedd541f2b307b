import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseAst } from 'vitest/node'
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

test('every mutant is code that can be read: a test fails for its rule, and not for its syntax', () => {
  const unreadable = MUTANTS.flatMap(({ name, folder, file, text, replacement }) => {
    const source = readFileSync(join(root, folder, file), 'utf8')
    try {
      parseAst(
        source.replace(text, () => replacement),
        { lang: 'ts' },
      )
      return []
    } catch (error) {
      return [`${name}: ${(error as Error).message}`]
    }
  })
  expect(unreadable).toEqual([])
})

test('every mutant has a name of its own and a rule of its own', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  expect(new Set(MUTANTS.map(({ rule }) => rule)).size).toBe(MUTANTS.length)
})

test.each(['wire', 'crypto', 'client', 'server', 'files', 'mailbox', 'tunnel'])('there are rules of %s', (name) => {
  expect(MUTANTS.some(({ folder }) => folder === `packages/${name}`)).toBe(true)
})

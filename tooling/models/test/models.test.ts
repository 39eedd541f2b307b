/** Each model as it is, and without each of its guards: only then is there an error, and it is the one expected. */
import { readFileSync } from 'node:fs'
import { needs } from '@showchain-tooling/vitest/needs'
import { describe, expect, test } from 'vitest'
import { switchOf } from '../src/model.ts'
import { MODELS } from '../src/models.ts'
import { check, missing, sourceOf } from '../src/spin.ts'
import { tables } from '../src/tables.ts'

const why = missing()
/** The largest search takes 4 s of a core, of which there may be little beside other tests. */
const timeout = 300_000

describe.each(MODELS)('$title', (model) => {
  describe('searched by spin', needs(why === undefined, why ?? ''), () => {
    test('every property holds in every state, and every step is taken', { timeout }, async () => {
      const { broken, story, unreached } = await check(model)
      expect(broken, story.join('\n')).toBeUndefined()
      expect(unreached).toEqual([])
    })

    test.each(model.guards)('without $name: $breaks does not hold', { tags: ['long'], timeout }, async (guard) => {
      const { broken, story } = await check(model, guard)
      expect(broken, story.join('\n')).toBe(guard.breaks)
    })
  })

  test('the model has these properties and switches, and no others', async () => {
    const source = await sourceOf(model)
    const all = (pattern: RegExp): readonly string[] => [
      ...new Set([...source.matchAll(pattern)].map((match) => match[1] as string)),
    ]
    expect([...all(/holds\((\w+),/g)].sort()).toEqual(model.properties.map(({ name }) => name).sort())
    expect([...all(/\b(NO_\w+)/g)].sort()).toEqual(model.guards.map(switchOf).sort())
    expect(new Set(model.guards.map(({ breaks }) => breaks))).toEqual(new Set(model.properties.map(({ name }) => name)))
  })
})

test('no two guards have one name', () => {
  const names = MODELS.flatMap(({ guards }) => guards.map(({ name }) => name))
  expect(new Set(names).size).toBe(names.length)
})

test('the README has the tables, and what they call a section is one', () => {
  const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
  expect(text('../README.md')).toContain(tables())
  const protocol = text('../../../docs/protocol.md')
  for (const { guards } of MODELS)
    for (const { section } of guards) expect(protocol).toMatch(new RegExp(`^##+ ${section}`, 'm'))
})

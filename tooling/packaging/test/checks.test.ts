/**
 * Each public package as users get it: packed, installed from the tarball, its README's examples
 * run.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHECKS } from '../src/checks.ts'
import { PackedRelease, remove, temporaryFolder } from '../src/packed.ts'
import { ROOT, readWorkspace } from '../src/workspace.ts'

const { packages } = await readWorkspace(ROOT)

let folder: string
let release: PackedRelease
beforeAll(async () => {
  folder = await temporaryFolder()
  release = await PackedRelease.of(ROOT, folder)
})
afterAll(() => remove(folder))

describe.each(packages.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => {
  const checks = CHECKS.filter(({ appliesTo }) => appliesTo(entry))
  test.each(checks.map((check) => [check.demand, check] as const))('%s', async (_demand, { column, run }) => {
    const { problems, figure } = await run({ entry, release })
    if (column === 'browser') console.log(figure)
    expect(problems).toEqual([])
  })
})

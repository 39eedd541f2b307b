/**
 * Each public package as users get it: packed, installed from the tarball, its README's examples
 * run.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Check } from '../src/check.ts'
import { INSTALL_CHECKS, TARBALL_CHECKS } from '../src/checks.ts'
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
  const cases = (checks: readonly Check[]): readonly (readonly [string, Check])[] =>
    checks.filter(({ appliesTo }) => appliesTo(entry)).map((check) => [check.demand, check])
  async function passes(_demand: string, { column, run }: Check): Promise<void> {
    const { problems, figure } = await run({ entry, release })
    if (column === 'browser') console.log(figure)
    expect(problems).toEqual([])
  }
  test.each(cases(TARBALL_CHECKS))('%s', passes)
  // Each resolves for every resolver, or installs into a project of its own.
  test.each(cases(INSTALL_CHECKS))('%s', { tags: ['long'] }, passes)
})

/** Each public package as users get it: packed, installed from the tarball, its README's examples run. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
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

describe.each(packages)('$name', (entry) => {
  test.each(CHECKS.filter(({ appliesTo }) => appliesTo(entry)))('$demand', async ({ column, run }) => {
    const { problems, figure } = await run({ entry, release })
    if (column === 'browser') onTestFinished(() => console.log(`${entry.name}: ${figure}`))
    expect(problems).toEqual([])
  })
})

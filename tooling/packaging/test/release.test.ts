import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PACKAGES, root, run } from './tarballs.ts'

const inGit = await run('git', ['rev-parse', '--verify', '--quiet', 'main'], { cwd: root }).then(
  () => true,
  () => false,
)

test.skipIf(!inGit)('changesets can tell what the next release holds (skipped without a branch main)', async () => {
  await run('pnpm', ['exec', 'changeset', 'status'], { cwd: root })
})

test('the lock file names no registry', async () => {
  const lock = await readFile(join(root, 'pnpm-lock.yaml'), 'utf8')
  expect(lock.match(/^.*(https?:\/\/|tarball:).*$/gm) ?? []).toEqual([])
})

test('every public package says who may use it, and where it runs', async () => {
  for (const { folder } of PACKAGES) {
    const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as unknown
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.19' },
      publishConfig: { access: 'public' },
    })
  }
})

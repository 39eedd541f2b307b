import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { needs } from '@showchain-tooling/vitest/needs'
import { expect, test } from 'vitest'
import { REPOSITORY } from '../src/links.ts'
import { run } from '../src/shell.ts'
import { ROOT, readWorkspace } from '../src/workspace.ts'

const { packages } = await readWorkspace(ROOT)

const inGit = await run('git', ['rev-parse', '--verify', '--quiet', 'main'], { cwd: ROOT }).then(
  () => true,
  () => false,
)

test(
  'changesets can tell what the next release holds',
  needs(inGit, 'no branch main (git clone, not an archive)'),
  async () => {
    const changeset = join(ROOT, 'node_modules', '.bin', 'changeset')
    const { stderr, stdout } = await run(changeset, ['status'], { cwd: ROOT })
    expect(stdout + stderr).toMatch(/packages to be bumped/i)
  },
)

test('the lock file names no registry', async () => {
  const lock = await readFile(join(ROOT, 'pnpm-lock.yaml'), 'utf8')
  expect(lock.match(/^.*(https?:\/\/|tarball:).*$/gm) ?? []).toEqual([])
})

test.each(packages)('the manifest of $name says who may use it, where it runs and where it comes from', (entry) => {
  expect(entry.manifest).toMatchObject({
    description: expect.stringMatching(/^.{20,100}\.$/),
    keywords: expect.arrayContaining(['showchain']),
    homepage: `${REPOSITORY}/tree/main/${entry.folder}#readme`,
    bugs: { url: `${REPOSITORY}/issues` },
    repository: { type: 'git', url: `git+${REPOSITORY}.git`, directory: entry.folder },
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    publishConfig: { access: 'public' },
  })
})

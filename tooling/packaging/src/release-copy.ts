/**
 * A clone of the last commit with the versions of the next release, built. The checkout itself is
 * not touched.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { node, run } from './shell.ts'

/** Changesets that wait for a release. */
export async function pendingChangesets(root: string): Promise<readonly string[]> {
  return (await readdir(join(root, '.changeset'))).filter((name) => name.endsWith('.md') && name !== 'README.md')
}

/** @param step is told what is being done, for people who wait */
export async function makeReleaseCopy(root: string, copy: string, step: (text: string) => void): Promise<void> {
  step('cloning the last commit')
  await run('git', ['clone', '--quiet', root, copy], { cwd: root })
  const within = { cwd: copy }
  step('installing')
  await run(join(root, 'node_modules', '.bin', 'pnpm'), ['install', '--frozen-lockfile', '--prefer-offline'], within)
  step('versioning with changesets')
  await run(join(copy, 'node_modules', '.bin', 'changeset'), ['version'], within)
  step('building')
  const turbo = join(copy, 'node_modules', 'turbo', 'bin', 'turbo')
  const packages = ['--filter=./packages/*', '--filter=./apps/*']
  await node([turbo, 'run', 'build', ...packages, '--output-logs=errors-only'], within)
}

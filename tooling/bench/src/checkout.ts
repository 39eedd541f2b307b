/** Another revision of this repository in a temporary folder: checked out, installed and built. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository that this benchmark belongs to. */
export const REPOSITORY: string = fileURLToPath(new URL('../../../', import.meta.url))

export interface Checkout {
  readonly path: string
  remove(): Promise<void>
}

/** Runs a command, with the tools of its checkout on the path. @throws Error when it fails */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  stdout: 'ignore' | NodeJS.WriteStream = process.stderr,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const PATH = [join(cwd, 'node_modules/.bin'), process.env.PATH].join(delimiter)
    const env = { ...process.env, PATH, TURBO_TELEMETRY_DISABLED: '1' }
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', stdout, process.stderr] })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args.join(' ')} failed (${code}).`))
    })
  })
}

/** @param revision anything that git can resolve to a commit */
export async function checkOut(revision: string): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), 'showchain-bench-'))
  const path = join(folder, 'checkout')
  const remove = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true })
    await run('git', ['worktree', 'prune'], REPOSITORY)
  }
  try {
    await run('git', ['worktree', 'add', '--quiet', '--detach', path, revision], REPOSITORY)
    const pnpm = join(REPOSITORY, 'node_modules/.bin/pnpm')
    await run(pnpm, ['install', '--frozen-lockfile', '--prefer-offline', '--silent'], path)
    await run('turbo', ['run', 'build', '--filter=@showchain-tooling/bench', '--output-logs=errors-only'], path)
  } catch (error) {
    await remove()
    throw error
  }
  return { path, remove }
}

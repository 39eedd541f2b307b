// Makes a clone ready: installs when the lock file or a manifest changed since the last install, then builds
// through turbo, which rebuilds only what changed.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.mjs'
import { environment, fail, packageFolders, readJson, root, say } from './workspace.mjs'

const STAMP = 'node_modules/.showchain-install'
const STDERR = 2

function manifestsDigest() {
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc']
  const hash = createHash('sha256').update(process.version)
  for (const file of [...files, ...packageFolders().map((folder) => `${folder}/package.json`)]) {
    hash.update(`\n${file}\n`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function installedDigest() {
  const stamp = join(root, STAMP)
  const complete = packageFolders().every((folder) => {
    const { dependencies, devDependencies } = readJson(`${folder}/package.json`)
    return existsSync(join(root, folder, 'node_modules')) || !(dependencies || devDependencies)
  })
  return complete && existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined
}

export async function install() {
  const wanted = manifestsDigest()
  if (installedDigest() === wanted) return
  rmSync(join(root, STAMP), { force: true }) // an install that is cut short leaves none
  const { packageManager } = readJson('package.json')
  say(`installing with ${packageManager} (needs the npm registry the first time)`)
  // corepack is not everywhere; npx comes with npm
  const args = ['--yes', '--loglevel=error', packageManager, 'install', '--frozen-lockfile']
  const code = await run('npx', args, { cwd: root, env: environment(), stdout: STDERR }).catch((error) =>
    fail(`npx cannot be run (${error.code}): npm, which comes with Node, is missing`),
  )
  if (code !== 0) fail('the install failed (see above): it needs network access to the npm registry')
  writeFileSync(join(root, STAMP), wanted)
}

/** Runs turbo; resolves with its exit code. */
export function turbo(args, { stdout = 'inherit', env = {} } = {}) {
  const bin = join(root, 'node_modules', 'turbo', 'bin', 'turbo')
  return run(process.execPath, [bin, ...args], { cwd: root, env: { ...environment(), ...env }, stdout })
}

export async function build(...filters) {
  say('building what changed')
  const chosen = filters.map((filter) => `--filter=${filter}`)
  const code = await turbo(['run', 'build', ...chosen, '--output-logs=errors-only'], { stdout: STDERR })
  if (code !== 0) fail('the build failed (see above)')
}

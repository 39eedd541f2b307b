// Where things are: the repository root, the folders of the workspace, the environment every command gets.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Folders of all workspace packages, relative to the root (pnpm-workspace.yaml). */
export function packageFolders() {
  return ['packages', 'apps', 'tooling'].flatMap((parent) =>
    readdirSync(join(root, parent))
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(join(root, folder, 'package.json')))
      .sort(),
  )
}

/** Folders of the packages with these names, with or without scope; of all without names. */
export function foldersOf(names) {
  if (names.length === 0) return packageFolders()
  const known = packageFolders().map((folder) => ({ folder, name: readJson(`${folder}/package.json`).name }))
  return names.map((wanted) => {
    const found = known.find(({ folder, name }) => [folder, name, name.split('/')[1]].includes(wanted))
    return found?.folder ?? fail(`there is no package ${wanted}: ${known.map(({ name }) => name).join(', ')}`)
  })
}

export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

export function environment() {
  const env = {
    ...process.env,
    // turbo looks for pnpm here
    PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH,
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    DO_NOT_TRACK: '1',
  }
  // .npmrc silences npm's own banner; the commands below speak for themselves
  delete env.npm_config_loglevel
  return env
}

/** Progress goes to stderr: stdout belongs to the demo or the tests. */
export function say(text) {
  process.stderr.write(`▸ ${text}\n`)
}

export function fail(text) {
  process.stderr.write(`✖ ${text}\n`)
  process.exit(1)
}

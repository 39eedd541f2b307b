/**
 * A user's project: outside the workspace, with nothing in it but one package and what that depends
 * on.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './shell.ts'

export interface Installed {
  readonly name: string
  /** Where npm got it from. */
  readonly resolved: string
  /** Whether only optional dependencies lead to it. */
  readonly optional: boolean
}

export interface Project {
  readonly folder: string
  /** All that npm installed. */
  readonly packages: readonly Installed[]
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly optional?: boolean }>>
}

const MODULES = 'node_modules/'
const QUIET = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline', '--loglevel=error']

/** Installs tarballs, a package's and those of the workspace packages that it depends on, into a new folder. */
export async function newProject(tarballs: readonly string[], folder: string): Promise<Project> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }))
  await run('npm', ['install', ...QUIET, ...tarballs], { cwd: folder })
  const lock = JSON.parse(await readFile(join(folder, MODULES, '.package-lock.json'), 'utf8')) as Lock
  const packages = Object.entries(lock.packages).map(([path, { resolved = '', optional = false }]) => ({
    name: path.slice(path.lastIndexOf(MODULES) + MODULES.length),
    resolved,
    optional,
  }))
  return { folder, packages }
}

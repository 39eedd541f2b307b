/** Packs the public packages as `pnpm publish` would, into a folder that goes away with the test run. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const run = promisify(execFile)
export const root = fileURLToPath(new URL('../../../', import.meta.url))

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

export interface PublicPackage {
  readonly name: string
  readonly folder: string
  readonly manifest: Manifest
  /** File name of its tarball in the folder of `packAll`. */
  readonly tarball: string
}

async function load(folder: string): Promise<PublicPackage> {
  const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Manifest
  return { name: manifest.name, folder, manifest, tarball: `${manifest.name.replace('@', '').replace('/', '-')}.tgz` }
}

export const LIBRARIES: readonly PublicPackage[] = await Promise.all(
  ['wire', 'crypto', 'client', 'server', 'testkit'].map((name) => load(`packages/${name}`)),
)
export const APPS: readonly PublicPackage[] = await Promise.all(
  ['relay', 'peer-cli'].map((name) => load(`apps/${name}`)),
)
export const PACKAGES: readonly PublicPackage[] = [...LIBRARIES, ...APPS]

/** A package with every workspace package below it. */
export function withDependencies(entry: PublicPackage): readonly PublicPackage[] {
  const names = new Set([entry.name])
  for (const name of names) {
    const found = PACKAGES.find((candidate) => candidate.name === name)
    for (const dependency of Object.keys(found?.manifest.dependencies ?? {})) {
      if (PACKAGES.some((candidate) => candidate.name === dependency)) names.add(dependency)
    }
  }
  return PACKAGES.filter((candidate) => names.has(candidate.name))
}

export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'showchain-packaging-'))
}

export async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Packs `packages` into a new folder and returns it. */
export async function packAll(packages: readonly PublicPackage[]): Promise<string> {
  const folder = await temporaryFolder()
  await Promise.all(
    packages.map(async ({ folder: source, tarball }) => {
      const own = await mkdtemp(join(folder, 'pack-'))
      await run('pnpm', ['pack', '--pack-destination', own], { cwd: join(root, source) })
      const [file] = await readdir(own)
      if (file === undefined) throw new Error(`pnpm pack made no tarball of ${source}`)
      await rename(join(own, file), join(folder, tarball))
      await rm(own, { recursive: true })
    }),
  )
  return folder
}

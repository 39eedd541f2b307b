/** The public packages of a checkout. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

export interface PublicPackage {
  readonly name: string
  readonly kind: 'library' | 'program'
  /** Relative to the root. */
  readonly folder: string
  readonly manifest: Manifest
}

export interface Workspace {
  readonly root: string
  readonly packages: readonly PublicPackage[]
}

/** Root of the checkout that this file is in. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url))

const FOLDERS = [
  ['packages', 'library'],
  ['apps', 'program'],
] as const

export async function readWorkspace(root: string): Promise<Workspace> {
  const packages: PublicPackage[] = []
  for (const [parent, kind] of FOLDERS) {
    for (const child of (await readdir(join(root, parent))).sort()) {
      const folder = `${parent}/${child}`
      const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Manifest
      if (manifest.private !== true) packages.push({ name: manifest.name, kind, folder, manifest })
    }
  }
  return { root, packages }
}

export function find({ packages }: Workspace, name: string): PublicPackage {
  const found = packages.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`${name} is not a public package`)
  return found
}

/** A package and every workspace package that it depends on, directly or not. */
export function withDependencies({ packages }: Workspace, entry: PublicPackage): readonly PublicPackage[] {
  const names = new Set([entry.name])
  for (const name of names) {
    const found = packages.find((candidate) => candidate.name === name)
    for (const dependency of Object.keys(found?.manifest.dependencies ?? {})) names.add(dependency)
  }
  return packages.filter((candidate) => names.has(candidate.name))
}

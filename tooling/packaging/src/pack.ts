/** Packs the public packages as `pnpm publish` would. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './shell.ts'
import type { Manifest, PublicPackage, Workspace } from './workspace.ts'

export interface Tarball {
  readonly path: string
  /** Paths inside the package, as `dist/index.js`. */
  readonly files: readonly string[]
  /** With the versions that `pnpm pack` writes in place of `workspace:` and `catalog:`. */
  readonly manifest: Manifest
  readonly readme: string
  readonly bytes: Buffer
}

const INSIDE = 'package/'

async function read(path: string): Promise<Tarball> {
  const tar = async (...args: readonly string[]): Promise<string> => (await run('tar', args, { cwd: '.' })).stdout
  const files = (await tar('-tzf', path)).trim().split('\n')
  return {
    path,
    files: files.map((file) => file.slice(INSIDE.length)),
    manifest: JSON.parse(await tar('-xzOf', path, `${INSIDE}package.json`)) as Manifest,
    readme: await tar('-xzOf', path, `${INSIDE}README.md`),
    bytes: await readFile(path),
  }
}

async function pack(root: string, entry: PublicPackage, folder: string): Promise<Tarball> {
  await mkdir(folder, { recursive: true })
  const pnpm = join(root, 'node_modules', '.bin', 'pnpm')
  await run(pnpm, ['pack', '--pack-destination', folder], { cwd: join(root, entry.folder) })
  const [file] = await readdir(folder)
  if (file === undefined) throw new Error(`pnpm pack made no tarball of ${entry.name}`)
  return await read(join(folder, file))
}

/** Packs every package of a workspace that is built, each into its own folder below `folder`. */
export async function packAll(workspace: Workspace, folder: string): Promise<ReadonlyMap<string, Tarball>> {
  const packed = workspace.packages.map(
    async (entry) => [entry.name, await pack(workspace.root, entry, join(folder, entry.folder))] as const,
  )
  return new Map(await Promise.all(packed))
}

/** The packages of a built checkout, packed, and a user's project for each that asks for one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll, type Tarball } from './pack.ts'
import { newProject, type Project } from './project.ts'
import { find, readWorkspace, type Workspace, withDependencies } from './workspace.ts'

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'showchain-packaging-'))
export const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })

export class PackedRelease {
  readonly workspace: Workspace
  /** For all that the checks write. */
  readonly folder: string
  readonly #tarballs: ReadonlyMap<string, Tarball>
  readonly #projects = new Map<string, Promise<Project>>()

  private constructor(workspace: Workspace, folder: string, tarballs: ReadonlyMap<string, Tarball>) {
    this.workspace = workspace
    this.folder = folder
    this.#tarballs = tarballs
  }

  /**
   * @param root a checkout whose packages are built
   * @param folder an empty one, which the caller removes
   */
  static async of(root: string, folder: string): Promise<PackedRelease> {
    const workspace = await readWorkspace(root)
    return new PackedRelease(workspace, folder, await packAll(workspace, join(folder, 'tarballs')))
  }

  tarball(name: string): Tarball {
    const found = this.#tarballs.get(name)
    if (found === undefined) throw new Error(`${name} is not a public package`)
    return found
  }

  /** The paths of its tarball and of those of the workspace packages that it depends on. */
  withDependencies(name: string): readonly string[] {
    return withDependencies(this.workspace, find(this.workspace, name)).map((entry) => this.tarball(entry.name).path)
  }

  /** A project with `name` installed, the same one at each call. */
  project(name: string): Promise<Project> {
    const known = this.#projects.get(name)
    if (known !== undefined) return known
    const folder = join(this.folder, 'projects', name)
    const made = newProject(this.withDependencies(name), folder)
    this.#projects.set(name, made)
    return made
  }
}

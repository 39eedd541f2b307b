/** Global set-up of the suite: every public package is packed once. */
import type { TestProject } from 'vitest/node'
import { PACKAGES, packAll, remove } from './tarballs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with the tarball of every public package. */
    readonly tarballs: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await packAll(PACKAGES)
  project.provide('tarballs', folder)
  return () => remove(folder)
}

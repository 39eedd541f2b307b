/**
 * A copy of the repository in a temporary folder, in which a mutant may live: the working tree is
 * never touched. Tests run on sources, so nothing is built.
 *
 * Links in a package's node_modules are relative, so those to other packages lead into the copy;
 * everything else is found through the copy's link to the root's node_modules.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const LEFT_OUT: ReadonlySet<string> = new Set(['node_modules', 'dist', '.cache', '.turbo', '.git'])

/** @param root of the repository. @returns the root of the copy */
export function copyTree(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'showchain-mutants-'))
  cpSync(root, copy, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const parent of ['packages', 'apps', 'tooling']) {
    if (!existsSync(join(root, parent))) continue
    for (const name of readdirSync(join(root, parent))) {
      const modules = join(parent, name, 'node_modules')
      if (existsSync(join(root, modules)))
        cpSync(join(root, modules), join(copy, modules), { recursive: true, verbatimSymlinks: true })
    }
  }
  return copy
}

export const removeTree = (copy: string): void => rmSync(copy, { recursive: true, force: true })

/**
 * The Markdown files that may have generated blocks, and where packages keep their README and its
 * example.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url))

export const PROTOCOL: string = `${ROOT}docs/protocol.md`

export function docs(): readonly string[] {
  return readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${ROOT}docs/${name}`)
}

export interface DocumentedPackage {
  readonly name: string
  readonly readme: string
  /** `readme.ts` first, which stands first in the README as well. */
  readonly examples: readonly string[]
}

function examplesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name !== 'readme.ts')
  return ['readme.ts', ...names].map((name) => `${folder}/${name}`)
}

export const PACKAGES: readonly DocumentedPackage[] = [
  'wire',
  'crypto',
  'client',
  'server',
  'files',
  'mailbox',
  'tunnel',
  'testkit',
].map((name) => ({
  name,
  readme: `${ROOT}packages/${name}/README.md`,
  examples: examplesIn(`${ROOT}packages/${name}/examples`),
}))

/** The Markdown files that may have generated blocks, and where packages keep their README and its example. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export const PROTOCOL: string = `${root}docs/protocol.md`

export function docs(): readonly string[] {
  return readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${root}docs/${name}`)
}

export interface DocumentedPackage {
  readonly name: string
  readonly readme: string
  readonly example: string
}

export const PACKAGES: readonly DocumentedPackage[] = ['wire', 'crypto', 'client', 'server', 'testkit'].map((name) => ({
  name,
  readme: `${root}packages/${name}/README.md`,
  example: `${root}packages/${name}/examples/readme.ts`,
}))

/**
 * Everything that people read of this repository: pages, READMEs, changesets, and of sources the
 * comments, logs, errors and names of tests; and what the programs print as help.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../../src/files.ts'

export interface Text {
  readonly name: string
  readonly text: string
}

/** The table of false sentences itself, and the files that are not prose. */
const OTHERS = ['tooling/docs/test/truth/false-sentences.ts', 'pnpm-lock.yaml']

const repositoryFiles = (...patterns: readonly string[]): readonly string[] =>
  execFileSync('git', ['ls-files', ...patterns], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n')

export const read = (name: string): string => readFileSync(`${ROOT}${name}`, 'utf8')

/** A text as patterns see it: without line breaks, comment signs, backticks and emphasis. */
export const flat = (text: string): string =>
  text
    .replaceAll(/^[ \t]*(\/\*\*?|\*\/|\*|\/\/)[ \t]?/gm, ' ')
    .replaceAll(/['"`]\s*\+\s*['"`]/g, '')
    .replaceAll(/[*`]/g, '')
    .replaceAll(/\s+/g, ' ')

export const sources = (): readonly Text[] =>
  repositoryFiles('*.ts', '*.mjs', '*.js')
    .filter((name) => !OTHERS.includes(name))
    .map((name) => ({ name, text: read(name) }))

export const pages = (): readonly Text[] => repositoryFiles('*.md').map((name) => ({ name, text: read(name) }))

const PROGRAMS: readonly (readonly [bin: string, commands: readonly string[]])[] = [
  ['apps/relay/bin/showchain-relay.js', ['']],
  ['apps/peer-cli/bin/showchain.js', ['', 'keygen', 'id', 'send', 'receive', 'listen', 'connect']],
]

/** The built programs' own words. */
export const helpTexts = (): readonly Text[] =>
  PROGRAMS.flatMap(([bin, commands]) =>
    commands.map((command) => {
      const args = [...(command === '' ? [] : [command]), '--help']
      const path = fileURLToPath(new URL(bin, `file://${ROOT}`))
      return {
        name: `${bin} ${args.join(' ')}`,
        text: execFileSync(process.execPath, [path, ...args], { encoding: 'utf8' }),
      }
    }),
  )

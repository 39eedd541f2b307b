import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BUDGETS } from '../src/bundle.ts'
import { commandsOf } from '../src/commands.ts'
import { deadLinks, type Place, REPOSITORY } from '../src/links.ts'
import { folder } from '../src/places.ts'
import { proxyCommandIn } from '../src/tunnels.ts'
import { ROOT, readWorkspace } from '../src/workspace.ts'

const place = (files: Readonly<Record<string, string>>): Place => ({
  has: (path) => Object.keys(files).some((file) => file === path || file.startsWith(`${path}/`)),
  text: (path) => files[path] ?? '',
})
const places = {
  nearby: place({ 'README.md': '', 'src/index.ts': '' }),
  repository: place({ 'docs/protocol.md': '# One\n## The `0x101`, again\n', 'packages/wire/README.md': '' }),
}

describe('a link of a README', () => {
  test.each([
    ['src/index.ts', 'to a file beside it'],
    ['src', 'to a folder beside it'],
    [`${REPOSITORY}/blob/main/docs/protocol.md`, 'to a file of the repository'],
    [`${REPOSITORY}/tree/main/packages/wire`, 'to a folder of the repository'],
    [`${REPOSITORY}/blob/main/docs/protocol.md#the-0x101-again`, 'to a heading of another text'],
    ['#use', 'to its own heading'],
    ['https://example.org/anything', 'to another site'],
  ])('%s leads somewhere: %s', (link) => {
    expect(deadLinks(`# A\n## Use\n[text](${link})`, places)).toEqual([])
  })

  test.each([
    ['../../docs/protocol.md', 'to what only the repository has'],
    ['lib/index.ts', 'to a file that is not there'],
    [`${REPOSITORY}/blob/main/docs/gone.md`, 'to a file that the repository has not'],
    [`${REPOSITORY}/blob/main/docs/protocol.md#two`, 'to a heading that another text has not'],
    ['#build', 'to a heading that it has not'],
  ])('%s is dead: %s', (link) => {
    expect(deadLinks(`# A\n## Use\n[\`text\`](${link}) and [again](src)`, places)).toEqual([link])
  })

  test('is not looked for in code', () => {
    expect(deadLinks('```md\n[a](b)\n```\n`[a](b)`', places)).toEqual([])
  })
})

test('the commands of a README are read without comments, quotes and line continuations', () => {
  const readme = '```sh\na \'x y\' "z" && b   # not this\nc --one \\\n  two\n```\n```ts\nd\n```\n'
  expect(commandsOf(readme)).toEqual([
    { program: 'a', args: ['x y', 'z'] },
    { program: 'b', args: [] },
    { program: 'c', args: ['--one', 'two'] },
  ])
})

test('the ProxyCommand of ssh in a README is a command of its own', () => {
  const readme = '```sh\nssh -o ProxyCommand="showchain stdio \'<ticket>\'" somebody@behind\n```\n'
  expect(proxyCommandIn(commandsOf(readme))).toEqual(['stdio', '<ticket>'])
  expect(proxyCommandIn([])).toBeUndefined()
})

const MAX_LINE = 110
const texts = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')

test.each(texts.filter((text) => !text.startsWith('.')))(
  'each link of %s leads to a file of the repository',
  (text) => {
    const places = { nearby: folder(join(ROOT, dirname(text))), repository: folder(ROOT) }
    expect(deadLinks(readFileSync(join(ROOT, text), 'utf8'), places)).toEqual([])
  },
)

const written = texts.filter((text) => text.endsWith('README.md') || text.startsWith('.changeset/'))

test.each(written)(`the prose of %s has at most ${MAX_LINE} characters a line`, (text) => {
  const prose = readFileSync(join(ROOT, text), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/\]\([^)]*\)/g, ']') // addresses cannot be wrapped
  const long = prose.split('\n').filter((line) => line.length > MAX_LINE && !line.startsWith('|'))
  expect(long).toEqual([])
})

test('the README of the repository names every script that people run', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const unnamed = Object.keys(scripts).filter(
    (name) => !['start', 'test'].includes(name) && !readme.includes(`\`${name}\``),
  )
  expect(unnamed).toEqual([])
})

const { packages } = await readWorkspace(ROOT)
const { version } = createRequire(import.meta.url)('typescript-floor/package.json') as { version: string }
const floor = `TypeScript ${version.split('.').slice(0, 2).join('.')} or later`

test.each(packages.filter(({ kind }) => kind === 'library'))(
  'the README of $name names the oldest TypeScript',
  (entry) => {
    expect(readFileSync(join(ROOT, entry.folder, 'README.md'), 'utf8')).toContain(floor)
  },
)

test("the README of wire names its browser bundle's budget", () => {
  const readme = readFileSync(join(ROOT, 'packages/wire/README.md'), 'utf8')
  expect(readme).toContain(`at most ${BUDGETS['@showchain/wire']} kB gzipped`)
})

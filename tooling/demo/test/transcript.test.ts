/** What the READMEs show of `send` and `receive` is what two people see at their terminals. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from '@showchain-tooling/vitest/programs'
import { expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()
const ROOT = new URL('../../../', import.meta.url)
const READMES = ['README.md', 'apps/peer-cli/README.md']
const CODE = /\d+-[a-z]+-[a-z]+/
/** What the READMEs send. */
const [FILES, BYTES] = [12, 34_500_000]

/** Ends of lines, and what moves the cursor (ECMA-48). */
const ESCAPE = '\u001b'
const CONTROL = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[A-Za-z]|[78])|[\r\n]+`)

/** What is shown below a command of a shell block, without the marks of comments. */
function shownBelow(readme: string, command: string): readonly string[] {
  const blocks = [...readFileSync(new URL(readme, ROOT), 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].map(
    ([, text = '']) => text,
  )
  const lines = blocks.find((text) => text.split('\n').includes(command))?.split('\n') ?? []
  const below = lines.slice(lines.indexOf(command) + 1)
  const end = below.findIndex((line) => !line.startsWith('# '))
  return below.slice(0, end === -1 ? undefined : end).map((line) => line.slice(2))
}

const isBar = (line: string): boolean => line.startsWith('[')

/**
 * The moment decides what a bar has: its length, numbers, file, and whether there is a rate yet. Of
 * other lines the code is another one, and nothing else.
 */
function patternOf(line: string): RegExp {
  const literal = line.replace(CODE, 'CODE').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  if (!isBar(line)) return new RegExp(`^${literal.replace('CODE', CODE.source)}$`)
  const bar = literal
    .replace(/\\\[=+ *\\\]/, String.raw`\[=* *\]`)
    .replace(/\/a\\\.jpg/, String.raw`/[a-l]\.jpg`)
    .replace(/ {2}\S+ MB\/s, \d+ s left/, String.raw`( {2}\S+ [kM]B/s, \d+ s left)?`)
  return new RegExp(`^${bar.replace(/\d+(\\\.\d+)?(?= (%|MB of))/g, String.raw`\d+(\.\d+)?`)}$`)
}

/** The lines of a terminal, those that were overwritten too. */
const linesOf = (output: string): readonly string[] => output.split(CONTROL).map((line) => line.trimEnd())

function expectInOrder(shown: readonly string[], lines: readonly string[]): void {
  expect(shown.length).toBeGreaterThan(0)
  let from = 0
  for (const each of shown) {
    // Bars are drawn at any time between others.
    const at = lines.findIndex((line, index) => (isBar(each) || index >= from) && patternOf(each).test(line))
    expect(at, `${each}\nin\n${lines.slice(from).join('\n')}`).toBeGreaterThanOrEqual(0)
    if (!isBar(each)) from = at + 1
  }
}

/** The question is no line before it is answered. */
const asked = ({ child: { stdout } }: Program): Promise<void> =>
  new Promise((resolve) => {
    let shown = ''
    stdout?.on('data', (more: Buffer) => {
      shown += more
      if (shown.includes('[y/N] ')) resolve()
    })
  })

test('a folder, by a code', async () => {
  const photos = bed.folder.file('photos')
  mkdirSync(photos)
  mkdirSync(bed.folder.file('into'))
  for (let file = 0; file < FILES; file++)
    writeFileSync(join(photos, `${'abcdefghijkl'[file]}.jpg`), Buffer.alloc(BYTES / FILES, file))
  const relay = bed.shell('exec $R --identity $D/relay.pem --create-identity --listen 127.0.0.1:0 --mailbox')
  const environment = `SHOWCHAIN_RELAY='${await relay.stdout.line(/mailbox=/)}'`
  const sender = bed.terminal(`cd $D; ${environment} exec $S send $L photos`)
  const invitation = await sender.stdout.line(/^showchain receive /)
  const code = CODE.exec(invitation)?.[0] as string
  const receiver = bed.terminal(`cd $D/into; stty cols 100; ${environment} exec $S receive $L ${code}`)
  await asked(receiver)
  receiver.type('y')
  const [sent, received] = await Promise.all([sender.ended(), receiver.ended()])
  expect([sent.code, received.code]).toEqual([0, 0])
  for (const readme of READMES) {
    expectInOrder(shownBelow(readme, 'showchain send photos'), linesOf(sent.stdout))
    expectInOrder(shownBelow(readme, 'showchain receive 7-orbit-velvet'), linesOf(received.stdout))
  }
})

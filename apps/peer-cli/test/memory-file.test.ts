/** What is kept beside an identity of those that were met. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PeerId, peerIdFromBytes } from '@showchain/wire'
import { needs } from '@showchain-tooling/vitest/needs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MAX_ENTRIES, memoryFile } from '../src/memory-file.ts'

const idOf = (index: number): PeerId =>
  peerIdFromBytes(Uint8Array.from({ length: 32 }, (_, at) => (at < 2 ? index >> (8 * at) : 9)))
let folder = ''
let identity = ''
const warnings: string[] = []
const open = (): ReturnType<typeof memoryFile> => memoryFile(identity, (why) => warnings.push(why))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'met-'))
  identity = join(folder, 'identity.pem')
  warnings.length = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

test('what was set is there in the next run, in one file that only its owner reads', () => {
  const memory = open()
  memory.set(idOf(1), 'one')
  memory.set(idOf(2), 'two')
  memory.set(idOf(1), undefined)
  expect([open().get(idOf(1)), open().get(idOf(2))]).toEqual([undefined, 'two'])
  expect(readdirSync(folder)).toEqual(['identity.pem.met'])
  if (process.platform !== 'win32') expect(statSync(`${identity}.met`).mode & 0o777).toBe(0o600)
  expect(warnings).toEqual([])
})

test('it has a bounded number of entries: the one that was used first goes', () => {
  const memory = open()
  for (let index = 0; index < MAX_ENTRIES; index++) memory.set(idOf(index), 'met')
  memory.get(idOf(0))
  memory.set(idOf(MAX_ENTRIES), 'met')
  const next = open()
  expect([next.get(idOf(0)), next.get(idOf(1)), next.get(idOf(MAX_ENTRIES))]).toEqual(['met', undefined, 'met'])
})

test.each(['', '{', 'null', '{"version":2,"met":{}}', '{"version":1}', '\u001b[2J', ' '.repeat(1024 * 1024 + 1)])(
  'a file with something else is not used, said once, and written anew (%#)',
  (text) => {
    writeFileSync(`${identity}.met`, text)
    const memory = open()
    expect(memory.get(idOf(1))).toBeUndefined()
    expect(warnings).toEqual([`${identity}.met has nothing that this version wrote, and is not used`])
    memory.set(idOf(1), 'one')
    expect(open().get(idOf(1))).toBe('one')
  },
)

test('entries that are none are left out', () => {
  const met = { [idOf(1)]: 'one', [idOf(2)]: 2, nobody: 'x' }
  writeFileSync(`${identity}.met`, JSON.stringify({ version: 1, met }))
  const memory = open()
  expect([memory.get(idOf(1)), memory.get(idOf(2))]).toEqual(['one', undefined])
  memory.set(idOf(3), 'three')
  expect(Object.keys(JSON.parse(readFileSync(`${identity}.met`, 'utf8')).met)).toEqual([idOf(1), idOf(3)])
})

test('a file that cannot be written is said once, and what was set is there in this run', () => {
  identity = join(folder, 'missing', 'identity.pem')
  const memory = open()
  memory.set(idOf(1), 'one')
  memory.set(idOf(2), 'two')
  expect(memory.get(idOf(1))).toBe('one')
  expect(warnings).toEqual([`${identity}.met is not kept: ENOENT`])
  expect(existsSync(`${identity}.met`)).toBe(false)
})

// Root may write anywhere.
test(
  'a folder that is read-only is no problem',
  needs(process.platform !== 'win32' && process.getuid?.() !== 0, 'root writes in any folder (run as another user)'),
  () => {
    chmodSync(folder, 0o500)
    open().set(idOf(1), 'one')
    chmodSync(folder, 0o700)
    expect(warnings).toEqual([])
  },
)

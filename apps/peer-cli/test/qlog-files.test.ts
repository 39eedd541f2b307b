import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerIdFromBytes } from '@showchain/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { qlogFiles } from '../src/qlog-files.ts'

const connection = { remoteId: peerIdFromBytes(new Uint8Array(32)), initiator: true }
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qlog-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('each connection is recorded in a file of its own', async () => {
  const path = join(folder, 'a.sqlog')
  const warnings: string[] = []
  const record = qlogFiles(path, (why) => warnings.push(why))
  const [first, second] = [record(connection), record(connection)]
  first?.('one ')
  second?.('two')
  first?.('more')
  expect(await Promise.all([path, `${path}.2`].map((file) => readFile(file, 'utf8')))).toEqual(['one more', 'two'])
  expect(warnings).toEqual([])
})

test('a file that cannot be written is said once, and disturbs nothing', () => {
  const warnings: string[] = []
  const sink = qlogFiles(join(folder, 'missing', 'a.sqlog'), (why) => warnings.push(why))(connection)
  sink?.('one')
  sink?.('two')
  expect(warnings).toEqual([expect.stringContaining('missing/a.sqlog is not complete')])
})

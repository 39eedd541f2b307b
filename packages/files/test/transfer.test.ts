/** Texts, signals and deadlines: what does not need a folder. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FileSource, FolderTarget, receiveFiles, sendFiles, sendText, type TransferProgress } from '../src/index.ts'
import { newFolder, testFolder, why } from './folders.ts'
import { pair } from './streams.ts'

const root = testFolder()
const accept = (): boolean => true

test('a text arrives, and nothing is written', async () => {
  const { sender, receiver } = pair()
  const target = await FolderTarget.in(newFolder(root))
  const [received] = await Promise.all([receiveFiles(receiver, target, { accept }), sendText(sender, 'hello\n')])
  expect(received).toEqual({ type: 'text', text: 'hello\n' })
})

test('a text that is too long is not sent', async () => {
  await expect(sendText(pair().sender, 'x'.repeat(65_537))).rejects.toMatchObject({ code: 'ERR_BAD_ARGUMENT' })
})

test('both ends tell how far they are', async () => {
  const [from, into] = [newFolder(root), newFolder(root)]
  for (const name of ['a', 'b']) writeFileSync(join(from, name), name.repeat(300_000))
  const { sender, receiver } = pair()
  const heard: TransferProgress[][] = [[], []]
  const onProgress = (end: number) => (progress: TransferProgress) => void heard[end]?.push(progress)
  await Promise.all([
    sendFiles(sender, await FileSource.of([join(from, 'a'), join(from, 'b')]), { onProgress: onProgress(0) }),
    receiveFiles(receiver, await FolderTarget.in(into), { accept, onProgress: onProgress(1) }),
  ])
  const last = {
    checking: false,
    path: 'b',
    bytes: 600_000,
    bytesBefore: 0,
    totalBytes: 600_000,
    files: 2,
    totalFiles: 2,
  }
  for (const said of heard) {
    expect(said.at(-1)).toEqual(last)
    expect(said.map(({ bytes }) => bytes)).toEqual(said.map(({ bytes }) => bytes).sort((a, b) => a - b))
  }
})

describe('a transfer ends', () => {
  test('when its signal is aborted, at either end', async () => {
    for (const end of ['sender', 'receiver'] as const) {
      const controller = new AbortController()
      const from = newFolder(root)
      writeFileSync(join(from, 'a'), 'content')
      const { sender, receiver } = pair()
      const signalOf = (which: string) => (which === end ? { signal: controller.signal } : {})
      const ends = Promise.allSettled([
        sendFiles(sender, await FileSource.of([from]), signalOf('sender')),
        receiveFiles(receiver, await FolderTarget.in(newFolder(root)), {
          ...signalOf('receiver'),
          accept: () => {
            controller.abort()
            return true
          },
        }),
      ])
      const [sent, received] = await ends
      const aborted = end === 'sender' ? sent : received
      expect(aborted).toMatchObject({ reason: { code: 'ERR_ABORTED' } })
    }
  })

  test('when nothing goes on for so long', async () => {
    const from = newFolder(root)
    const [sent] = await Promise.allSettled([sendFiles(pair().sender, await FileSource.of([from]), { silence: 50 })])
    expect(why(sent as PromiseSettledResult<unknown>)).toMatch(/nothing went on/)
  })
})

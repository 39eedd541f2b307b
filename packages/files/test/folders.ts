/** Folders on disk, and what is in them. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { afterAll } from 'vitest'
import { FileSource, FolderTarget, type Received, receiveFiles, sendFiles } from '../src/index.ts'
import { type Pair, pair } from './streams.ts'

/** A folder that is removed after the tests of the file. */
export function testFolder(): Folder {
  const folder = new Folder()
  afterAll(() => {
    // also what has no permissions
    execFileSync('chmod', ['-R', 'u+rwx', folder.path])
    folder.remove()
  })
  return folder
}

let made = 0
export function newFolder(parent: Folder, name = `folder-${made++}`): string {
  const path = parent.file(name)
  mkdirSync(path)
  return path
}

/** Each path below with its kind, mode, time and content. */
export function listing(folder: string | Buffer): readonly string[] {
  const place = Buffer.from(folder)
  return readdirSync(place, { encoding: 'buffer' })
    .sort(Buffer.compare)
    .flatMap((name) => {
      const path = Buffer.concat([place, Buffer.from('/'), name])
      const found = lstatSync(path)
      const shown = `${name.toString('latin1')} ${(found.mode & 0o777).toString(8)} ${Math.floor(found.mtimeMs)}`
      if (found.isSymbolicLink()) return [`${name.toString('latin1')} -> ${readlinkSync(path)}`]
      if (found.isDirectory()) return [`${shown}/`, ...listing(path).map((line) => `  ${line}`)]
      return [`${shown} ${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)}`]
    })
}

export interface Ends {
  readonly sent: PromiseSettledResult<unknown>
  readonly received: PromiseSettledResult<Received>
  /** Bytes that the sender wrote. */
  readonly written: number
}

/** Sends the paths into the folder; both ends have come to their end. */
export async function transfer(
  paths: readonly string[],
  into: string,
  options: {
    readonly force?: boolean
    readonly limit?: number
    readonly accept?: () => boolean
  } = {},
): Promise<Ends> {
  const streams: Pair = pair(options.limit)
  const source = await FileSource.of(paths)
  const target = await FolderTarget.in(into, { force: options.force ?? false })
  const [sent, received] = await Promise.allSettled([
    sendFiles(streams.sender, source),
    receiveFiles(streams.receiver, target, { accept: options.accept ?? (() => true) }),
  ])
  return { sent, received, written: streams.written() }
}

export const why = (end: PromiseSettledResult<unknown>): string =>
  end.status === 'rejected' ? (end.reason as Error).message : 'it succeeded'

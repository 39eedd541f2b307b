/** Files and folders of this computer, as a sender offers them. */

import type { Stats } from 'node:fs'
import { access, constants, lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { quote, ShowchainError } from '@showchain/wire'
import { type Entry, linkFault, MAX_ENTRIES, MAX_TIME, MODE_BITS, pathFault, shownPath } from '../core/index.ts'
import { TransferError } from '../transfer/errors.ts'
import type { Source, SourceFile } from '../transfer/ports.ts'
import { about, within, wordsOf } from './paths.ts'

/** What is in a folder and is not sent. */
export interface LeftOut {
  /** Printable. */
  readonly path: string
  readonly why: string
}

const NOTHING = new Uint8Array()

/** Files and folders of this host, to be sent. */
export class FileSource implements Source {
  readonly entries: Entry[] = []
  readonly names: Uint8Array[] = []
  readonly leftOut: LeftOut[] = []
  /** Where each file is. */
  readonly #places = new Map<Entry, Buffer>()

  /**
   * The paths that somebody named, and what is in them. A link that is named stands for what it
   * leads to; one in a folder is sent as a link.
   * @throws ShowchainError `ERR_FILE_READ`: it is not there, or cannot be read; `ERR_BAD_ARGUMENT`
   */
  static async of(paths: readonly string[]): Promise<FileSource> {
    const source = new FileSource()
    for (const path of paths) await source.#addNamed(path)
    if (source.entries.length === 0) throw new ShowchainError('ERR_BAD_ARGUMENT', 'There is nothing to send.')
    return source
  }

  async open(entry: Entry): Promise<SourceFile> {
    const place = this.#places.get(entry) as Buffer
    const changed = (): TransferError =>
      new TransferError('failed', `${shownPath(entry.path)} changed while it was sent.`)
    const file = await about(entry.path, open(place, constants.O_RDONLY | constants.O_NOFOLLOW))
    const unchanged = async (): Promise<void> => {
      const now = await about(entry.path, file.stat())
      if (!now.isFile() || now.size !== entry.size || timeOf(now) !== entry.time) throw changed()
    }
    const read = async (position: number, length: number): Promise<Uint8Array> => {
      const buffer = Buffer.allocUnsafe(length)
      const { bytesRead } = await about(entry.path, file.read(buffer, 0, length, position))
      if (bytesRead === 0) throw changed()
      return buffer.subarray(0, bytesRead)
    }
    return { read, unchanged, close: () => file.close() }
  }

  async #addNamed(path: string): Promise<void> {
    const name = Buffer.from(basename(resolve(path)))
    const why = pathFault(name)
    if (why !== undefined) throw new ShowchainError('ERR_BAD_ARGUMENT', `${quote(path)} cannot be sent: ${why}.`)
    if (this.names.some((other) => name.equals(other)))
      throw new ShowchainError('ERR_BAD_ARGUMENT', `Two of what is sent are named ${shownPath(name)}.`)
    try {
      const place = Buffer.from(await realpath(path))
      const found = await stat(place)
      if (!found.isFile() && !found.isDirectory())
        throw new ShowchainError('ERR_BAD_ARGUMENT', `${quote(path)} is neither a file nor a folder.`)
      this.names.push(name)
      await this.#add(name, place, found)
    } catch (error) {
      if (error instanceof ShowchainError) throw error
      const { path: where = path } = error as NodeJS.ErrnoException
      throw new ShowchainError('ERR_FILE_READ', `${shownPath(Buffer.from(where))}: ${wordsOf(error)}.`, {
        cause: error,
      })
    }
  }

  async #add(path: Uint8Array, place: Buffer, found: Stats): Promise<void> {
    if (this.entries.length >= MAX_ENTRIES)
      throw new ShowchainError(
        'ERR_BAD_ARGUMENT',
        `More than ${MAX_ENTRIES} files and folders: send an archive of them.`,
      )
    const state = { mode: found.mode & MODE_BITS, time: timeOf(found), path }
    if (found.isSymbolicLink()) {
      const target = await readlink(place, 'buffer')
      const why = linkFault(path, target)
      if (why !== undefined) return this.#leaveOut(path, `a link, and ${why}`)
      this.entries.push({ kind: 'link', ...state, size: 0, target })
    } else if (found.isDirectory()) {
      this.entries.push({ kind: 'folder', ...state, size: 0, target: NOTHING })
      await this.#addContent(path, place)
    } else if (found.isFile()) {
      await access(place, constants.R_OK)
      const entry: Entry = { kind: 'file', ...state, size: found.size, target: NOTHING }
      this.entries.push(entry)
      this.#places.set(entry, place)
    } else this.#leaveOut(path, 'neither a file nor a folder')
  }

  async #addContent(folder: Uint8Array, place: Buffer): Promise<void> {
    const names = await readdir(place, 'buffer')
    // One order for the same files, so that a transfer is known again.
    for (const name of names.sort(Buffer.compare)) {
      const path = within(Buffer.from(folder), name)
      const why = pathFault(path)
      if (why !== undefined) this.#leaveOut(path, why)
      else await this.#add(path, within(place, name), await lstat(within(place, name)))
    }
  }

  #leaveOut(path: Uint8Array, why: string): void {
    this.leftOut.push({ path: shownPath(path), why })
  }
}

const timeOf = ({ mtimeMs }: Stats): number => Math.min(MAX_TIME, Math.max(0, Math.floor(mtimeMs)))

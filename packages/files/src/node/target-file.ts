/** A file that is received: written piece by piece, never followed through a link. */
import { chmod, constants, type FileHandle, lstat, open, rm } from 'node:fs/promises'
import type { Entry } from '../core/index.ts'
import type { Part, TargetFile } from '../transfer/ports.ts'
import { about, codeOf, ifThere, secondsOf } from './paths.ts'

/** While it is a part, for its owner only. */
const PART_MODE = 0o600
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** What is there of the file, if it can be the beginning of it. */
export async function partAt(place: Buffer, { path, size }: Entry): Promise<Part | undefined> {
  const found = await about(path, ifThere(lstat(place)))
  if (found === undefined || !found.isFile() || found.size === 0 || found.size > size) return undefined
  // One that cannot be read is written anew.
  const file = await open(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return undefined
  const read = async (position: number, length: number): Promise<Uint8Array> => {
    const buffer = Buffer.allocUnsafe(length)
    const { bytesRead } = await about(path, file.read(buffer, 0, length, position))
    return buffer.subarray(0, bytesRead)
  }
  return { size: found.size, read, close: () => file.close() }
}

export async function openTarget(place: Buffer, entry: Entry, position: number): Promise<TargetFile> {
  const file = await about(entry.path, opened(place, position))
  return new WrittenFile(file, place, entry, position)
}

async function opened(place: Buffer, position: number): Promise<FileHandle> {
  if (position === 0) return (await opensNew(place)) ?? (await rm(place).then(() => newFile(place)))
  // It may be complete, and read-only.
  await chmod(place, PART_MODE)
  const file = await open(place, O_WRONLY | O_NOFOLLOW)
  await file.truncate(position)
  return file
}

const newFile = (place: Buffer): Promise<FileHandle> => open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PART_MODE)

/** Undefined when something is there, which is no beginning of the file. */
async function opensNew(place: Buffer): Promise<FileHandle | undefined> {
  try {
    return await newFile(place)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined
    throw error
  }
}

class WrittenFile implements TargetFile {
  readonly #file: FileHandle
  readonly #place: Buffer
  readonly #entry: Entry
  #position: number
  /** It ends in a hole, and has nothing behind it that would give it its size. */
  #hole = false

  constructor(file: FileHandle, place: Buffer, entry: Entry, position: number) {
    this.#file = file
    this.#place = place
    this.#entry = entry
    this.#position = position
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      const { bytesWritten } = await about(this.#entry.path, this.#file.write(rest, 0, rest.length, this.#position))
      this.#position += bytesWritten
      this.#hole = false
      rest = rest.subarray(bytesWritten)
    }
  }

  /** Leaves a hole, where the file system has them. */
  async skip(count: number): Promise<void> {
    this.#position += count
    this.#hole = true
  }

  async complete(): Promise<void> {
    await about(this.#entry.path, this.#completed())
  }

  async #completed(): Promise<void> {
    const { size, mode, time } = this.#entry
    if (this.#hole) await this.#file.truncate(size)
    await this.#file.chmod(mode)
    await this.#file.utimes(secondsOf(time), secondsOf(time))
    await this.#file.close()
  }

  async discard(): Promise<void> {
    await about(this.#entry.path, rm(this.#place, { force: true }))
  }

  async close(): Promise<void> {
    // Closed twice is closed.
    await this.#file.close().catch(() => {})
  }
}

/**
 * Where what comes lies until all of it is there: one folder for each transfer, named by what was
 * offered, so that the same offer goes on where it was interrupted. Its names are taken at the end.
 */
import type { Dirent } from 'node:fs'
import { lstat, mkdir, open, opendir, rename, rm } from 'node:fs/promises'
import type { Offer } from '../core/index.ts'
import { TransferError } from '../transfer/errors.ts'
import { codeOf, ifThere, within } from './paths.ts'

/** Hex digits of the description in its name, as STAGING_NAME has it. */
const KEY_DIGITS = 16
/** For its owner only, as long as it is a part. */
export const FOLDER_MODE = 0o700
const FILES = 'files'
/** There when all of it is complete and checked. */
const WHOLE = 'whole'

export const stagingName = ({ description }: Offer): string =>
  `showchain-${Buffer.from(description).toString('hex').slice(0, KEY_DIGITS)}.part`

export class Staging {
  readonly place: Buffer
  /** What the entries lie in. */
  readonly files: Buffer

  constructor(folder: Buffer, offer: Offer) {
    this.place = within(folder, stagingName(offer))
    this.files = within(this.place, FILES)
  }

  async exists(): Promise<boolean> {
    return (await ifThere(lstat(this.place))) !== undefined
  }

  async isWhole(): Promise<boolean> {
    return (await this.exists()) && (await ifThere(lstat(within(this.place, WHOLE)))) !== undefined
  }

  async make(): Promise<void> {
    await makeFolder(this.place)
    await makeFolder(this.files)
  }

  async markWhole(): Promise<void> {
    await (await open(within(this.place, WHOLE), 'a')).close()
  }

  async remove(): Promise<void> {
    await rm(this.place, { recursive: true, force: true })
  }

  /** How many files, folders and links there are. */
  async count(): Promise<number> {
    return await countIn(this.files)
  }
}

async function countIn(folder: Buffer): Promise<number> {
  let count = 0
  for await (const entry of entriesOf(folder)) {
    count += 1
    if (entry.isDirectory()) count += await countIn(within(folder, nameOf(entry)))
  }
  return count
}

/** One by one: a folder may have very many. */
async function* entriesOf(folder: Buffer): AsyncGenerator<Dirent> {
  yield* await opendir(folder as unknown as string, { encoding: 'buffer' as BufferEncoding })
}

/** Node.js gives bytes when it is asked for them, and its types say text. */
const nameOf = ({ name }: Dirent): Buffer => name as unknown as Buffer

/** One that is there is used, unless it is a link or a file. */
export async function makeFolder(place: Buffer): Promise<void> {
  try {
    await mkdir(place, { mode: FOLDER_MODE })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    if (!(await lstat(place)).isDirectory())
      throw new TransferError('failed', 'A file or link is where a folder must be.')
  }
}

/**
 * Moves what was received to its name. With `force` files replace files, and folders are merged;
 * links are replaced and never followed.
 */
export async function moveInto(from: Buffer, to: Buffer, force: boolean): Promise<void> {
  const moved = await ifThere(lstat(from))
  if (moved === undefined) return
  const there = await ifThere(lstat(to))
  if (there === undefined || (force && !there.isDirectory() && !moved.isDirectory())) return await rename(from, to)
  if (!force) throw new TransferError('failed', 'A name that was free is taken now.')
  if (!there.isDirectory() || !moved.isDirectory())
    throw new TransferError('failed', 'A folder is where a file should be, or a file where a folder should be.')
  for await (const entry of entriesOf(from)) {
    const name = nameOf(entry)
    await moveInto(within(from, name), within(to, name), force)
  }
}

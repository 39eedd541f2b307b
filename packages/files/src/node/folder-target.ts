/** A folder of this computer that receives. Nothing is written outside of it. */
import { chmod, lstat, lutimes, realpath, rm, stat, symlink, utimes } from 'node:fs/promises'
import { quote, ShowchainError } from '@showchain/wire'
import { type Entry, type Offer, shownPath } from '../core/index.ts'
import { NameTakenError, TransferError } from '../transfer/errors.ts'
import type { Found, Part, Target, TargetFile } from '../transfer/ports.ts'
import { about, ifThere, secondsOf, systemFault, within, wordsOf } from './paths.ts'
import { FOLDER_MODE, makeFolder, moveInto, Staging } from './staging.ts'
import { openTarget, partAt } from './target-file.ts'

/** What may be changed in the folder. */
export interface FolderTargetOptions {
  /** Replace files that are there, and merge folders. */
  readonly force?: boolean
}

export class FolderTarget implements Target {
  readonly #folder: Buffer
  readonly #force: boolean
  #offer: Offer | undefined
  #staging: Staging | undefined

  private constructor(folder: Buffer, force: boolean) {
    this.#folder = folder
    this.#force = force
  }

  /** @throws ShowchainError `ERR_FILE_WRITE` when there is no such folder */
  static async in(folder: string, { force = false }: FolderTargetOptions = {}): Promise<FolderTarget> {
    try {
      const place = await realpath(folder)
      if (!(await stat(place)).isDirectory())
        throw new ShowchainError('ERR_FILE_WRITE', `${quote(folder)} is no folder.`)
      return new FolderTarget(Buffer.from(place), force)
    } catch (error) {
      if (error instanceof ShowchainError) throw error
      throw new ShowchainError('ERR_FILE_WRITE', `${quote(folder)}: ${wordsOf(error)}.`, { cause: error })
    }
  }

  async part(entry: Entry): Promise<Part | undefined> {
    return await partAt(this.#place(entry), entry)
  }

  async look(offer: Offer): Promise<Found> {
    return await about(this.#folder, this.#look(offer))
  }

  async #look(offer: Offer): Promise<Found> {
    const staging = new Staging(this.#folder, offer)
    this.#offer = offer
    this.#staging = staging
    if (await staging.isWhole()) {
      if (await this.#hasAll(staging, offer)) return 'whole'
      // Its names were taken, and are gone again.
      await staging.remove()
    }
    if (!this.#force)
      for (const name of offer.names)
        if ((await ifThere(lstat(within(this.#folder, name)))) !== undefined) throw new NameTakenError(shownPath(name))
    return (await staging.exists()) ? 'part' : 'nothing'
  }

  async #hasAll(staging: Staging, { names }: Offer): Promise<boolean> {
    for (const name of names)
      for (const place of [within(staging.files, name), within(this.#folder, name)])
        if ((await ifThere(lstat(place))) !== undefined) break
        else if (place.equals(within(this.#folder, name))) return false
    return true
  }

  async begin(): Promise<void> {
    await about(this.#folder, (this.#staging as Staging).make())
  }

  async folder(entry: Entry): Promise<void> {
    const place = this.#place(entry)
    await about(entry.path, makeFolder(place))
  }

  async open(entry: Entry, position: number): Promise<TargetFile> {
    return await openTarget(this.#place(entry), entry, position)
  }

  async link(entry: Entry): Promise<void> {
    await about(entry.path, this.#link(entry))
  }

  async #link(entry: Entry): Promise<void> {
    const place = this.#place(entry)
    if ((await ifThere(lstat(place)))?.isSymbolicLink()) await rm(place)
    await symlink(Buffer.from(entry.target), place)
    await lutimes(place, secondsOf(entry.time), secondsOf(entry.time))
  }

  /** A folder stays writable for its owner: an interrupted transfer goes on in it, and it is moved. */
  async left(entry: Entry): Promise<void> {
    const place = this.#place(entry)
    await about(entry.path, chmod(place, entry.mode | FOLDER_MODE))
    await about(entry.path, utimes(place, secondsOf(entry.time), secondsOf(entry.time)))
  }

  async finish(): Promise<void> {
    await about(this.#folder, this.#finish())
  }

  async #finish(): Promise<void> {
    const [staging, offer] = [this.#staging as Staging, this.#offer as Offer]
    if (!(await staging.isWhole())) {
      // What an earlier transfer left there, of another sender, is not part of this one.
      if ((await staging.count()) !== offer.entries)
        throw new TransferError(
          'failed',
          `${shownPath(staging.place)} has not what was sent: remove it, and begin again.`,
          'its part of an earlier transfer does not fit.',
        )
      await staging.markWhole()
    }
    for (const name of offer.names) await moveInto(within(staging.files, name), within(this.#folder, name), this.#force)
  }

  async forget(): Promise<void> {
    await about(this.#folder, (this.#staging as Staging).remove())
  }

  /** @throws TransferError */
  #place({ path }: Entry): Buffer {
    const why = systemFault(path)
    if (why !== undefined) throw new TransferError('refused', `${shownPath(path)}: ${why}.`)
    return within((this.#staging as Staging).files, path)
  }
}

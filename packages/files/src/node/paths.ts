/** Paths of the file system as bytes, and what became of a call, in one line. */
import { keyOf, namesOf, shownPath } from '../core/index.ts'
import { TransferError } from '../transfer/errors.ts'

const SEPARATOR = Buffer.from('/')

/** @param path of an entry or a name */
export const within = (folder: Buffer, path: Uint8Array | string): Buffer =>
  Buffer.concat([folder, SEPARATOR, Buffer.from(path as Uint8Array)])

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code

/** What people call it, and what the other end may know. */
const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'the file is too large for the file system',
  EROFS: 'the file system is read-only',
  EACCES: 'permission was denied',
  EPERM: 'permission was denied',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'it is no folder',
  EEXIST: 'it is already there',
  EILSEQ: 'the file system does not take such names',
  EINVAL: 'the file system does not take such names',
  ENAMETOOLONG: 'the name is too long for the file system',
  EIO: 'the disk failed',
}

/** What became of a call, in a few words. */
export function wordsOf(error: unknown): string {
  const code = codeOf(error)
  return (code !== undefined && WORDS[code]) || (code ?? 'the file system failed')
}

/** The other end does not see the path. */
export function fileFailure(error: unknown, path: Uint8Array): TransferError {
  if (error instanceof TransferError) return error
  const words = wordsOf(error)
  return new TransferError('failed', `${shownPath(path)}: ${words}.`, `${words}.`, { cause: error })
}

/** Settles as the work does; what fails is a TransferError about the path. */
export async function about<T>(path: Uint8Array, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw fileFailure(error, path)
  }
}

/** For `utimes`, which takes seconds and cuts them off to whole microseconds: half a one more. */
export const secondsOf = (milliseconds: number): number => (milliseconds + 0.0005) / 1000

/** Undefined when nothing is there. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Windows takes these for parts of paths, streams, devices, or cuts them off. */
const WINDOWS_NAMES = /[<>:"|?*\\]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** Why a system does not take the path as it is; undefined when it does. */
export function systemFault(path: Uint8Array, platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform !== 'win32') return undefined
  const wrong = namesOf(path).find((name) => WINDOWS_NAMES.test(keyOf(name)))
  return wrong && 'Windows does not take such names'
}

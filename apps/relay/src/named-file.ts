/** Files that the configuration names. */
import { open } from 'node:fs/promises'
import { printable } from '@showchain/wire'
import { type Config, UsageError } from './config.ts'

/** Permissions of others than the owner. */
const OTHERS = 0o077

/** @throws UsageError that names the key of the configuration. */
export const readNamed = (path: string, key: keyof Config): Promise<Buffer> => read(path, key, 0)

/** One that nobody else may read. @throws UsageError that names the key of the configuration. */
export const readPrivate = (path: string, key: keyof Config): Promise<Buffer> => read(path, key, OTHERS)

async function read(path: string, key: keyof Config, forbidden: number): Promise<Buffer> {
  try {
    await using file = await open(path)
    const { mode } = await file.stat()
    if (process.platform !== 'win32' && (mode & forbidden) !== 0)
      throw new Error(`${path} has mode ${(mode & 0o777).toString(8)}: others may read it`)
    return await file.readFile()
  } catch (cause) {
    throw new UsageError(`${key}: ${printable((cause as Error).message)}`, { cause })
  }
}

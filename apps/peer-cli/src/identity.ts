/** Where the identity is, and how its passphrase comes in. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Identity, loadIdentity } from '@showchain/crypto'
import { ShowchainError } from '@showchain/wire'
import { UsageError } from './usage-error.ts'

export interface IdentityFlags {
  readonly identity?: string
  readonly passphraseFile?: string
}

/** By the XDG base directory specification. */
export function defaultIdentity(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CONFIG_HOME || join(homedir(), '.config'), 'showchain', 'identity.pem')
}

/** From --passphrase-file, without the line end that editors add, or from SHOWCHAIN_PASSPHRASE. @throws UsageError */
export async function passphraseOf({ passphraseFile }: IdentityFlags): Promise<string | undefined> {
  if (passphraseFile === undefined) return process.env.SHOWCHAIN_PASSPHRASE
  try {
    return (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    throw new UsageError(`--passphrase-file: ${(error as Error).message}`)
  }
}

/** @throws UsageError when there is none; ShowchainError as loadIdentity does. */
export async function identityOf(flags: IdentityFlags): Promise<Identity> {
  const path = flags.identity ?? defaultIdentity()
  try {
    return await loadIdentity(path, { passphrase: await passphraseOf(flags) })
  } catch (error) {
    if (!(error instanceof ShowchainError)) throw error
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      throw new UsageError(
        `there is no identity at ${path}: make one with \`showchain keygen\`, or name another with --identity`,
      )
    if (error.code === 'ERR_PASSPHRASE_NEEDED')
      throw new UsageError(`${path} is encrypted: set SHOWCHAIN_PASSPHRASE or give --passphrase-file`)
    throw error
  }
}

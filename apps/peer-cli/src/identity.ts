/** The identity file of a command, and its passphrase. */
import { type Identity, loadIdentity, readPassphrase } from '@showchain/crypto'
import { ShowchainError } from '@showchain/wire'
import { defaultIdentity } from './defaults.ts'
import { UsageError } from './failures.ts'

export interface IdentityFlags {
  readonly identity?: string
  readonly passphraseFile?: string
}

/** From --passphrase-file or SHOWCHAIN_PASSPHRASE. @throws ShowchainError `ERR_FILE_READ` */
export const passphraseOf = async ({ passphraseFile }: IdentityFlags): Promise<string | undefined> =>
  passphraseFile === undefined ? process.env.SHOWCHAIN_PASSPHRASE : readPassphrase(passphraseFile)

/**
 * @throws UsageError when there is no file or no passphrase; ShowchainError as loadIdentity does.
 */
export async function identityOf(flags: IdentityFlags): Promise<Identity> {
  const path = flags.identity ?? defaultIdentity()
  const passphrase = await passphraseOf(flags)
  try {
    return await loadIdentity(path, { passphrase })
  } catch (error) {
    if (!(error instanceof ShowchainError)) throw error
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      throw new UsageError(
        `there is no identity at ${path}: create one with \`showchain keygen\`, or choose another file with --identity`,
      )
    if (error.code === 'ERR_PASSPHRASE_NEEDED')
      throw new UsageError(`${path} is encrypted: set SHOWCHAIN_PASSPHRASE or give --passphrase-file`)
    if (error.code === 'ERR_PASSPHRASE_WRONG') {
      const from = flags.passphraseFile ?? 'SHOWCHAIN_PASSPHRASE'
      throw new ShowchainError(error.code, `It is that of ${from}, for ${path}.`, { cause: error.cause })
    }
    throw error
  }
}

/** Private keys in files: loaded, or created on the first run. */
import { generateIdentity, type Identity, loadIdentity, readPassphrase, saveIdentity } from '@showchain/crypto'
import { ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import { type Config, UsageError } from './config.ts'

/** @throws UsageError when the file cannot be used, or is not there and not to be created. */
export async function identityAt(
  path: string,
  { passphraseFile }: Pick<Config, 'passphraseFile'>,
  create: boolean,
  log: Logger,
): Promise<Identity> {
  try {
    const passphrase =
      passphraseFile === undefined ? process.env.SHOWCHAIN_PASSPHRASE : await readPassphrase(passphraseFile)
    return await loadedOrCreated(path, passphrase, create, log)
  } catch (error) {
    throw error instanceof ShowchainError ? new UsageError(error.message, { cause: error }) : error
  }
}

async function loadedOrCreated(
  path: string,
  passphrase: string | undefined,
  create: boolean,
  log: Logger,
): Promise<Identity> {
  try {
    return await loadIdentity(path, { passphrase })
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error
    if (!create)
      throw new UsageError(
        `identity: there is no ${path}; create it with --create-identity, or with \`showchain keygen --out\``,
      )
  }
  const identity = await generateIdentity()
  await saveIdentity(identity, path, { passphrase })
  log.info({ id: identity.id, file: path }, 'created a new identity')
  return identity
}

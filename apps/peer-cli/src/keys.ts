/** `showchain keygen` and `showchain id`. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { generateIdentity, KEY_BITS, publicKeyToPem, saveIdentity } from '@showchain/crypto'
import { quote, ShowchainError } from '@showchain/wire'
import { defaultIdentity } from './defaults.ts'
import { UsageError } from './failures.ts'
import { type IdentityFlags, identityOf, passphraseOf } from './identity.ts'
import { print, say, textStdout } from './stdio.ts'

export interface KeygenFlags extends IdentityFlags {
  readonly bits: string
  readonly out?: string
}

/** Creates a key file and prints its id; an existing file is never overwritten. */
export async function keygen(flags: KeygenFlags): Promise<void> {
  const bits = KEY_BITS.find((each) => String(each) === flags.bits)
  if (bits === undefined) throw new UsageError(`--bits is one of ${KEY_BITS.join(', ')}, not ${quote(flags.bits)}`)
  const path = flags.out ?? defaultIdentity()
  const passphrase = await passphraseOf(flags)
  const identity = await generateIdentity({ bits })
  if (flags.out === undefined) await makeFolder(dirname(path))
  await saveIdentity(identity, path, { passphrase })
  console.error(`wrote ${path}${passphrase === undefined ? '' : ', encrypted with the passphrase'}`)
  // The key is there: `showchain id` prints its id again.
  textStdout().write(`${identity.id}\n`)
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new ShowchainError('ERR_FILE_WRITE', `${path}: ${(error as Error).message}.`, { cause: error })
  }
}

/** Prints the id of an identity, or its public key for the --peer-key of others. */
export async function printId(flags: IdentityFlags & { readonly pem?: boolean; readonly qr?: boolean }): Promise<void> {
  if (flags.pem === true && flags.qr === true) throw new UsageError('--qr is of the id: remove --pem')
  const { id, publicKey } = await identityOf(flags)
  await print(flags.pem === true ? publicKeyToPem(publicKey) : `${id}\n`)
  if (flags.qr === true && process.stderr.isTTY) say((await import('uqr')).renderUnicodeCompact(id))
}

/**
 * Identities and public keys in files: PKCS#8 and SubjectPublicKeyInfo PEM. A private key file is
 * readable by its owner only, and never overwritten.
 */

import { createPublicKey } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { quote, ShowchainError } from '@showchain/wire'
import { type Identity, identityFromPemWith, type PublicKey } from '../core/index.ts'
import { openssl } from '../openssl/openssl.ts'

/** Read and write for the owner, no access for others. */
const PRIVATE_MODE = 0o600
const OTHERS = 0o077
/** Far above an encrypted RSA-4096 key in PEM. */
const MAX_FILE_BYTES = 64 * 1024

/** How an encrypted key file is opened or written. */
export interface PassphraseOptions {
  /** For an encrypted key file. */
  readonly passphrase?: string | undefined
}

/**
 * @throws ShowchainError `ERR_FILE_READ`, `ERR_FILE_MODE` (others may read it), `ERR_KEY_REFUSED`,
 *   `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG`
 */
export async function loadIdentity(path: string, { passphrase }: PassphraseOptions = {}): Promise<Identity> {
  const { text, mode } = await readSmallFile(path)
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    throw new ShowchainError('ERR_FILE_MODE', `${shown(path)} has mode ${(mode & 0o777).toString(8)}.`)
  }
  return within(path, () => identityFromPemWith(openssl, text, passphrase))
}

/**
 * Writes a new key file, mode 0600.
 * @throws ShowchainError `ERR_FILE_EXISTS`, `ERR_FILE_WRITE`
 */
export async function saveIdentity(
  identity: Identity,
  path: string,
  { passphrase }: PassphraseOptions = {},
): Promise<void> {
  const pem = identity.toPem(passphrase)
  let file: FileHandle
  try {
    file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, PRIVATE_MODE)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new ShowchainError('ERR_FILE_EXISTS', shown(path), { cause: error })
    throw new ShowchainError('ERR_FILE_WRITE', `${shown(path)}: ${(error as Error).message}`, { cause: error })
  }
  try {
    await file.writeFile(pem)
    await file.sync()
  } catch (error) {
    // Remove the partial file: O_EXCL guarantees that it is ours.
    await unlink(path)
    throw new ShowchainError('ERR_FILE_WRITE', `${shown(path)}: ${(error as Error).message}`, { cause: error })
  } finally {
    await file.close()
  }
}

/**
 * The passphrase in a file, without the newline that editors append.
 * @throws ShowchainError `ERR_FILE_READ`
 */
export async function readPassphrase(path: string): Promise<string> {
  const { text } = await readSmallFile(path)
  return text.replace(/\r?\n$/, '')
}

/** A public key from a PEM file. @throws ShowchainError `ERR_FILE_READ`, `ERR_KEY_REFUSED` */
export async function loadPublicKey(path: string): Promise<PublicKey> {
  const { text } = await readSmallFile(path)
  return within(path, () => publicKeyFromPem(text))
}

/** @param pem `BEGIN PUBLIC KEY`. @throws ShowchainError `ERR_KEY_REFUSED` */
export function publicKeyFromPem(pem: string): PublicKey {
  if (!pem.includes('BEGIN PUBLIC KEY'))
    throw new ShowchainError('ERR_KEY_REFUSED', 'It is not a public key in PEM (BEGIN PUBLIC KEY).')
  let spki: Uint8Array
  try {
    spki = createPublicKey({ key: pem, format: 'pem' }).export({ type: 'spki', format: 'der' })
  } catch (error) {
    throw new ShowchainError('ERR_KEY_REFUSED', 'It is not a public key in PEM.', { cause: error })
  }
  return openssl.importPublicKey(spki)
}

/** `BEGIN PUBLIC KEY`, as `--peer-key` reads it. */
export const publicKeyToPem = ({ spki }: PublicKey): string =>
  createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    .export({ type: 'spki', format: 'pem' })
    .toString()

async function readSmallFile(path: string): Promise<{ readonly text: string; readonly mode: number }> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY)
    const { mode, size } = await file.stat()
    if (size > MAX_FILE_BYTES) throw new Error(`${size} bytes, more than ${MAX_FILE_BYTES}`)
    return { text: await file.readFile('utf8'), mode }
  } catch (error) {
    throw new ShowchainError('ERR_FILE_READ', `${shown(path)}: ${(error as Error).message}`, { cause: error })
  } finally {
    await file?.close()
  }
}

/** A path in full: shortened it could not be copied. A caller in JavaScript may pass anything. */
const shown = (path: unknown): string => (typeof path === 'string' ? path : quote(path))

/** Adds the path to errors about the file's content. */
function within<Result>(path: string, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ShowchainError)) throw error
    const what = error.detail === undefined ? '.' : `: ${error.detail}`
    throw new ShowchainError(error.code, `${shown(path)}${what}`, { cause: error })
  }
}

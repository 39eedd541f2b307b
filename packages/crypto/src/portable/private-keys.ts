/** Private keys of forge: PKCS#8 PEM, with and without a passphrase. */
import { ShowchainError } from '@showchain/wire'
import forge from 'node-forge'
import { fromBinaryString } from './bytes.ts'
import { ROUNDS, SALT_BYTES } from './passphrase-rounds.ts'

/** PBES2 with AES-256-CBC and PBKDF2-HMAC-SHA256. */
const ENCRYPTION = { algorithm: 'aes256', count: ROUNDS, saltSize: SALT_BYTES, prfAlgorithm: 'sha256' } as const

export type ForgePrivateKey = forge.pki.rsa.PrivateKey

const refused = (why: string, cause?: unknown): ShowchainError => new ShowchainError('ERR_KEY_REFUSED', why, { cause })

/** @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG` */
export function readPkcs8(pem: string, passphrase?: string): ForgePrivateKey {
  const encrypted = pem.includes('ENCRYPTED')
  if (encrypted && passphrase === undefined) throw new ShowchainError('ERR_PASSPHRASE_NEEDED')
  const info = encrypted ? decrypted(pem, passphrase as string) : pem
  try {
    return typeof info === 'string'
      ? forge.pki.privateKeyFromPem(info)
      : (forge.pki.privateKeyFromAsn1(info) as ForgePrivateKey)
  } catch (error) {
    throw refused('It is not a PKCS#8 private key of RSA in PEM.', error)
  }
}

function decrypted(pem: string, passphrase: string): forge.asn1.Asn1 {
  try {
    const info = forge.pki.decryptPrivateKeyInfo(forge.pki.encryptedPrivateKeyFromPem(pem), utf8(passphrase))
    if (info !== null) return info
  } catch (error) {
    throw new ShowchainError('ERR_PASSPHRASE_WRONG', undefined, { cause: error })
  }
  throw new ShowchainError('ERR_PASSPHRASE_WRONG')
}

export function writePkcs8(key: ForgePrivateKey, passphrase?: string): string {
  const info = forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key))
  return passphrase === undefined ? forge.pki.privateKeyInfoToPem(info) : encryptPkcs8(info, passphrase)
}

/** The same for a key of another provider. @param der PKCS#8 */
export const encryptPkcs8Der = (der: Uint8Array, passphrase: string): string =>
  encryptPkcs8(forge.asn1.fromDer(forge.util.createBuffer(toForge(der))), passphrase)

const encryptPkcs8 = (info: forge.asn1.Asn1, passphrase: string): string =>
  forge.pki.encryptedPrivateKeyToPem(forge.pki.encryptPrivateKeyInfo(info, utf8(passphrase), ENCRYPTION))

/** forge takes a passphrase as a binary string: one character per byte of its UTF-8. */
const utf8 = (passphrase: string): string => forge.util.encodeUtf8(passphrase)

const toForge = (bytes: Uint8Array): string => forge.util.binary.raw.encode(bytes)

/** The modulus, big-endian without leading zeros. */
export function modulusOf({ n }: ForgePrivateKey): Uint8Array {
  const hex = n.toString(16)
  return fromBinaryString(forge.util.hexToBytes(hex.length % 2 === 0 ? hex : `0${hex}`))
}

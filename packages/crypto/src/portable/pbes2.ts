/**
 * Private keys under a passphrase: PBES2 with AES-256-CBC and PBKDF2-HMAC-SHA256 (RFC 8018 §6.2), which is
 * what this project and OpenSSL write. Another scheme is refused.
 */
import { cbc } from '@noble/ciphers/aes.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ShowchainError, utf8 } from '@showchain/wire'
import { DerReader, element, INTEGER, OBJECT, OCTET_STRING, SEQUENCE } from '../core/der.ts'
import { fromBigInt, toBigInt } from './bytes.ts'
import { ROUNDS, SALT_BYTES } from './passphrase-rounds.ts'
import { webRandom } from './web-globals.ts'

/** 1.2.840.113549.1.5.13 */
const PBES2 = element(OBJECT, Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d))
/** 1.2.840.113549.1.5.12 */
const PBKDF2 = element(OBJECT, Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c))
/** hmacWithSHA256, 1.2.840.113549.2.9, with NULL parameters. */
const HMAC = element(
  SEQUENCE,
  element(OBJECT, Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09)),
  Uint8Array.of(5, 0),
)
/** aes256-CBC-PAD, 2.16.840.1.101.3.4.1.42 */
const AES = element(OBJECT, Uint8Array.of(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a))
const AES_KEY_BYTES = 32
/** AES's block (FIPS 197). */
const IV_BYTES = 16

interface Parameters {
  readonly salt: Uint8Array
  readonly rounds: number
  readonly iv: Uint8Array
}

const cipherOf = (passphrase: string, { salt, rounds, iv }: Parameters): ReturnType<typeof cbc> =>
  cbc(pbkdf2(sha256, utf8(passphrase), salt, { c: rounds, dkLen: AES_KEY_BYTES }), iv)

/** @returns EncryptedPrivateKeyInfo (RFC 5958 §3) */
export function encrypted(info: Uint8Array, passphrase: string): Uint8Array {
  const parameters = {
    salt: webRandom(new Uint8Array(SALT_BYTES)),
    rounds: ROUNDS,
    iv: webRandom(new Uint8Array(IV_BYTES)),
  }
  const rounds = element(INTEGER, fromBigInt(BigInt(ROUNDS), 3))
  const kdf = element(SEQUENCE, PBKDF2, element(SEQUENCE, element(OCTET_STRING, parameters.salt), rounds, HMAC))
  const scheme = element(SEQUENCE, AES, element(OCTET_STRING, parameters.iv))
  const algorithm = element(SEQUENCE, PBES2, element(SEQUENCE, kdf, scheme))
  return element(SEQUENCE, algorithm, element(OCTET_STRING, cipherOf(passphrase, parameters).encrypt(info)))
}

/** @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_WRONG` */
export function decrypted(sealed: Uint8Array, passphrase: string): Uint8Array {
  const { data, ...parameters } = read(sealed)
  try {
    return cipherOf(passphrase, parameters).decrypt(data)
  } catch (cause) {
    throw new ShowchainError('ERR_PASSPHRASE_WRONG', undefined, { cause })
  }
}

function read(sealed: Uint8Array): Parameters & { readonly data: Uint8Array } {
  try {
    const info = new DerReader(sealed).inside(SEQUENCE)
    const algorithm = info.inside(SEQUENCE)
    algorithm.pass(PBES2)
    const pair = algorithm.inside(SEQUENCE)
    const kdf = pair.inside(SEQUENCE)
    kdf.pass(PBKDF2)
    const how = kdf.inside(SEQUENCE)
    const salt = how.next(OCTET_STRING)
    const rounds = Number(toBigInt(how.next(INTEGER)))
    // The length of the key, which the cipher has already.
    if (how.has(INTEGER)) how.next(INTEGER)
    how.pass(HMAC)
    const scheme = pair.inside(SEQUENCE)
    scheme.pass(AES)
    return { salt, rounds, iv: scheme.next(OCTET_STRING), data: info.next(OCTET_STRING) }
  } catch (cause) {
    throw new ShowchainError('ERR_KEY_REFUSED', 'It is encrypted by another scheme than AES-256-CBC with PBKDF2.', {
      cause,
    })
  }
}

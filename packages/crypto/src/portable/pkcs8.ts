/**
 * RSA private keys as PKCS#8 (RFC 5958 §2, RFC 8017 appendix A.1.2), read far enough to know that their
 * numbers belong together, and their PEM, with and without a passphrase.
 */
import { fromBase64url, ShowchainError, toBase64url } from '@showchain/wire'
import { DerReader, element, INTEGER, OCTET_STRING, SEQUENCE } from '../core/der.ts'
import { ALGORITHM } from '../core/spki.ts'
import { toBigInt } from './bytes.ts'
import { decrypted, encrypted } from './pbes2.ts'

const PLAIN = 'PRIVATE KEY'
/** As of PKCS#1 alone, which OpenSSL reads as well. */
const PKCS1 = 'RSA PRIVATE KEY'
const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'
const VERSION = element(INTEGER, Uint8Array.of(0))
/** Characters of a line of PEM (RFC 7468 §2). */
const LINE = /.{1,64}/g

const refused = (why: string, cause?: unknown): ShowchainError => new ShowchainError('ERR_KEY_REFUSED', why, { cause })

/** What a public key has of a private one. */
export interface PublicNumbers {
  /** Big-endian, without leading zeros. */
  readonly modulus: Uint8Array
  readonly exponent: bigint
}

/** @throws ShowchainError `ERR_KEY_REFUSED` if it is no RSA key, or its numbers do not match */
export function readPrivateKey(der: Uint8Array): PublicNumbers {
  const { n, ...numbers } = numbersOf(der)
  const [e, d, p, q] = [toBigInt(numbers.e), toBigInt(numbers.d), toBigInt(numbers.p), toBigInt(numbers.q)]
  const fits =
    p * q === toBigInt(n) &&
    p > 1n &&
    q > 1n &&
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    d % (p - 1n) === toBigInt(numbers.dp) &&
    d % (q - 1n) === toBigInt(numbers.dq) &&
    (toBigInt(numbers.inverse) * q) % p === 1n
  if (!fits) throw refused('Its numbers do not match: the file is damaged.')
  return { modulus: withoutZeros(n), exponent: e }
}

interface Numbers {
  readonly n: Uint8Array
  readonly e: Uint8Array
  readonly d: Uint8Array
  readonly p: Uint8Array
  readonly q: Uint8Array
  /** d mod (p − 1) */
  readonly dp: Uint8Array
  /** d mod (q − 1) */
  readonly dq: Uint8Array
  /** q⁻¹ mod p */
  readonly inverse: Uint8Array
}

function numbersOf(der: Uint8Array): Numbers {
  try {
    const info = new DerReader(der).inside(SEQUENCE)
    // Version 0, or 1 with the public key behind.
    info.next(INTEGER)
    info.pass(ALGORITHM)
    const key = info.inside(OCTET_STRING).inside(SEQUENCE)
    key.next(INTEGER)
    const next = (): Uint8Array => key.next(INTEGER)
    return { n: next(), e: next(), d: next(), p: next(), q: next(), dp: next(), dq: next(), inverse: next() }
  } catch (error) {
    throw refused('It is not a PKCS#8 private key of RSA.', error)
  }
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first === -1 ? new Uint8Array(0) : bytes.slice(first)
}

/** @throws ShowchainError `ERR_KEY_REFUSED`, `ERR_PASSPHRASE_NEEDED`, `ERR_PASSPHRASE_WRONG` */
export function readPem(pem: string, passphrase?: string): Uint8Array {
  const plain = between(pem, PLAIN)
  if (plain !== undefined) return plain
  const bare = between(pem, PKCS1)
  if (bare !== undefined) return element(SEQUENCE, VERSION, ALGORITHM, element(OCTET_STRING, bare))
  const sealed = between(pem, ENCRYPTED)
  if (sealed === undefined) throw refused('It is not a PKCS#8 private key in PEM.')
  if (passphrase === undefined) throw new ShowchainError('ERR_PASSPHRASE_NEEDED')
  return decrypted(sealed, passphrase)
}

export const writePem = (der: Uint8Array, passphrase?: string): string =>
  passphrase === undefined ? pemOf(der, PLAIN) : pemOf(encrypted(der, passphrase), ENCRYPTED)

function between(pem: string, label: string): Uint8Array | undefined {
  const begin = `-----BEGIN ${label}-----`
  const from = pem.indexOf(begin)
  const to = pem.indexOf(`-----END ${label}-----`)
  if (from === -1 || to < from) return undefined
  const text = pem.slice(from + begin.length, to).replace(/\s|=+\s*$/g, '')
  const der = fromBase64url(text.replaceAll('+', '-').replaceAll('/', '_'))
  if (der === undefined) throw refused('It is not base64.')
  return der
}

function base64(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

const pemOf = (der: Uint8Array, label: string): string =>
  [`-----BEGIN ${label}-----`, ...(base64(der).match(LINE) ?? []), `-----END ${label}-----`, ''].join('\n')

/**
 * SubjectPublicKeyInfo of an RSA key (RFC 5280 §4.1, RFC 8017 appendix A.1.1). With a fixed
 * exponent
 * each modulus has one DER encoding:
 *
 *   30 len | 30 0D 06 09 2A864886F70D010101 05 00 | 03 len 00 | 30 len | 02 len 00 modulus | 02 03 010001
 *
 * What is around the modulus is the same for all keys of one size: it is compared, and no parser is
 * needed.
 */
import { equalBytes, ShowchainError } from '@showchain/wire'
import { element, INTEGER, SEQUENCE } from './der.ts'
import { KEY_BITS, type KeyBits } from './provider.ts'

const BIT_STRING = 0x03
/** rsaEncryption, 1.2.840.113549.1.1.1, with NULL parameters. */
export const ALGORITHM: Uint8Array = Uint8Array.of(
  0x30,
  0x0d,
  0x06,
  0x09,
  0x2a,
  0x86,
  0x48,
  0x86,
  0xf7,
  0x0d,
  0x01,
  0x01,
  0x01,
  0x05,
  0x00,
)
/** INTEGER 65537, the last bytes of every key. */
const EXPONENT = Uint8Array.of(INTEGER, 3, 1, 0, 1)

/** The canonical DER of an RSA key. @param modulus big-endian, its top bit set. */
export function spkiOf(modulus: Uint8Array): Uint8Array {
  const key = element(SEQUENCE, element(INTEGER, Uint8Array.of(0), modulus), EXPONENT)
  return element(SEQUENCE, ALGORITHM, element(BIT_STRING, Uint8Array.of(0), key))
}

interface Form {
  readonly bits: KeyBits
  /** What stands before the modulus. */
  readonly head: Uint8Array
}

/** Of each size, by the length of the encoding. */
const FORMS = new Map<number, Form>(
  KEY_BITS.map((bits) => {
    const spki = spkiOf(new Uint8Array(bits / 8))
    return [spki.length, { bits, head: spki.slice(0, -EXPONENT.length - bits / 8) }]
  }),
)

export interface RsaModulus {
  readonly bits: KeyBits
  /** Big-endian, as many bytes as a signature. */
  readonly bytes: Uint8Array
}

/** @throws ShowchainError `ERR_KEY_REFUSED` unless the import policy allows it. */
export function readSpki(spki: Uint8Array): RsaModulus {
  const refused = (why: string): ShowchainError => new ShowchainError('ERR_KEY_REFUSED', why)
  const form = FORMS.get(spki.length)
  if (form === undefined) throw refused(`Its DER form has ${spki.length} bytes.`)
  const { bits, head } = form
  const end = spki.length - EXPONENT.length
  const modulus = spki.slice(head.length, end)
  if (!equalBytes(spki.subarray(0, head.length), head) || !equalBytes(spki.subarray(end), EXPONENT))
    throw refused('It is not the canonical form of an RSA key with the exponent 65537.')
  // A shorter modulus, or one that is not a product of two large primes.
  if ((modulus[0] as number) < 0x80) throw refused(`Its modulus is shorter than ${bits} bits.`)
  if (((modulus[modulus.length - 1] as number) & 1) === 0) throw refused('Its modulus is even.')
  return { bits, bytes: modulus }
}

/**
 * Public keys that the import policy refuses (docs/protocol.md, Identity), and messages that such a
 * key would verify. An implementation that accepts them accepts weak keys, or two ids for one key.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { type Message, parsePeerId, preimage, type SignedMessage, toBase64url } from '@showchain/wire'
import type { IdentityVector, RefusedIdentity, RefusedKeyVector } from './files.ts'
import { fromHex, toHex } from './hex.ts'
import { plainOf } from './plain.ts'
import { sha256 } from './sha256.ts'

/** rsaEncryption and id-RSASSA-PSS (RFC 8017 appendix A.2). */
const RSA_ENCRYPTION = '06092a864886f70d010101'
const RSASSA_PSS = '06092a864886f70d01010a'
const NULL = '0500'
const E_65537 = '0203010001'
/** A P-256 key (RFC 5480 §2): ecPublicKey, prime256v1, and the generator as its point. */
const P256 =
  '3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5'

const size = (hex: string): number => hex.length / 2

/** A DER element with its length in the shortest form (X.690 §10.1). */
function der(tag: string, ...contents: readonly string[]): string {
  const content = contents.join('')
  const length = size(content)
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return `${tag}${toHex(Uint8Array.from(bytes))}${content}`
}

interface Form {
  readonly algorithm?: string
  /** With its leading zero. */
  readonly modulus: string
  readonly exponent?: string
  /** Bits of the BIT STRING that are not used. */
  readonly unused?: string
}

const pkcs1 = ({ modulus, exponent = E_65537 }: Form): string => der('30', der('02', modulus), exponent)
const spki = (form: Form): string =>
  der('30', form.algorithm ?? der('30', RSA_ENCRYPTION, NULL), der('03', form.unused ?? '00', pkcs1(form)))

/** The modulus in the DER of a valid key, with its leading zero: the bytes before the exponent. */
const modulusOf = ({ spki: bytes, bits }: IdentityVector): string =>
  bytes.slice(-(size(E_65537) + 1 + bits / 8) * 2, -E_65537.length)

export function refusedKeys(good: IdentityVector, weak: readonly RefusedIdentity[]): readonly RefusedKeyVector[] {
  const modulus = modulusOf(good)
  const key = createPrivateKey(good.privateKey)
  const [outer, inner] = [good.spki, good.spki.slice(8)]
  /** Other encodings of the valid key. Each verifies its signatures, under another id. */
  const respelled: Readonly<Record<string, string>> = {
    'no parameters of the algorithm': spki({ modulus, algorithm: der('30', RSA_ENCRYPTION) }),
    'the algorithm id-RSASSA-PSS': spki({ modulus, algorithm: der('30', RSASSA_PSS) }),
    'a length in more bytes than it needs': `308300${outer.slice(4, 8)}${inner}`,
    'an indefinite length': `3080${inner}0000`,
    'a byte behind the key': `${outer}00`,
    'a modulus with two leading zeros': spki({ modulus: `00${modulus}` }),
    'an exponent with a leading zero': spki({ modulus, exponent: '020400010001' }),
    'a BIT STRING with unused bits': spki({ modulus, unused: '01' }),
    'RSAPublicKey of PKCS#1 alone': pkcs1({ modulus }),
  }
  const other: Readonly<Record<string, string>> = {
    'no bytes': '',
    'a key cut short': outer.slice(0, -2),
    'a negative modulus': spki({ modulus: modulus.slice(2) }),
    'exponent 1': spki({ modulus, exponent: '020101' }),
    'exponent 65539': spki({ modulus, exponent: '0203010003' }),
    'an even modulus': spki({ modulus: `${modulus.slice(0, -1)}0` }),
    'a modulus of 2047 bits': spki({ modulus: `7f${modulus.slice(4)}` }),
    'a modulus of 2056 bits': spki({ modulus: `${modulus}01` }),
    'a modulus of 8192 bits': spki({ modulus: `00${'c5'.repeat(1024)}` }),
    'a key of an elliptic curve': P256,
    'PEM text': toHex(Buffer.from(`-----BEGIN PUBLIC KEY-----\n${Buffer.from(fromHex(outer)).toString('base64')}\n`)),
  }
  return [
    ...weak.map(({ name, reason, spki: bytes, privateKey }) => ({
      name,
      reason,
      spki: bytes,
      message: signedBy(bytes, createPrivateKey(privateKey), good),
    })),
    ...Object.entries(respelled).map(([reason, bytes]) => ({
      name: `another encoding: ${reason}`,
      reason,
      spki: bytes,
      message: signedBy(bytes, key, good),
    })),
    ...Object.entries(other).map(([reason, bytes]) => ({ name: `another key: ${reason}`, reason, spki: bytes })),
  ]
}

/** A 0x101 of the identity that this key would have. */
function signedBy(bytes: string, key: KeyObject, target: IdentityVector): RefusedKeyVector['message'] {
  const request = {
    op_code: 0x101,
    id: parsePeerId(toBase64url(sha256(fromHex(bytes)))),
    target: parsePeerId(target.id),
    seq: 1,
    ts: 2,
  } as const
  const signature = Uint8Array.from(sign('sha256', preimage(request as SignedMessage, sha256), key))
  return plainOf({ ...request, sign: signature } as Message)
}

/** Certificates of X25519 keys: layout, and whether a receiver accepts them. */
import { createPrivateKey, sign } from 'node:crypto'
import { certificatePreimage, type Validity, writeCertificate } from '@showchain/wire/end-to-end'
import type { IdentityVector, RefusedIdentity, RefusedKeyVector } from '../files.ts'
import { fromHex, toHex } from '../hex.ts'
import { flipped, NOW, SALT, STATIC, WEEK } from './ends.ts'
import type { CertificateCheckVector, CertificateFile, CertificateVector, RefusedBytes } from './forms.ts'
import { signPss } from './pss.ts'

const DAY = 86_400_000
const MAX_COUNTER = Number.MAX_SAFE_INTEGER
/** Position of the SPKI, after two times and a length. */
const SPKI_AT = 18

type Signer = Pick<IdentityVector, 'name' | 'id' | 'spki' | 'privateKey'>
type Sign = (preimage: Uint8Array) => Uint8Array

/** A certificate signed by this identity. */
export function certify(
  signer: Signer,
  staticKey: string,
  validity: Validity = WEEK,
  name: string = signer.name,
): CertificateVector {
  const preimage = certificatePreimage(fromHex(staticKey), validity)
  const signature = signPss(signer.privateKey, preimage, SALT)
  return {
    name,
    identity: signer.name,
    staticKey,
    ...validity,
    preimage: toHex(preimage),
    salt: toHex(SALT),
    signature: toHex(signature),
    certificate: toHex(writeCertificate({ ...validity, spki: fromHex(signer.spki), signature })),
  }
}

export function certificateFile(
  identities: readonly IdentityVector[],
  weak: readonly RefusedIdentity[],
  refusedKeys: readonly RefusedKeyVector[],
): CertificateFile {
  const key = STATIC.initiator.publicKey
  const [first] = identities as readonly [IdentityVector]
  const times = certify(first, key, { notBefore: 0xffff_fffe, notAfter: 0x1_0000_0001 }, 'times of 32 and 33 bits')
  return {
    about: 'Certificates by which an identity vouches for its X25519 key, and whether a receiver takes them.',
    certificates: [...identities.map((identity) => certify(identity, key)), times],
    checks: checks(identities, weak, refusedKeys),
    refused: refusedForms(certify(first, key).certificate),
  }
}

function checks(
  identities: readonly IdentityVector[],
  weak: readonly RefusedIdentity[],
  refusedKeys: readonly RefusedKeyVector[],
): readonly CertificateCheckVector[] {
  const [signer, other] = identities as readonly [IdentityVector, IdentityVector]
  const staticKey = STATIC.initiator.publicKey
  const good = certify(signer, staticKey)
  const check = (
    name: string,
    genuine: boolean,
    changed: Partial<CertificateCheckVector> = {},
  ): CertificateCheckVector => ({
    ...{ name, certificate: good.certificate, staticKey, id: signer.id, unixMs: NOW },
    ...changed,
    genuine,
  })
  const of = (validity: Validity): { readonly certificate: string } => certify(signer, staticKey, validity)
  const bySpki = (spki: string, sign: Sign): { readonly certificate: string } => ({
    certificate: toHex(
      writeCertificate({
        ...WEEK,
        spki: fromHex(spki),
        signature: sign(certificatePreimage(fromHex(staticKey), WEEK)),
      }),
    ),
  })
  const signed = (sign: Sign): { readonly certificate: string } => bySpki(signer.spki, sign)
  const bytes = good.certificate.length / 2
  const { notBefore, notAfter } = WEEK
  return [
    ...identities.map((identity) =>
      check(`of ${identity.name}`, true, { id: identity.id, certificate: certify(identity, staticKey).certificate }),
    ),
    check('a day before it begins', true, { unixMs: notBefore - DAY }),
    check('more than a day before it begins', false, { unixMs: notBefore - DAY - 1 }),
    check('a day after it ended', true, { unixMs: notAfter + DAY }),
    check('more than a day after it ended', false, { unixMs: notAfter + DAY + 1 }),
    check('for a moment', true, of({ notBefore: NOW, notAfter: NOW })),
    check('for more than 7 days', false, of({ notBefore, notAfter: notAfter + 1 })),
    check('another X25519 key', false, { staticKey: STATIC.responder.publicKey }),
    check('the id of another identity', false, { id: other.id }),
    check(
      "another identity's signature",
      false,
      signed((covered) => signPss(other.privateKey, covered, SALT)),
    ),
    check('another day than was signed', false, { certificate: flipped(good.certificate, 63) }),
    check('one bit of the key', false, { certificate: flipped(good.certificate, (SPKI_AT + 100) * 8) }),
    check('one bit of the signature', false, { certificate: flipped(good.certificate, -1) }),
    check('no signature', false, { certificate: good.certificate.slice(0, 2 * (SPKI_AT + signer.spki.length / 2)) }),
    check('a byte behind the signature', false, { certificate: `${good.certificate}00` }),
    check('cut short', false, { certificate: good.certificate.slice(0, 2 * (bytes - 1)) }),
    check(
      'a signature of PKCS#1 v1.5',
      false,
      signed((covered) => pkcs1(signer, covered)),
    ),
    check(
      'a salt of 20 bytes',
      false,
      signed((covered) => signPss(signer.privateKey, covered, SALT.subarray(0, 20))),
    ),
    check(
      'no salt',
      false,
      signed((covered) => signPss(signer.privateKey, covered, new Uint8Array(0))),
    ),
    check(
      'a signature over the key and the days, without context',
      false,
      signed((covered) => withoutContext(signer, covered)),
    ),
    ...weak.map((identity) =>
      check(`a key that is refused: ${identity.reason}`, false, {
        ...bySpki(identity.spki, (covered) => signPss(identity.privateKey, covered, SALT)),
        id: identity.id,
      }),
    ),
    ...refusedKeys
      .filter(({ name }) => name.startsWith('another encoding'))
      .map(({ name, spki, message }) =>
        check(name, false, {
          ...bySpki(spki, (covered) => signPss(signer.privateKey, covered, SALT)),
          id: String(message?.id),
        }),
      ),
  ]
}

const pkcs1 = ({ privateKey }: Signer, covered: Uint8Array): Uint8Array =>
  Uint8Array.from(sign('sha256', covered, createPrivateKey(privateKey)))

/** The context ends with the first zero byte. */
const withoutContext = ({ privateKey }: Signer, covered: Uint8Array): Uint8Array =>
  signPss(privateKey, covered.subarray(covered.indexOf(0) + 1), SALT)

function refusedForms(certificate: string): readonly RefusedBytes[] {
  const length = 16
  return [
    { name: 'no bytes', bytes: '' },
    { name: 'times alone', bytes: certificate.slice(0, 2 * length) },
    { name: 'half a length', bytes: certificate.slice(0, 2 * (length + 1)) },
    { name: 'a key cut short', bytes: certificate.slice(0, 2 * (SPKI_AT + 100)) },
    {
      name: 'a length past the end',
      bytes: `${certificate.slice(0, 2 * length)}ffff${certificate.slice(2 * SPKI_AT)}`,
    },
    { name: 'not before of 2^53', bytes: `0020000000000000${certificate.slice(16)}` },
    { name: 'not after of 2^64 − 1', bytes: `${certificate.slice(0, 16)}${'ff'.repeat(8)}${certificate.slice(32)}` },
    {
      name: 'not after of 2^53',
      bytes: `${certificate.slice(0, 16)}${toHex64(MAX_COUNTER + 1)}${certificate.slice(32)}`,
    },
  ]
}

const toHex64 = (value: number): string => BigInt(value).toString(16).padStart(16, '0')

/**
 * A crypto provider for tests: hashes are real, RSA is not. A signature is what SHA-256 makes of the key and
 * the message, as long as a real one, so thousands are made in the time of one.
 */
import { createHash, createHmac } from 'node:crypto'
import type { CryptoProvider, KeyBits, PrivateKey, PublicKey } from '@showchain/crypto/core'
import { peerIdFromBytes, ShowchainError } from '@showchain/wire'

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())
const MARK = 0xfa
/** Bytes of the real SubjectPublicKeyInfo of each size. */
const SPKI_BYTES: Readonly<Record<KeyBits, number>> = { 2048: 294, 3072: 422, 4096: 550 }

/** The key with this number: always the same one. */
export function fakeKey(number: number, bits: KeyBits = 2048): PublicKey {
  const spki = new Uint8Array(SPKI_BYTES[bits])
  spki[0] = MARK
  new DataView(spki.buffer).setUint32(1, number)
  return importPublicKey(spki)
}

export function fakeSignature(key: PublicKey, message: Uint8Array): Uint8Array {
  const signature = new Uint8Array(key.signatureLength)
  const seed = sha256(new Uint8Array([...key.spki, ...message]))
  for (let at = 0; at < signature.length; at += seed.length) signature.set(seed, at)
  return signature
}

function importPublicKey(spki: Uint8Array): PublicKey {
  const bits = ([2048, 3072, 4096] as const).find((each) => SPKI_BYTES[each] === spki.length)
  if (bits === undefined || spki[0] !== MARK) throw new ShowchainError('ERR_KEY_REFUSED')
  return { id: peerIdFromBytes(sha256(spki)), spki, bits, signatureLength: bits / 8 }
}

const verify = (key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean =>
  Buffer.from(fakeSignature(key, message)).equals(signature)

const noPrivateKeys = (): never => {
  throw new ShowchainError('ERR_KEY_REFUSED', 'The fake provider has no private keys.')
}

export const fakeProvider: CryptoProvider = {
  name: 'fake',
  sha256,
  hmacSha256: (key, bytes) => new Uint8Array(createHmac('sha256', key).update(bytes).digest()),
  importPublicKey,
  verify,
  verifyAsync: async (key, message, signature) => verify(key, message, signature),
  generate: noPrivateKeys,
  importPrivateKey: noPrivateKeys,
  exportPrivateKey: noPrivateKeys,
  sign: async ({ publicKey }: PrivateKey, message) => fakeSignature(publicKey, message),
  signPss: noPrivateKeys,
  verifyPss: () => false,
}

import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { openssl } from '@showchain/crypto'
import { portable } from '@showchain/crypto/portable'
import { decode, MESSAGES } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type IdentityVector, KEY_SIZES, readMessages, readVectors, VECTOR_FOLDER } from '../../src/vectors/files.ts'
import { generateVectors } from '../../src/vectors/generate.ts'
import { fromHex } from '../../src/vectors/hex.ts'
import { binaryByHand, preimageByHand } from './by-hand.ts'

const { identities, refused } = readVectors('identities.json')
const messages = readMessages()

describe('the vector files', () => {
  const generated = generateVectors()

  test.each([...generated.keys()])('%s is made anew byte for byte', (name) => {
    // compared as one value: a difference in 100 kB of text is not worth printing
    expect(readFileSync(new URL(name, VECTOR_FOLDER), 'utf8') === generated.get(name)).toBe(true)
  })

  test('hold every message of the table for every key size, without and with extension fields', () => {
    for (const bits of KEY_SIZES)
      for (const { name, op } of MESSAGES) {
        const variants = messages.filter((vector) => vector.name.startsWith(`${name}/${bits}/`))
        expect(variants.map((vector) => vector.message.op_code)).toEqual(variants.map(() => op))
        expect(variants[0]?.name).toBe(`${name}/${bits}/seed`)
        expect(variants.length).toBeGreaterThanOrEqual(2)
      }
  })

  test('name nothing twice', () => {
    const names = [
      ...messages.map((vector) => vector.name),
      ...readVectors('refused.json').refused.map((vector) => vector.name),
    ]
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })
})

describe('the test identities', () => {
  test.each(identities.map((identity) => [identity.name, identity] as const))(
    '%s is what its private key says',
    (_, identity) => {
      const spki = createPublicKey(createPrivateKey(identity.privateKey)).export({ type: 'spki', format: 'der' })
      expect(spki.toString('hex')).toBe(identity.spki)
      expect(createHash('sha256').update(spki).digest('base64url')).toBe(identity.id)
      expect(createPrivateKey(identity.privateKey).asymmetricKeyDetails).toEqual({
        modulusLength: identity.bits,
        publicExponent: 65537n,
      })
    },
  )
})

describe('every golden message, by hand and without our codec,', () => {
  test.each(messages.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    expect(binaryByHand(vector.message)).toBe(vector.binary)
    expect(preimageByHand(vector.message)).toBe(vector.preimage)
    const json = Buffer.from(vector.json, 'hex').toString()
    expect(json).toBe(JSON.stringify(vector.message))
    expect(vector.jsonFits).toBe(json.length <= 1200)
    expect(vector.binary.length / 2).toBeLessThanOrEqual(1200)
    const signer = identities.find((identity) => identity.name === vector.signer)
    if (signer === undefined) expect(vector.message.sign).toBeUndefined()
    else
      expect(sign('sha256', Buffer.from(String(vector.preimage), 'hex'), signer.privateKey).toString('base64url')).toBe(
        vector.message.sign,
      )
  })
})

describe('our decoder refuses for the reason that the vector gives', () => {
  test.each(readVectors('refused.json').refused.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const datagram = fromHex(vector.datagram)
    expect(decode(datagram, { strict: true })).toEqual({ ok: false, refusal: vector.reason })
    expect(decode(datagram).ok).toBe(vector.strictOnly === true)
  })
})

describe('every refused key', () => {
  const { keys } = readVectors('refused-keys.json')

  test.each(keys.map((vector) => [vector.name, vector] as const))('%s is refused by both providers', (_, { spki }) => {
    for (const provider of [openssl, portable])
      expect(() => provider.importPublicKey(fromHex(spki))).toThrow(
        expect.objectContaining({ code: 'ERR_KEY_REFUSED' }),
      )
  })

  test('that has a message has the id and the signature of one, were the key taken', () => {
    const signed = keys.flatMap(({ name, spki, message }) => (message === undefined ? [] : [{ name, spki, message }]))
    expect(signed).toHaveLength(11)
    for (const { name, spki, message } of signed) {
      expect(message.id).toBe(createHash('sha256').update(Buffer.from(spki, 'hex')).digest('base64url'))
      const covered = Buffer.from(String(preimageByHand(message)), 'hex')
      // The encodings that are refused are all of the first identity's key.
      const { privateKey } = refused.find((identity) => identity.name === name) ?? (identities[0] as IdentityVector)
      const signature = Buffer.from(String(message.sign), 'base64url')
      expect(verify('sha256', covered, createPublicKey(privateKey), signature)).toBe(true)
    }
  })
})

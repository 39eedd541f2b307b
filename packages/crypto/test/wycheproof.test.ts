/**
 * Both providers against every RSA file of Wycheproof. A key that the import policy refuses ends
 * its group: both must refuse it. "acceptable" is one case: a DigestInfo without NULL, a second
 * spelling of the same digest; the strict comparison refuses it, and so does OpenSSL.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, needsVectors, PROVIDERS, toHex, vectors } from './fixtures.ts'

interface Case {
  readonly tcId: number
  readonly msg: string
  readonly sig: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface Group {
  readonly publicKeyDer?: string
  readonly keyDer?: string
  readonly privateKeyPem?: string
  readonly sha: string
  readonly tests: readonly Case[]
}
const groupsOf = (file: string): readonly Group[] =>
  vectors<{ readonly testGroups: readonly Group[] }>(`wycheproof/${file}_test.json`).testGroups

/** The provider's key, or undefined when it refuses it. */
function attempt<Key>(make: () => Key): Key | undefined {
  try {
    return make()
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_KEY_REFUSED' })
    return undefined
  }
}

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))(
  '%s',
  needsVectors,
  (_name, provider) => {
    test.each([
      ['rsa_signature_2048_sha256', 'verify', 257],
      ['rsa_signature_3072_sha256', 'verify', 258],
      ['rsa_signature_4096_sha256', 'verify', 258],
      ['rsa_pss_2048_sha256_mgf1_32', 'verifyPss', 108],
      ['rsa_pss_3072_sha256_mgf1_32', 'verifyPss', 108],
      ['rsa_pss_4096_sha256_mgf1_32', 'verifyPss', 108],
    ] as const)('%s: no false accept, no false reject', (file, verify, judged) => {
      const wrong: string[] = []
      let count = 0
      for (const group of groupsOf(file)) {
        const der = fromHex(group.publicKeyDer ?? group.keyDer ?? '')
        const key = attempt(() => provider.importPublicKey(der))
        if (key === undefined) continue
        for (const { tcId, msg, sig, result } of group.tests) {
          count++
          if (provider[verify](key, fromHex(msg), fromHex(sig)) !== (result === 'valid'))
            wrong.push(`${tcId} ${result}`)
        }
      }
      expect(wrong).toEqual([])
      expect(count).toBe(judged)
    })

    test.each([[2048], [3072], [4096]])('rsa_pkcs1_%d_sig_gen: makes the very signatures', async (bits) => {
      let made = 0
      for (const group of groupsOf(`rsa_pkcs1_${bits}_sig_gen`)) {
        if (group.sha !== 'SHA-256' || group.privateKeyPem === undefined) continue
        const key = attempt(() => provider.importPrivateKey(group.privateKeyPem as string))
        for (const { msg, sig } of key === undefined ? [] : group.tests) {
          expect(toHex(await provider.sign(key as NonNullable<typeof key>, fromHex(msg)))).toBe(sig)
          made++
        }
      }
      expect(made).toBe(8)
    })
  },
)

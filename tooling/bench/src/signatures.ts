/** Signatures and keys of each size, with each provider of crypto. */
import { type CryptoProvider, identityFromPemWith, KeyCache, openssl } from '@showchain/crypto'
import * as portableEntry from '@showchain/crypto/portable'
import { type IdentityVector, readVectors } from '@showchain/testkit'
import type { Effort } from './effort.ts'
import type { Figure, Findings, Row } from './figures.ts'
import { time, timeBatches } from './timing.ts'

/** A preimage is about this long. */
const MESSAGE = new Uint8Array(80).fill(7)
/** What a relay hands to threads at once. */
const IN_FLIGHT = 8
const CACHE_BATCH = 1000

const providers: readonly CryptoProvider[] = [
  openssl,
  ...(Object.values(portableEntry) as unknown[]).filter(
    (each): each is CryptoProvider => typeof each === 'object' && each !== null && 'importPublicKey' in each,
  ),
]

export async function signatures(effort: Effort): Promise<Findings> {
  const { identities } = readVectors('identities.json')
  const rows: Row[] = []
  for (const provider of providers)
    for (const identity of identities.filter(({ role }) => role === 'requester'))
      rows.push(await rowOf(provider, identity, effort))
  return {
    tables: [
      {
        title: 'Signatures: RSASSA-PKCS1-v1_5 with SHA-256, and keys',
        columns: ['key', 'verify', 'verify ×8', 'sign', 'sign ×8', 'import key', 'cached key'],
        rows,
        notes: [
          '×8: eight at once, each takes its share of the time; what leaves the loop uses all cores (openssl).',
          'import key: SubjectPublicKeyInfo through the import policy. cached key: KeyCache.get.',
        ],
      },
    ],
  }
}

async function rowOf(provider: CryptoProvider, vector: IdentityVector, effort: Effort): Promise<Row> {
  const spki = Uint8Array.from(Buffer.from(vector.spki, 'hex'))
  const identity = identityFromPemWith(provider, vector.privateKey)
  const key = provider.importPublicKey(spki)
  const cache = new KeyCache(provider, 1)
  cache.learn(key.id, spki)
  const signature = await identity.sign(MESSAGE)
  if (!provider.verify(key, MESSAGE, signature)) throw new Error(`${provider.name} does not verify what it signed.`)
  const alone = [
    () => provider.verify(key, MESSAGE, signature),
    () => identity.sign(MESSAGE),
    () => provider.importPublicKey(spki),
  ]
  const together = [
    () => atOnce(() => provider.verifyAsync(key, MESSAGE, signature)),
    () => atOnce(() => identity.sign(MESSAGE)),
  ]
  const [verify, sign, imported] = (await time(alone, 1, 'µs', effort)) as [Figure, Figure, Figure]
  const [verifyMany, signMany] = (await time(together, IN_FLIGHT, 'µs', effort)) as [Figure, Figure]
  const [cached] = (await timeBatches([() => cache.get(key.id)], CACHE_BATCH, 'µs', effort)) as [Figure]
  return { name: `RSA-${vector.bits} ${provider.name}`, cells: [verify, verifyMany, sign, signMany, imported, cached] }
}

const atOnce = (start: () => Promise<unknown>): Promise<unknown> =>
  Promise.all(Array.from({ length: IN_FLIGHT }, () => start()))

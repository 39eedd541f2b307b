/** Signatures and keys of each size, with each provider of crypto. */
import { type CryptoProvider, identityFromPemWith, KeyCache, openssl } from '@showchain/crypto'
import { portable } from '@showchain/crypto/portable'
import { type IdentityVector, readVectors } from '@showchain/testkit'
import type { Effort } from './effort.ts'
import type { Figure, Findings, Row } from './figures.ts'
import { time, timeBatches, timePromises } from './timing.ts'

/** A preimage is about this long. */
const MESSAGE = new Uint8Array(80).fill(7)
/** What a relay hands to threads at once. */
const IN_FLIGHT = 8
const CACHE_BATCH = 1000

const ON_LOOP = 'on the loop'

export async function signatures(effort: Effort): Promise<Findings> {
  const { identities } = readVectors('identities.json')
  const rows: Row[] = []
  for (const provider of [openssl, portable])
    for (const identity of identities.filter(({ role }) => role === 'requester'))
      rows.push(await rowOf(provider, identity, effort))
  return {
    tables: [
      {
        title: 'Signatures: RSASSA-PKCS1-v1_5 with SHA-256, and keys',
        columns: ['key', 'verify', 'verify ×8', 'sign', 'sign ×8', 'import key', 'cached key'],
        rows,
        notes: [
          '×8: eight at once on threads, each its share of the time. On the loop: nothing leaves it, so eight take eight times as long.',
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
  const [verify, imported] = (await time(
    [() => provider.verify(key, MESSAGE, signature), () => provider.importPublicKey(spki)],
    'µs',
    effort,
  )) as [Figure, Figure]
  const [sign] = (await timePromises([() => identity.sign(MESSAGE)], 1, 'µs', effort)) as [Figure]
  const onThreads = [
    () => atOnce(() => provider.verifyAsync(key, MESSAGE, signature)),
    () => atOnce(() => identity.sign(MESSAGE)),
  ]
  const [verifyMany, signMany] = provider === openssl ? await timePromises(onThreads, IN_FLIGHT, 'µs', effort) : []
  const [cached] = (await timeBatches([() => cache.get(key.id)], CACHE_BATCH, 'µs', effort)) as [Figure]
  return {
    name: `RSA-${vector.bits} ${provider.name}`,
    cells: [verify, verifyMany ?? ON_LOOP, sign, signMany ?? ON_LOOP, imported, cached],
  }
}

const atOnce = (start: () => Promise<unknown>): Promise<unknown> =>
  Promise.all(Array.from({ length: IN_FLIGHT }, () => start()))

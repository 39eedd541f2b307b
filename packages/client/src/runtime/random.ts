/** Randomness from OpenSSL's CSPRNG. */
import { randomFillSync } from 'node:crypto'
import type { Random } from '@showchain/crypto/core'
import { PagedRandom } from './paged-random.ts'

export const nodeRandom: Random = new PagedRandom((bytes) => void randomFillSync(bytes))

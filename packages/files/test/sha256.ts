/** SHA-256 of Node.js, for the machines. */
import { createHash } from 'node:crypto'
import type { Hash } from '../src/core/index.ts'

export function newHash(): Hash {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

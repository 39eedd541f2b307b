/** SHA-256 for vectors, from node:crypto: independent of the packages under test. */
import { createHash } from 'node:crypto'

export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest())

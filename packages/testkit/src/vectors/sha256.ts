/**
 * SHA-256 for vectors: straight from OpenSSL, so that they do not depend on the packages they test.
 */
import { createHash } from 'node:crypto'

export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest())

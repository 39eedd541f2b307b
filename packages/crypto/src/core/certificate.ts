/** Validity of certificates of X25519 keys. Their layout is in @showchain/wire/end-to-end. */
import type { Validity } from '@showchain/wire/end-to-end'

const DAY = 24 * 60 * 60 * 1000
/** Longest validity in ms (docs/protocol.md, End to end). */
export const CERTIFICATE_LIFETIME: number = 7 * DAY
/**
 * Tolerated clock difference in ms. It may be large: the handshake proves that the key is in use
 * now.
 */
const CLOCK_TOLERANCE = DAY

/**
 * Whether a certificate is valid at this time of the wall clock, and for no longer than is allowed.
 */
export const isCurrent = ({ notBefore, notAfter }: Validity, unixMs: number): boolean =>
  notAfter - notBefore <= CERTIFICATE_LIFETIME &&
  notBefore - CLOCK_TOLERANCE <= unixMs &&
  unixMs <= notAfter + CLOCK_TOLERANCE

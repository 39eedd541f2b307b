/** How long a certificate of an X25519 key counts; its bytes are in @showchain/wire/end-to-end. */
import type { Validity } from '@showchain/wire/end-to-end'

const DAY = 24 * 60 * 60 * 1000
/** Longest validity in ms (docs/protocol.md, End to end). */
export const CERTIFICATE_LIFETIME: number = 7 * DAY
/** Tolerated difference between two clocks in ms: a certificate proves who, the handshake proves now. */
const CLOCK_TOLERANCE = DAY

/** Whether a certificate counts at this time of the wall clock, and claims no longer validity than it may. */
export const isCurrent = ({ notBefore, notAfter }: Validity, unixMs: number): boolean =>
  notAfter - notBefore <= CERTIFICATE_LIFETIME &&
  notBefore - CLOCK_TOLERANCE <= unixMs &&
  unixMs <= notAfter + CLOCK_TOLERANCE

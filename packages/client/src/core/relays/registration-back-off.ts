/**
 * Back-off between failed registrations, and between dials of a connection that was lost: doubles
 * from the first to the last, ±50 %, so that who comes back is not flooded.
 */
import type { Random } from '@showchain/crypto/core'
import { type Duration, duration } from '../endpoint/machine.ts'

const FIRST = 1000 // ms
const LAST = 60_000

/** @param failures that came before this one */
export function backOff(failures: number, random: Random): Duration {
  return duration(Math.min(FIRST * 2 ** failures, LAST) * (0.5 + random.uniform()))
}

/** How long to wait before a remote peer that is gone is called again. */
import { type Duration, duration } from '@showchain/client/endpoint'
import type { Random } from '@showchain/crypto/core'
import { REDIAL_FIRST, REDIAL_LAST } from './limits.ts'

/** @param failures attempts in a row that failed, at least 1 */
export function redialDelay(failures: number, random: Pick<Random, 'uniform'>): Duration {
  const delay = Math.min(REDIAL_FIRST * 2 ** (failures - 1), REDIAL_LAST)
  return duration(delay * (0.5 + random.uniform()))
}

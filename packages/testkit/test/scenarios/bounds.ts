/** How long things may take at most, by the numbers of docs/protocol.md. */
import { FINAL_WAIT, RETRY_DELAYS, RETRY_JITTER } from '@showchain/client/core'

/** Retransmission: every delay as late as it may be, and the wait after the last. */
export const LONGEST_REQUEST: number = RETRY_DELAYS.reduce<number>(
  (sum, delay) => sum + delay * (1 + RETRY_JITTER),
  FINAL_WAIT,
)
/** There and back on a clean line. */
export const TRIP = 20

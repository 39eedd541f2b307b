/** The rates of requests that cost an answer or RSA (docs/protocol.md, Limits of a relay). */
import { type Rate, RateLimit } from './rate-limit.ts'

export interface AdmissionRates {
  /** Requests of a source, proven or not, beside those that ask for a challenge. */
  readonly source: RateLimit
  readonly id: RateLimit
  /**
   * Further requests of a source whose address proved itself: the rate of the source can be spent in
   * its name by who forges addresses, and these cannot.
   */
  readonly proven: RateLimit
  /** Challenges to one address and port, whoever spent the rate of its source. */
  readonly challenge: RateLimit
}

/**
 * What one request needs, which is sent five times in 12 s, and the next one. A bucket is full again
 * soon after one challenge, so that a flood from ever new addresses keeps nobody out of the table.
 */
export const CHALLENGES_PER_SECOND = 1
export const CHALLENGE_BURST = 3
/** Addresses and ports for each source. */
const ADDRESSES_PER_SOURCE = 8

/** @param capacity of each table */
export const admissionRates = (source: Rate, id: Rate, capacity: number): AdmissionRates => ({
  source: new RateLimit(source, capacity),
  id: new RateLimit(id, capacity),
  proven: new RateLimit(source, capacity),
  challenge: new RateLimit(
    { perSecond: CHALLENGES_PER_SECOND, burst: CHALLENGE_BURST },
    ADDRESSES_PER_SOURCE * capacity,
  ),
})

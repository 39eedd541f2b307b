/** The rates of requests that cost an answer or RSA (docs/protocol.md, Limits of a relay). */
import { type Rate, RateLimit } from './rate-limit.ts'

export interface AdmissionRates {
  /** Requests of a source, proven or not. */
  readonly source: RateLimit
  readonly id: RateLimit
  /**
   * Further requests of a source whose address proved itself: the rate of the source can be spent in
   * its name by who forges addresses, and these cannot.
   */
  readonly proven: RateLimit
  /** Further challenges to one address and port, whoever spent the rate of its source. */
  readonly challenge: RateLimit
}

/** Above what one request needs, which is sent five times in 12 s. */
const CHALLENGE_RATE: Rate = { perSecond: 5, burst: 10 }

/** @param capacity of each table */
export const admissionRates = (source: Rate, id: Rate, capacity: number): AdmissionRates => ({
  source: new RateLimit(source, capacity),
  id: new RateLimit(id, capacity),
  proven: new RateLimit(source, capacity),
  challenge: new RateLimit(CHALLENGE_RATE, capacity),
})

/** The rates of requests that cost an answer or RSA (docs/protocol.md, Limits of a relay). */
import { type Endpoint, formatEndpoint } from '@showchain/wire'
import type { Instant } from './machine.ts'
import { type Rate, RateLimit } from './rate-limit.ts'

/** A rate for each address and port. */
export interface AddressLimit {
  /** Whether one more is within the rate of this address. */
  take(address: Endpoint, now: Instant): boolean
}

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
  readonly challenge: AddressLimit
}

/**
 * What one request needs, which is sent five times in 12 s, and the next one. A bucket is full again
 * soon after one challenge, so that a flood from ever new addresses keeps nobody out of the table.
 */
export const CHALLENGES_PER_SECOND = 1
export const CHALLENGE_BURST = 3
/** Addresses and ports for each source. */
const ADDRESSES_PER_SOURCE = 8

/**
 * @param capacity of each table
 * @param addresses makes the table of challenges
 */
export const admissionRates = <Limit extends AddressLimit>(
  source: Rate,
  id: Rate,
  capacity: number,
  addresses: (rate: Rate, capacity: number) => Limit,
): AdmissionRates & { readonly challenge: Limit } => ({
  source: new RateLimit(source, capacity),
  id: new RateLimit(id, capacity),
  proven: new RateLimit(source, capacity),
  challenge: addresses({ perSecond: CHALLENGES_PER_SECOND, burst: CHALLENGE_BURST }, ADDRESSES_PER_SOURCE * capacity),
})

/** Few ask a peer: objects will do. */
export function addressLimit(rate: Rate, capacity: number): AddressLimit {
  const limit = new RateLimit(rate, capacity)
  return { take: (address, now) => limit.take(formatEndpoint(address), now) }
}

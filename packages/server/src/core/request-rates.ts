/** The rates of requests at a relay (docs/protocol.md, Limits of a relay). */
import { admissionRates, RateLimit } from '@showchain/client/endpoint'
import { type AddressKey, AddressRate } from './address-rate.ts'
import type { RelayLimits } from './limits.ts'
import type { RelayRates } from './relay-context.ts'

export function requestRates(limits: RelayLimits, key: AddressKey): RelayRates {
  // Read each time: limits may change.
  const source = {
    get perSecond() {
      return limits.requestsPerSecondPerSource
    },
    get burst() {
      return limits.requestBurstPerSource
    },
  }
  const id = {
    get perSecond() {
      return limits.requestsPerSecondPerId
    },
    get burst() {
      return limits.requestBurstPerId
    },
  }
  return {
    ...admissionRates(source, id, limits.rateSources, (rate, capacity) => new AddressRate(rate, { capacity, key })),
    stun: new RateLimit(source, limits.rateSources),
  }
}

/** The rates of requests at a relay (docs/protocol.md, Limits of a relay). */
import { admissionRates, RateLimit } from '@showchain/client/endpoint'
import type { RelayLimits } from './limits.ts'
import type { RelayContext } from './relay-context.ts'

export function requestRates(limits: RelayLimits): RelayContext['rates'] {
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
  return { ...admissionRates(source, id, limits.rateSources), stun: new RateLimit(source, limits.rateSources) }
}

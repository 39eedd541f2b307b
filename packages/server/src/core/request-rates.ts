/** The rates of requests at a relay (docs/protocol.md, Limits of a relay). */
import { admissionRates, RateLimit } from '@showchain/client/endpoint'
import type { RelayLimits } from './limits.ts'
import type { RelayContext } from './relay-context.ts'

export function requestRates(limits: RelayLimits): RelayContext['rates'] {
  const source = { perSecond: limits.requestsPerSecondPerSource, burst: limits.requestBurstPerSource }
  const id = { perSecond: limits.requestsPerSecondPerId, burst: limits.requestBurstPerId }
  return { ...admissionRates(source, id, limits.rateSources), stun: new RateLimit(source, limits.rateSources) }
}

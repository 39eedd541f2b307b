/** What a relay is made of that takes a while, after its options were checked. */
import type { Runtime } from '@showchain/client/runtime'
import { checkedQuotas, relayLimits, type Usage } from '../core/index.ts'
import { checkMembership } from './fleet-bus.ts'
import { type Listening, listening } from './listening.ts'
import type { RelayOpenOptions } from './relay-open-options.ts'
import { UsageInMemory, type UsageStore } from './usage-store.ts'

/** What it listens with, and what it has used. */
export interface Opened extends Listening {
  readonly usage: UsageStore
  /** What all used so far. */
  readonly total: Usage | undefined
}

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG` */
export async function opened(options: RelayOpenOptions, runtime: Runtime): Promise<Opened> {
  const { limits, fleet, quotas, permits = false, usage = new UsageInMemory() } = options
  // Before the sockets: what is bad must leave nothing behind.
  relayLimits(limits)
  if (fleet !== undefined) checkMembership(fleet)
  if (quotas !== undefined) checkedQuotas(quotas)
  const [total] = quotas !== undefined || permits ? await usage.read(['total']) : []
  return { ...(await listening(options, runtime)), usage, total }
}

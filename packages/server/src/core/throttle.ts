/**
 * At most once per span to each address. In a full table the oldest of a few is forgotten: what is sent is
 * never longer than what it answers, so that a second time costs nobody anything, while a refusal would
 * let forged addresses silence the relay towards everybody.
 */
import type { Duration } from '@showchain/client/endpoint'
import { AddressRate } from './address-rate.ts'
import type { RelayContext } from './relay-context.ts'

/** @param capacity most addresses that are remembered */
export const throttle = (every: Duration, capacity: number, { addressKey: key }: RelayContext): AddressRate =>
  new AddressRate({ perSecond: 1000 / every, burst: 1 }, { capacity, key, forgets: true })

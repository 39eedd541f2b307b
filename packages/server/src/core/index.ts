/**
 * The relay's machine and its parts that others read: limits, counters, events. Pure: no clock, no
 * socket, no Node.
 */
export type { RelayEvent } from './events.ts'
export { RELAY_LIMITS, type RelayLimit, type RelayLimits, relayLimits, relayLimitsSchema } from './limits.ts'
export { RELAY_COUNTERS, type RelayCounter } from './relay-counters.ts'
export { RelayMachine, type RelayOptions, type RelayStats } from './relay-machine.ts'
export type { StunSockets } from './stun-responder.ts'

/**
 * The relay's machine and its parts that others read: limits, counters, events. Pure: no clock, no
 * socket, no Node.
 */
export type { Applicant, Verdict } from './access-gate.ts'
export { type Ban, type BanRecord, Bans, checkedBan } from './bans.ts'
export type { FleetMessage, FleetNode, RelayEvent, SessionEnds } from './events.ts'
export type { FleetOptions } from './fleet/fleet-options.ts'
export {
  changeLimits,
  RELAY_LIMITS,
  type RelayLimit,
  type RelayLimits,
  relayLimits,
  relayLimitsSchema,
} from './limits.ts'
export { PAIR_IN_USE, PAIR_PATHS, type PairCounts, type PairPath } from './pair-paths.ts'
export { type Allotment, checkedQuotas, type Quotas, quotasSchema } from './quotas.ts'
export { RELAY_COUNTERS, RELAY_REFUSALS, type RelayCounter } from './relay-counters.ts'
export { RelayMachine } from './relay-machine.ts'
export type { RelayOptions, RelayStats } from './relay-options.ts'
export type { PairView, PeerView, RelayView, SessionView } from './relay-view.ts'
export type { StunSockets } from './stun-responder.ts'
export { type RelayTraffic, TRAFFIC_KINDS, type TrafficKind } from './traffic.ts'
export { Account, type CalendarDay, calendarDay, type Usage, type UsedBytes } from './usage.ts'

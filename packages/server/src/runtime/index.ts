/** A relay on Node. */
export type { FleetAddress } from '@showchain/wire/fleet'
export type {
  Allotment,
  Applicant,
  Ban,
  BanRecord,
  FleetNode,
  PairCounts,
  PairPath,
  PairView,
  PeerView,
  Quotas,
  RelayEvent,
  RelayStats,
  RelayTraffic,
  SessionView,
  TrafficKind,
  Usage,
  UsedBytes,
} from '../core/index.ts'
export {
  PAIR_IN_USE,
  PAIR_PATHS,
  quotasSchema,
  RELAY_COUNTERS,
  RELAY_LIMITS,
  RELAY_REFUSALS,
  type RelayCounter,
  type RelayLimit,
  type RelayLimits,
  relayLimitsSchema,
  TRAFFIC_KINDS,
} from '../core/index.ts'
export { COUNTER_SENTENCES, type CounterName, SOCKET_COUNTERS, type SocketCounter } from './counters.ts'
export { type FleetBus, type FleetMembership, LocalBus } from './fleet-bus.ts'
export { limitGarbage } from './limit-garbage.ts'
export { listenAt } from './listen-at.ts'
export { permitTicket } from './permit-ticket.ts'
export { Relay } from './relay.ts'
export type { RelayOpenOptions } from './relay-open-options.ts'
export { type BoundPeer, type RelayRuntimeStats, RelayWatch } from './relay-watch.ts'
export { UsageInMemory, type UsageStore } from './usage-store.ts'
export type { WebSocketCounter } from './websocket/counters.ts'
export type { WebSocketOptions } from './websocket/options.ts'

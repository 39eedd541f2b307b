/** A relay on Node. */
export type {
  Applicant,
  PairCounts,
  PairPath,
  RelayEvent,
  RelayStats,
  RelayTraffic,
  TrafficKind,
} from '../core/index.ts'
export {
  PAIR_PATHS,
  RELAY_COUNTERS,
  RELAY_LIMITS,
  RELAY_REFUSALS,
  type RelayCounter,
  type RelayLimit,
  type RelayLimits,
  relayLimitsSchema,
  TRAFFIC_KINDS,
} from '../core/index.ts'
export { type CounterName, SOCKET_COUNTERS, type SocketCounter } from './counters.ts'
export { limitGarbage } from './limit-garbage.ts'
export { Relay, type RelayOpenOptions, type RelayRuntimeStats } from './relay.ts'
export { WEBSOCKET_COUNTERS, type WebSocketCounter } from './websocket/counters.ts'
export type { WebSocketOptions } from './websocket/listener.ts'

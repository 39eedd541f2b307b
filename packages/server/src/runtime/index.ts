/** A relay on Node. */
export type { RelayEvent, RelayStats } from '../core/index.ts'
export {
  RELAY_COUNTERS,
  RELAY_LIMITS,
  type RelayCounter,
  type RelayLimit,
  type RelayLimits,
  relayLimitsSchema,
} from '../core/index.ts'
export { type CounterName, SOCKET_COUNTERS, type SocketCounter } from './counters.ts'
export { limitGarbage } from './limit-garbage.ts'
export { Relay, type RelayOpenOptions, type RelayRuntimeStats } from './relay.ts'
export { WEBSOCKET_COUNTERS, type WebSocketCounter } from './websocket/counters.ts'
export type { WebSocketOptions } from './websocket/listener.ts'

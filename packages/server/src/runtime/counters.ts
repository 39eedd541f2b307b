/** What a relay's sockets count, beside what its machine does. */
import type { SocketCounters } from '@showchain/client/runtime'
import { RELAY_COUNTERS, type RelayCounter } from '../core/index.ts'
import { WEBSOCKET_COUNTERS, type WebSocketCounter } from './websocket/counters.ts'

/** Names of the counters of sockets. */
export type SocketCounter = keyof SocketCounters
/** Names of all counters of a relay. */
export type CounterName = RelayCounter | SocketCounter | WebSocketCounter

/** What the sockets of a relay count. */
export const SOCKET_COUNTERS: Readonly<Record<SocketCounter, string>> = {
  sendFailed: 'datagrams that the kernel did not take, at least',
  sendTooLarge: 'datagrams that are longer than their link takes, at least',
  sendBufferFull: 'datagrams for which the kernel had no room, at least',
  noSocket: 'datagrams to a family that no socket is bound for',
  linkLocalSource: 'datagrams from a link-local address',
  socketErrors: 'errors of a socket that were not about one datagram',
}

/** What all counters of a relay mean, a sentence each. */
export const COUNTER_SENTENCES: Readonly<Record<CounterName, string>> = {
  ...RELAY_COUNTERS,
  ...SOCKET_COUNTERS,
  ...WEBSOCKET_COUNTERS,
}

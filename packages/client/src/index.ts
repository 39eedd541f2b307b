/** A peer of Show Chain on Node: `Peer.open`, `peer.connect`, `peer.incoming`. */

export type { WaitOptions } from './async/deadline.ts'
export type { Bytes } from './bytes-argument.ts'
export type { CloseOptions } from './close-options.ts'
export {
  Connection,
  type ConnectionStatistics,
  type OpenStreamOptions,
  type TimelineEntry,
} from './connection.ts'
export type { ConnectionEnd, DialPolicy, NatReport, Path, PathPolicy, PeerCounter, Via } from './core/index.ts'
export { PEER_COUNTERS } from './core/index.ts'
export { toDuplex } from './duplex.ts'
export type { AcceptCallback, CongestionName, PeerOptions } from './options.ts'
export { type ConnectOptions, Peer } from './peer.ts'
export type { RelayEvent } from './relay-event.ts'
export { nodeRuntime, type Runtime } from './runtime/index.ts'
export { Stream, type StreamReset } from './stream.ts'

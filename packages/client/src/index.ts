/** A peer of Show Chain on Node: `Peer.open`, `peer.connect`, `peer.incoming`. */

export {
  generateIdentity,
  type Identity,
  loadIdentity,
  loadPublicKey,
  type PublicKey,
  saveIdentity,
} from '@showchain/crypto'
export {
  type Address,
  type Encoding,
  type Endpoint,
  type ErrorCode,
  formatAddress,
  formatEndpoint,
  formatTicket,
  type PeerId,
  parseAddress,
  parseEndpoint,
  parsePeerId,
  parseTicket,
  ShowchainError,
  type Ticket,
} from '@showchain/wire'
export type { WaitOptions } from './async/deadline.ts'
export type { SignalOptions } from './async/signals.ts'
export type { Bytes } from './bytes-argument.ts'
export type {
  AcceptStreamOptions,
  CloseOptions,
  ConnectOptions,
  OpenStreamOptions,
  PingOptions,
} from './call-options.ts'
export { Connection } from './connection.ts'
export type { ConnectionStatistics, Pong, TimelineEntry } from './connection-reports.ts'
export type {
  ConnectionEnd,
  ConnectionInspection,
  DialAttempt,
  DialInspection,
  DialPolicy,
  MappingProtocol,
  NatReport,
  NoMapping,
  Path,
  PathInspection,
  PathPolicy,
  PeerCounter,
  PortMapping,
  PunchInspection,
  RelayInspection,
  Via,
} from './core/index.ts'
export { PEER_COUNTERS } from './core/index.ts'
export { type DiagnoseOptions, diagnose } from './diagnose.ts'
export { toDuplex } from './duplex.ts'
export type { Finding } from './finding.ts'
export type { PeerInspection } from './inspection.ts'
export type { PeerMemory } from './memory.ts'
export type { AcceptCallback, CongestionName, PeerOptions } from './options.ts'
export { Peer } from './peer.ts'
export { ReconnectingConnection } from './reconnecting.ts'
export type { RelayEvent } from './relay-event.ts'
export { nodeRuntime, type Runtime } from './runtime/index.ts'
export type { PortMappingInspection } from './runtime/port-mapping.ts'
export { Stream, type StreamEnd, type StreamReset } from './stream.ts'

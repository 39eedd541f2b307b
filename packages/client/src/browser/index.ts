/** A peer of Show Chain in a browser: `Peer.open`, `peer.connect`, `peer.incoming`. */

export { generateIdentity, type Identity, identityFromPem, type PublicKey } from '@showchain/crypto/web'
export {
  type ErrorCode,
  formatTicket,
  type PeerId,
  parsePeerId,
  parseTicket,
  ShowchainError,
  type Ticket,
} from '@showchain/wire'
export type { WaitOptions } from '../async/deadline.ts'
export type { SignalOptions } from '../async/signals.ts'
export type { Bytes } from '../bytes-argument.ts'
export type {
  AcceptStreamOptions,
  CloseOptions,
  ConnectOptions,
  OpenStreamOptions,
  PingOptions,
} from '../call-options.ts'
export { Connection } from '../connection.ts'
export type { ConnectionStatistics, Pong, TimelineEntry } from '../connection-reports.ts'
export type { ConnectionEnd, Path, PathPolicy } from '../core/index.ts'
export type { PeerInspection } from '../inspection.ts'
export type { PeerMemory } from '../memory.ts'
export type { AcceptCallback, CongestionName } from '../options.ts'
export { ReconnectingConnection } from '../reconnecting.ts'
export type { RelayEvent } from '../relay-event.ts'
export { Stream, type StreamEnd, type StreamReset } from '../stream.ts'
export { Peer, type PeerOptions } from './peer.ts'

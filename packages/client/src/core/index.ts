/** The protocol machines of a peer and the parts that a relay shares with it. Pure: no clock, no socket, no Node. */
export {
  ADDRESS_POLICIES,
  type AddressPolicy,
  type AddressPolicyName,
  internetPolicy,
  labPolicy,
} from './address-policy.ts'
export * from './admission.ts'
export * from './admission-counters.ts'
export type { Base } from './base.ts'
export type { SendFailure, Sent } from './channel.ts'
export { type Count, Counters } from './counters.ts'
export { directSession } from './direct-session.ts'
export { equalBytes } from './equal-bytes.ts'
export type { Attempt, DialId, DialPolicy, LinkId, Path, PeerEvent, StreamChange, Via } from './events.ts'
export { ExpiringMap, type ExpiringMapOptions } from './expiring-map.ts'
export type { PathPolicy } from './link.ts'
export {
  type Datagram,
  type Duration,
  duration,
  type Instant,
  instant,
  later,
  type Machine,
  type Output,
  type Route,
  type SocketChange,
  type SocketId,
  type Transmit,
  type Work,
} from './machine.ts'
export { maxMessage } from './max-message.ts'
export type { NatReport } from './nat-discovery.ts'
export { Outbox } from './outbox.ts'
export { PEER_COUNTERS, type PeerCounter } from './peer-counters.ts'
export { type DialTarget, PeerMachine } from './peer-machine.ts'
export { type Rate, RateLimit, TokenBucket } from './rate.ts'
export { rateSource } from './rate-source.ts'
export type { RelayAddress } from './registration.ts'
export { routeKey, sameRoute } from './route.ts'
export type { PathBytes, SecureStatistics } from './secure/secure.ts'
export { randomSeq, Sequence, type Stamp } from './sequence.ts'
export { encodeFitting, sign, verify } from './signed-messages.ts'
export { type Timer, Timers } from './timers.ts'
export * from './timing.ts'
export { Bbr } from './transport/bbr.ts'
export type { AckSample, Congestion, CongestionFactory, LossSample } from './transport/congestion.ts'
export { Cubic } from './transport/cubic.ts'
export type { StreamRead, Transport, TransportStatistics } from './transport/transport.ts'

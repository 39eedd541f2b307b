/** The protocol machines of a peer and the parts that a relay shares with it. Pure: no clock, no socket, no Node. */

export type { PathPolicy } from './connections/connection-machine.ts'
export type {
  ConnectionHandle,
  DialAttempt,
  DialId,
  DialPolicy,
  Path,
  PeerEvent,
  StreamChange,
  Via,
} from './context/events.ts'
export type { PeerContext } from './context/peer-context.ts'
export { PEER_COUNTERS, type PeerCounter } from './context/peer-counters.ts'
export * from './context/timing.ts'
export {
  ADDRESS_POLICIES,
  type AddressPolicy,
  type AddressPolicyName,
  internetPolicy,
  labPolicy,
} from './endpoint/address-policy.ts'
export * from './endpoint/admission.ts'
export * from './endpoint/admission-counters.ts'
export { type Count, Counters } from './endpoint/counters.ts'
export { equalBytes } from './endpoint/equal-bytes.ts'
export { ExpiringMap, type ExpiringMapOptions } from './endpoint/expiring-map.ts'
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
} from './endpoint/machine.ts'
export { Outbox } from './endpoint/outbox.ts'
export { rateSource } from './endpoint/rate-key.ts'
export { type Rate, RateLimit, TokenBucket } from './endpoint/rate-limit.ts'
export { randomSeq, Sequence, type Stamp } from './endpoint/request-stamp.ts'
export { routeKey, sameRoute } from './endpoint/route.ts'
export { encodeFitting, sign, verify } from './endpoint/signed-messages.ts'
export { type Timer, Timers } from './endpoint/timers.ts'
export { maxMessage } from './messages/max-message-size.ts'
export type { SendFailure, Sent } from './messages/message-session.ts'
export type { NatReport } from './nat/nat-discovery.ts'
export { type DialTarget, PeerMachine } from './peer/peer-machine.ts'
export type { RelayAddress } from './relays/registration.ts'
export { directSession } from './requests/direct-session.ts'
export type { PathBytes, SecureStatistics } from './secure/secure-session.ts'
export { Bbr } from './transport/congestion/bbr.ts'
export type { AckSample, Congestion, CongestionFactory, LossSample } from './transport/congestion/controller.ts'
export { Cubic } from './transport/congestion/cubic.ts'
export type { StreamRead, Transport, TransportStatistics } from './transport/transport.ts'

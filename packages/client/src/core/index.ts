/**
 * The protocol machines of a peer, and the endpoint that a relay shares with it. Pure: no clock, no
 * socket, no Node.
 */

export type { ConnectionInspection, PathInspection } from './connections/inspect-connection.ts'
export type { Ponged } from './connections/pings.ts'
export type {
  ConnectionHandle,
  DialAttempt,
  DialId,
  DialPolicy,
  NatReport,
  Path,
  PathPolicy,
  PeerEvent,
  Via,
} from './context/events.ts'
export type { PeerContext } from './context/peer-context.ts'
export { PEER_COUNTERS, type PeerCounter } from './context/peer-counters.ts'
export * from './endpoint/index.ts'
export { joined } from './endpoint/joined.ts'
export {
  LAN_COUNTERS,
  type LanCounter,
  type LanEvent,
  LanMachine,
  type LanMachineOptions,
  LOOK_TIME,
  type LookId,
  MAX_FOUND,
  MAX_LOOKS,
} from './lan/lan-machine.ts'
export { isLanAddress, isOnLink, type LanLink, type ServedLink, type Subnet } from './lan/link.ts'
export {
  dayOf,
  instanceOf,
  LAN_SERVICE,
  type LanAnswer,
  type LanCodec,
  type LanMessage,
  MAX_LAN_ADDRESSES,
  MDNS_GROUP,
  MDNS_GROUPS,
} from './lan/mdns.ts'
export { maxMessage } from './messages/max-message-size.ts'
export type { SendFailure, Sent } from './messages/outgoing-message.ts'
export { type LinkEvent, LinkProbe, type ServerProbe } from './nat/link-probe.ts'
export type { UpnpAnswer, UpnpTask } from './nat/mapping-exchange.ts'
export type { MappingProtocol, MappingRequest } from './nat/mapping-messages.ts'
export {
  MAPPING_ASK_GAP,
  MAPPING_LIFETIME,
  type MappingPlace,
  MIN_MAPPING_LIFETIME,
  type NoMapping,
  PortMapper,
  type PortMapperEvent,
  type PortMapping,
} from './nat/port-mapper.ts'
export { RECOVERY_TIME } from './paths/relay-failover.ts'
export type { DialTarget } from './peer/dial.ts'
export type { DialInspection } from './peer/dials.ts'
export type { PeerMachineInspection } from './peer/inspect-peer.ts'
export { natDiscovery } from './peer/nat-servers.ts'
export { PeerMachine } from './peer/peer-machine.ts'
export { BIRTHDAY_PROBES, BIRTHDAY_SOCKETS } from './punch/birthday-probing.ts'
export { MAX_PROBES, MAX_UNSEEN_PROBES } from './punch/limits.ts'
export type { PunchInspection } from './punch/punch-attempt.ts'
export { PLAIN_PUNCH_AFTER } from './punch/punch-requester.ts'
export type { RelayInspection } from './relays/inspect-relay.ts'
export { KEEP_ALIVE_ECHO_GAP, KEEP_ALIVE_INTERVAL } from './relays/keep-alive.ts'
export { backOff } from './relays/registration-back-off.ts'
export type { RelayAddress } from './relays/relay-route.ts'
export { type Acquaintance, type AcquaintanceStore, AcquaintancesInMemory } from './secure/acquaintances.ts'
export { BufferSlab } from './secure/buffer-slab.ts'
export { EarlyBytes } from './secure/early-bytes.ts'
export { answerHello, type Greeting, type HelloOptions, OutgoingHello } from './secure/hello.ts'
export { IDLE_TIMEOUT } from './secure/limits.ts'
export type { PathBytes, SecureStatistics } from './secure/statistics.ts'
export { hintOf } from './secure/warm-keys.ts'
export { Bbr } from './transport/congestion/bbr.ts'
export type { AckSample, Congestion, CongestionFactory, LossSample } from './transport/congestion/controller.ts'
export { Cubic } from './transport/congestion/cubic.ts'
export { type ConnectionEnd, closedHere, type Goodbye } from './transport/ending.ts'
export type {
  NoNames,
  StreamChange,
  StreamOpening,
  StreamRead,
  TransportStatistics,
  UnreadStream,
} from './transport/events.ts'
export { READ_PIECE } from './transport/limits.ts'

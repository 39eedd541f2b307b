/**
 * Tests for Show Chain programs: a simulated network on virtual time, crypto that costs nothing,
 * golden vectors.
 */

export { duration as ms } from '@showchain/client/core'
export { type TestIdentity, TestProvider } from '@showchain/crypto/testing'
export type {
  EndToEndOperations,
  HandshakeInput,
  HandshakeOutcome,
  PlainCertificate,
  PlainRecord,
} from './conformance/end-to-end-operations.ts'
export { LineProcess, serveConformance } from './conformance/lines.ts'
export type {
  Check,
  Implementation,
  Operation,
  Operations,
  PlainEndpoint,
  PlainTicket,
} from './conformance/operations.ts'
export { ownImplementation } from './conformance/own.ts'
export {
  type ConformanceResult,
  conforms,
  ImplementationGone,
  runConformance,
  tally,
  UnsupportedOperation,
} from './conformance/run.ts'
export { type FuzzFinding, FuzzInputs, type FuzzReport, fuzz } from './fuzz/fuzz.ts'
export type { FleetOfRelays, FleetPlace } from './internet/fleet-of-relays.ts'
export { type FleetSoakOptions, type FleetSoakOutcome, fleetSoak } from './internet/fleet-soak.ts'
export { type GoodputOptions, goodput, type LineShape } from './internet/goodput.ts'
export {
  type HostPlace,
  Internet,
  type PeerPlace,
  type Place,
  type RouterPlace,
  type SimPeerPlace,
} from './internet/internet.ts'
export type { MappingServerOptions } from './internet/mapping-server.ts'
export { type Outcome, type PlayOptions, play, SETTLED } from './internet/matrix.ts'
export { type Dependence, KEY, type NatBehaviour, NatTable, nat } from './internet/nat.ts'
export { MAPPED_PAIRINGS, NAT_PAIRINGS, PAIRINGS, type Pairing } from './internet/pairings.ts'
export {
  playRecovery,
  RECOVERY_FAULTS,
  type RecoveryFault,
  type RecoveryOutcome,
  type RecoveryPair,
  type RecoveryPlay,
  type RecoveryTraffic,
} from './internet/recovery.ts'
export { Router, type RouterOptions } from './internet/router.ts'
export {
  SimFleet,
  type SimFleetOptions,
  type SimNode,
} from './internet/sim-fleet.ts'
export { SimPeer } from './internet/sim-peer.ts'
export type { SimPeerOptions } from './internet/sim-peer-options.ts'
export type {
  Arrived,
  Delivery,
  Dialled,
  SimConnection,
} from './internet/sim-records.ts'
export { type Forgery, RELAY_PORT, SimRelay, type SimRelayOptions } from './internet/sim-relay.ts'
export { StreamChecker, StreamWriter } from './internet/sim-streams.ts'
export { type SoakOutcome, soak } from './internet/soak.ts'
export { NETWORK_FAULTS, SOAK_FAULTS, type SoakFault } from './internet/soak-faults.ts'
export { type StreamSoakOptions, type StreamSoakOutcome, streamSoak } from './internet/stream-soak.ts'
export { SIMULATED_EPOCH, VirtualClock } from './sim/clock.ts'
export { type Bursts, type Conditions, GOOD_CONDITIONS } from './sim/conditions.ts'
export { type Faults, faultySocket } from './sim/faulty-socket.ts'
export { Host } from './sim/host.ts'
export { type Carriage, Line, type LineFate } from './sim/line.ts'
export { Network, type NetworkOptions, type Station } from './sim/network.ts'
export type { Packet } from './sim/packet.ts'
export { type PcapOptions, toPcap } from './sim/pcap.ts'
export { type Seed, SeededRandom } from './sim/random.ts'
export { type Placed, type Placement, Simulation } from './sim/simulation.ts'
export {
  type Fate,
  type NoteEntry,
  type PacketEntry,
  type RouterEntry,
  type RouterVerdict,
  Timeline,
  type TimelineEntry,
} from './sim/timeline.ts'
export { VirtualWorker, type VirtualWorkerOptions } from './sim/worker.ts'
export {
  type AcceptedVector,
  type EndpointVector,
  type IdentityVector,
  type MessageVector,
  type RefusedVector,
  readMessages,
  readVectors,
  type TextVectors,
  type TicketVector,
  type VectorFileName,
  type VectorFiles,
} from './vectors/files.ts'
export { messageOf, type PlainMessage, plainOf } from './vectors/plain.ts'

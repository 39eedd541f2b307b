/**
 * Machines on Node: the driver and the ports it works on (clock, socket, worker), with Node's own
 * bindings of each.
 */
export { allowGarbage } from './allow-garbage.ts'
export { type Clock, type Scheduled, systemClock } from './clock.ts'
export { Driver, type DriverOptions, type EventOf } from './driver.ts'
export { ExtraUdpSocket } from './extra-udp.ts'
export type { LanPort } from './lan/lan-port.ts'
export { nodeLan } from './lan/node-lan.ts'
export { type Interfaces, localAddresses } from './local-addresses.ts'
export { hostCandidates, isWildcard } from './local-candidates.ts'
export { NetworkWatch, type NetworkWatchOptions } from './network-watch.ts'
export { noUdp } from './no-udp.ts'
export { nodeRuntime } from './node-runtime.ts'
export { PortMappingOfPeer, type PortMappingOptions } from './port-mapping.ts'
export { checkPrimitives } from './primitives.ts'
export { type Qlog, QlogRecorder, type QlogSink } from './qlog.ts'
export { nodeRandom } from './random.ts'
export { RECEIVE_BUFFER } from './receive-buffer.ts'
export { resolveAddress } from './resolve.ts'
export type { Gateway, Runtime } from './runtime.ts'
export { openSharedSockets, type SharedSockets, type Steering } from './shared-sockets.ts'
export type { ConnectionSocket, CountedSocket, DatagramSocket, SocketCounters, SocketImplementation } from './socket.ts'
export { standInFor } from './stand-in.ts'
export { type Trace, type TraceEntry, traceEntry, traceLine, traceTaps } from './trace.ts'
export { openUdp, UdpSocket } from './udp.ts'
export { LISTEN_EVERYWHERE, type ListenAddress, type UdpOptions } from './udp-options.ts'
export type { UpnpPort } from './upnp/upnp-port.ts'
export {
  CryptoWorker,
  type CryptoWorkerOptions,
  PEER_WORKER_LIMITS,
  WORKER_LIMITS,
  type Worker,
  type WorkerCounters,
  type WorkerLimits,
} from './worker.ts'

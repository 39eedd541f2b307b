/**
 * Machines on Node: the driver and the ports it works on (clock, socket, worker), with Node's own
 * bindings of each.
 */
export { type Clock, type Scheduled, systemClock } from './clock.ts'
export { Driver, type DriverOptions, type EventOf } from './driver.ts'
export { ExtraUdpSocket } from './extra-udp.ts'
export { hostCandidates, type Interfaces, isWildcard, localAddresses } from './local-addresses.ts'
export { NetworkWatch, type NetworkWatchOptions } from './network-watch.ts'
export { checkPrimitives } from './primitives.ts'
export { type Qlog, QlogRecorder, type QlogSink } from './qlog.ts'
export { nodeRandom } from './random.ts'
export { RECEIVE_BUFFER } from './receive-buffer.ts'
export { resolveAddress } from './resolve.ts'
export { nodeRuntime, type Runtime } from './runtime.ts'
export type { ConnectionSocket, CountedSocket, DatagramSocket, SocketCounters, SocketImplementation } from './socket.ts'
export { type Trace, type TraceEntry, traceEntry, traceLine, traceTaps } from './trace.ts'
export {
  LISTEN_EVERYWHERE,
  type ListenAddress,
  openUdp,
  type UdpOptions,
  UdpSocket,
} from './udp.ts'
export {
  CryptoWorker,
  type CryptoWorkerOptions,
  WORKER_LIMITS,
  type Worker,
  type WorkerCounters,
  type WorkerLimits,
} from './worker.ts'

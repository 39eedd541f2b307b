/** Local sockets over a connection: a TunnelServer at the end with the target, a Forwarder at the other. */

export { CODES, PROTOCOLS, type Reason } from './core/index.ts'
export { listenAt } from './node/sources.ts'
export { targetAt } from './node/targets.ts'
export { TunnelError } from './tunnel/errors.ts'
export { Forwarder, type ForwarderEvent, type ForwarderOptions } from './tunnel/forwarder.ts'
export type {
  ByteSource,
  ByteStream,
  ByteTarget,
  DatagramSource,
  DatagramTarget,
  Dial,
  FlowSocket,
  LocalSocket,
  Source,
  Target,
  TunnelCounters,
  TunnelRuntime,
} from './tunnel/ports.ts'
export { type ServerEvent, TunnelServer, type TunnelServerOptions } from './tunnel/server.ts'
export { splice } from './tunnel/splice.ts'
export { TunnelStream } from './tunnel/tunnel-stream.ts'

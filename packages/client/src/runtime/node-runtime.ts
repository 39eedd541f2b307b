/** Node as the system that a peer or a relay runs on. */
import { nodeEndToEnd, openssl } from '@showchain/crypto'
import { natDiscovery } from '../core/peer/nat-servers.ts'
import { systemClock } from './clock.ts'
import { ExtraUdpSocket } from './extra-udp.ts'
import { findGateway } from './gateway.ts'
import { nodeLan } from './lan/node-lan.ts'
import { localAddresses } from './local-addresses.ts'
import { nodeRandom } from './random.ts'
import { resolveAddress } from './resolve.ts'
import type { Runtime } from './runtime.ts'
import { openUdp } from './udp.ts'
import { WebSocketCarrier } from './websocket/websocket.ts'
import { CryptoWorker } from './worker.ts'

/** Node's clock, sockets and resolver; OpenSSL's randomness and RSA; the fastest ciphers there are. */
export const nodeRuntime: Runtime = {
  clock: systemClock,
  random: nodeRandom,
  provider: openssl,
  get endToEnd() {
    return nodeEndToEnd()
  },
  worker: (identity, limits) => new CryptoWorker({ provider: openssl, identity, limits }),
  openSocket: openUdp,
  openExtraSocket: (failed) => new ExtraUdpSocket(failed),
  openWebSocket: (to, failed) => new WebSocketCarrier(to, failed),
  resolve: resolveAddress,
  natDiscovery,
  lan: nodeLan,
  localAddresses: () => localAddresses(),
  gateway: () => findGateway(),
  // Few networks need it.
  openUpnp: async () => new (await import('./upnp/igd.ts')).Igd(),
}

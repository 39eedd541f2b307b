/**
 * Everything that a peer or a relay takes from the system that it runs on, as one object: Node's
 * own here, a host of the simulated internet in testkit. The same `Peer` and `Relay` run on either.
 */
import {
  type CryptoProvider,
  type EndToEndCrypto,
  type Identity,
  nodeEndToEnd,
  openssl,
  type Random,
} from '@showchain/crypto'
import type { Address, Endpoint } from '@showchain/wire'
import type { WebSocketTarget } from '../core/endpoint/machine.ts'
import { type Clock, systemClock } from './clock.ts'
import { ExtraUdpSocket } from './extra-udp.ts'
import { localAddresses } from './local-addresses.ts'
import { nodeRandom } from './random.ts'
import { resolveAddress } from './resolve.ts'
import type { CountedSocket, DatagramSocket } from './socket.ts'
import { openUdp, type UdpOptions } from './udp.ts'
import { WebSocketCarrier } from './websocket/websocket.ts'
import { CryptoWorker, type Worker, type WorkerLimits } from './worker.ts'

/** The system that a peer or a relay runs on. */
export interface Runtime {
  readonly clock: Clock
  readonly random: Random
  readonly provider: CryptoProvider
  readonly endToEnd: EndToEndCrypto
  /** Where the RSA of one node is done, with its identity. */
  worker(identity: Identity, limits?: Partial<WorkerLimits>): Worker
  /** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG` */
  openSocket(options: UdpOptions): Promise<CountedSocket>
  /**
   * One more socket on a free port, at once: for birthday probing.
   * @param failed called once, with the reason, if there is none: no descriptors are left
   */
  openExtraSocket(failed: (why: string) => void): DatagramSocket
  /**
   * A WebSocket connection, which opens by itself. @default this system has none
   * @param failed called once, with the reason, when it cannot be opened or has ended
   */
  openWebSocket?(to: WebSocketTarget, failed: (why: string) => void): DatagramSocket
  /** All endpoints of an address. @throws ShowchainError `ERR_CANNOT_RESOLVE` */
  resolve(address: Address): Promise<readonly Endpoint[]>
  /** IP addresses of this host, best first, without loopback and link-local ones. */
  localAddresses(): readonly string[]
}

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
  localAddresses: () => localAddresses(),
}

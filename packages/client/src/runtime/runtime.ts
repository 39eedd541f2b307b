/**
 * Everything that a peer or a relay takes from the system that it runs on, as one object: Node
 * (node-runtime.ts), a browser, a host of the simulated internet in testkit. The same `Peer` and `Relay` run on each.
 */
import type { CryptoProvider, EndToEndCrypto, Identity, Random } from '@showchain/crypto/core'
import type { Address, Endpoint } from '@showchain/wire'
import type { WebSocketTarget } from '../core/endpoint/machine.ts'
import type { FindNat } from '../core/peer/nat-servers.ts'
import type { Clock } from './clock.ts'
import type { LanPort } from './lan/lan-port.ts'
import type { CountedSocket, DatagramSocket } from './socket.ts'
import type { UdpOptions } from './udp-options.ts'
import type { UpnpPort } from './upnp/upnp-port.ts'
import type { Worker, WorkerLimits } from './worker.ts'

/** A router, and this host on its network: addresses of IPv4. */
export interface Gateway {
  /** Of the router. */
  readonly ip: string
  /** Of this host. */
  readonly local: string
}

/** The system that a peer or a relay runs on. */
export interface Runtime {
  readonly clock: Clock
  readonly random: Random
  readonly provider: CryptoProvider
  readonly endToEnd: EndToEndCrypto
  /** Where the RSA of one node is done, with its identity. */
  worker(identity: Identity, limits?: Partial<WorkerLimits>): Worker
  /**
   * One without a local endpoint says that this system has no UDP: relays are reached by WebSocket alone.
   * @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG`
   */
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
  /** Asks what the NAT does. @default this system has no UDP */
  readonly natDiscovery?: FindNat | undefined
  /** Takes part in mDNS. @default this system cannot */
  readonly lan?: LanPort
  /** IP addresses of this host, best first, without loopback and link-local ones. */
  localAddresses(): readonly string[]
  /** The router that leads out of this network. @default none is known */
  gateway?(): Gateway | undefined
  /** What asks that router by UPnP, for one peer. @default this system cannot */
  openUpnp?(): Promise<UpnpPort>
}

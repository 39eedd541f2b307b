/**
 * A simulated host as the system that a `Peer` or a `Relay` runs on: the public API of both, on
 * virtual time. It starts no real timer and opens no real socket. RSA is that of the simulation's
 * provider, so an identity must be one of `simulation.identity`.
 */
import {
  type Duration,
  isLanAddress,
  type MappingRequest,
  MDNS_GROUP,
  natDiscovery,
  type UpnpAnswer,
  type WebSocketTarget,
} from '@showchain/client/core'
import { type CountedSocket, type DatagramSocket, nodeLan, type Runtime } from '@showchain/client/runtime'
import { type Identity, nodeEndToEnd } from '@showchain/crypto'
import type { TestIdentity } from '@showchain/crypto/testing'
import { canonicalIp, ipFamily, ShowchainError } from '@showchain/wire'
import type { Host } from './host.ts'
import type { Simulation } from './simulation.ts'
import { VirtualWorker } from './worker.ts'

/** Loaded before: virtual time does not wait for files. */
const codec = await nodeLan.codec()

/** @param signTime virtual time that a signature takes. @default 0: made at once */
export function simulatedRuntime(sim: Simulation, host: Host, signTime?: Duration): Runtime {
  const { clock, provider } = sim
  return {
    clock,
    provider,
    random: sim.random.fork(`runtime of ${host.name}`),
    endToEnd: nodeEndToEnd(),
    worker: (identity) => {
      const { signNow, certifyNow } = ofSimulation(identity)
      return new VirtualWorker({ clock, provider, sign: signNow, certify: certifyNow, signTime })
    },
    openSocket: async ({ listen = [] }) => counted(host.socket(listen[0]?.port)),
    openExtraSocket: () => host.socket(),
    // Where nothing listens, no peer looks for it.
    ...(sim.websockets.size === 0
      ? {}
      : { openWebSocket: (to: WebSocketTarget, failed: (why: string) => void) => sim.openWebSocket(to, failed) }),
    resolve: async ({ host: name, port }) => {
      const ip = canonicalIp(name) ?? sim.names.get(name)
      if (ip === undefined) throw new ShowchainError('ERR_CANNOT_RESOLVE', `Got "${name.slice(0, 80)}".`)
      return [{ ip, port }]
    },
    lan: {
      codec: async () => codec,
      links: () => {
        const subnets = host.subnets.filter(({ ip }) => ipFamily(ip) === 4 && isLanAddress(ip))
        return subnets.length > 0 ? [{ name: 'lan', family: 4, scope: 0, subnets }] : []
      },
      open: async () => host.multicast(MDNS_GROUP.port),
    },
    natDiscovery,
    localAddresses: () => host.ips,
    gateway: () => {
      const [ip] = host.network.gateway?.ips ?? []
      const local = host.ips.find((own) => ipFamily(own) === 4)
      return ip === undefined || local === undefined ? undefined : { ip, local }
    },
    openUpnp: async () => {
      const ask = (request: MappingRequest): UpnpAnswer => host.network.gateway?.upnp?.(request) ?? { type: 'silent' }
      let mapped: MappingRequest | undefined
      return {
        map: async (_gateway, request) => {
          mapped = request
          return ask(request)
        },
        remove: async () => {
          if (mapped !== undefined) ask({ ...mapped, lifetime: 0 })
        },
      }
    },
  }
}

/** Nothing that a simulated host sends fails. */
const counted = (socket: DatagramSocket): CountedSocket =>
  Object.assign(socket, {
    counters: { sendFailed: 0, sendTooLarge: 0, sendBufferFull: 0, noSocket: 0, linkLocalSource: 0, socketErrors: 0 },
    implementation: { kind: 'simulated', reason: 'its host is simulated' } as const,
  })

function ofSimulation(identity: Identity): TestIdentity {
  if (!('signNow' in identity && 'certifyNow' in identity))
    throw new ShowchainError('ERR_BAD_CONFIG', 'On a simulated host the identity is one of simulation.identity().')
  return identity as TestIdentity
}

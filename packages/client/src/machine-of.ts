/** The machine of a peer, of what the peer was opened with. */
import { fromBase64url, type PeerId } from '@showchain/wire'
import { ADDRESS_POLICIES, duration, PeerMachine } from './core/index.ts'
import { type CheckedOptions, CONGESTION } from './options.ts'
import type { Reachability } from './reachability.ts'
import type { DriverOptions } from './runtime/driver.ts'
import { QlogRecorder } from './runtime/qlog.ts'
import type { Runtime } from './runtime/runtime.ts'
import type { CountedSocket } from './runtime/socket.ts'

export function machineOf(options: CheckedOptions, socket: CountedSocket, reachability: Reachability): PeerMachine {
  const { identity, encoding, seedMode, plaintext, policy, addressPolicy, keepAlive, knownKeys } = options
  const { clock, random, provider, endToEnd, natDiscovery } = options.runtime
  const { acceptEarly, acquaintances, protocols, qlog } = options
  return new PeerMachine({
    ...{ provider, random, endToEnd, natDiscovery, knownKeys, encoding, seedMode, plaintext, policy },
    ...{ acceptEarly, acquaintances, protocols: protocols && new Set(protocols) },
    permits: permitsIn(options),
    self: identity.publicKey,
    websocket: options.runtime.openWebSocket !== undefined,
    udp: reachability.hasUdp,
    congestion: CONGESTION[options.congestion],
    observe:
      qlog &&
      ((connection) => {
        const sink = qlog(connection)
        return sink && new QlogRecorder(sink, connection, clock)
      }),
    unixMs: () => clock.unixMs(),
    hostCandidates: () => reachability.candidates,
    reached: (endpoint) => reachability.reached(endpoint),
    mappedAddresses: () => reachability.mapped,
    unfragmented: (to) => socket.unfragmented?.(to),
    allows: ADDRESS_POLICIES[addressPolicy],
    keepAlive: duration(keepAlive),
    idleTimeout: duration(options.idleTimeout),
  })
}

/** By relay: a ticket of a relay may have one. */
const permitsIn = ({ relays }: CheckedOptions): ReadonlyMap<PeerId, Uint8Array> =>
  new Map(relays.flatMap(({ id, permit }) => (permit === undefined ? [] : [[id, bytesOf(permit)] as const])))

/** It was checked with the ticket. */
const bytesOf = (permit: string): Uint8Array => fromBase64url(permit) as Uint8Array

/** What such a machine opens: one more socket, or a connection. */
export const openerOf =
  (runtime: Runtime): DriverOptions<PeerMachine>['openSocket'] =>
  (failed, to) =>
    to === undefined ? runtime.openExtraSocket(failed) : runtime.openWebSocket?.(to, failed)

/** Text that differs when a peer with LAN discovery is on other networks; undefined: that is no matter. */
export function networksOf({ lanDiscovery, runtime }: CheckedOptions): (() => string) | undefined {
  const { lan } = runtime
  return lanDiscovery && lan !== undefined ? () => JSON.stringify(lan.links()) : undefined
}

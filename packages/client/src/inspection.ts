/** What `peer.inspect()` returns: plain data, which `JSON.stringify` takes as it is. */
import { type Endpoint, formatEndpoint, type PeerId } from '@showchain/wire'
import type { NatReport, PeerCounter, PeerMachine, PeerMachineInspection } from './core/index.ts'
import type { LanInspection } from './lan.ts'
import type { Clock } from './runtime/clock.ts'
import type { PortMappingInspection } from './runtime/port-mapping.ts'
import type { SocketImplementation } from './runtime/socket.ts'

/** A peer at one moment. Addresses are text, `address:port`; times are milliseconds. */
export interface PeerInspection extends PeerMachineInspection {
  readonly id: PeerId
  /** Unix milliseconds. */
  readonly at: number
  /** Local addresses that the sockets are bound to. */
  readonly addresses: readonly string[]
  readonly socket: SocketImplementation
  /** Undefined before anything is known. */
  readonly nat: NatReport | undefined
  readonly portMapping: PortMappingInspection
  readonly counters: Record<PeerCounter, number>
  /** LAN discovery; undefined: it is off. */
  readonly lan: LanInspection | undefined
}

interface Inspected {
  readonly id: PeerId
  readonly addresses: readonly Endpoint[]
  readonly nat: NatReport | undefined
}

interface OfSystem {
  readonly clock: Clock
  readonly socket: SocketImplementation
  readonly portMapping: PortMappingInspection
  readonly lan: LanInspection | undefined
}

export function inspectPeer(
  { id, addresses, nat }: Inspected,
  machine: PeerMachine,
  { clock, socket, portMapping, lan }: OfSystem,
): PeerInspection {
  return {
    ...{ id, at: clock.unixMs(), nat, socket, portMapping, lan, counters: machine.counters() },
    addresses: addresses.map(formatEndpoint),
    ...machine.inspect(clock.now()),
  }
}

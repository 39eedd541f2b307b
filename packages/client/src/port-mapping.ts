/** Port mapping for a peer, of what the peer was opened with. */
import { ADDRESS_POLICIES, type PeerMachine, PortMapper } from './core/index.ts'
import type { CheckedOptions } from './options.ts'
import type { PeerEvents } from './peer-events.ts'
import { PortMappingOfPeer } from './runtime/port-mapping.ts'
import type { DatagramSocket } from './runtime/socket.ts'

/** @param socket whose port is to be mapped */
export function portMappingOf(
  { portMapping, policy, addressPolicy, runtime }: CheckedOptions,
  socket: DatagramSocket,
  machine: PeerMachine,
  events: PeerEvents,
): PortMappingOfPeer {
  const made = new PortMappingOfPeer({
    ...{ portMapping, policy, runtime },
    makeMapper: (...how) => new PortMapper(...how),
    allows: ADDRESS_POLICIES[addressPolicy],
    listens: () => socket.localEndpoints,
    changed: (mapping) => events.listeners.emit('portMapping', mapping),
    reachable: () => events.input((now) => machine.mapped(now)),
  })
  events.mapping = made
  return made
}

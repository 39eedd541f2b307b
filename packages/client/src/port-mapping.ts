/** Port mapping for a peer, of what the peer was opened with. */
import { ADDRESS_POLICIES, type PeerMachine } from './core/index.ts'
import type { CheckedOptions } from './options.ts'
import type { PeerEvents } from './peer-events.ts'
import { type MakeMapper, PortMappingOfPeer } from './runtime/port-mapping.ts'
import type { DatagramSocket } from './runtime/socket.ts'

/**
 * @param socket whose port is to be mapped
 * @param makeMapper undefined: there is no UDP
 */
export function portMappingOf(
  { portMapping, policy, addressPolicy, runtime }: CheckedOptions,
  socket: DatagramSocket,
  machine: PeerMachine,
  events: PeerEvents,
  makeMapper: MakeMapper | undefined,
): PortMappingOfPeer {
  const made = new PortMappingOfPeer({
    ...{ portMapping, policy, runtime, makeMapper },
    allows: ADDRESS_POLICIES[addressPolicy],
    listens: () => socket.localEndpoints,
    changed: (mapping) => events.listeners.emit('portMapping', mapping),
    reachable: () => events.input((now) => machine.mapped(now)),
  })
  events.mapping = made
  return made
}

/** A peer on Node. */
import type { SignalOptions } from './async/signals.ts'
import { lanOf } from './lan.ts'
import { checkOptions, type PeerOptions } from './options.ts'
import { PeerBase, type WithUdp } from './peer-base.ts'
import { portMappingOf } from './port-mapping.ts'
import { nodeRuntime } from './runtime/node-runtime.ts'

const WITH_UDP: WithUdp = { lanOf, portMappingOf }

/** A peer. @see Peer.open */
export class Peer extends PeerBase {
  /**
   * Opens the sockets and starts to register with the relays; `registered()` waits for that. Host
   * names are looked up meanwhile, each on its own, until they are resolved.
   *
   * @throws ShowchainError `ERR_BAD_CONFIG`, `ERR_BAD_TICKET`, `ERR_ADDRESS_IN_USE`,
   *   `ERR_CANNOT_LISTEN`, `ERR_RUNTIME` (no cryptography for protected connections),
   *   `ERR_ABORTED`, `ERR_BAD_ARGUMENT` (the second one)
   */
  static async open(options: PeerOptions, wait?: SignalOptions): Promise<Peer> {
    const checked = checkOptions(options, nodeRuntime)
    return await PeerBase.openOn(checked, wait, (socket) => new Peer(checked, socket, WITH_UDP), WITH_UDP)
  }
}

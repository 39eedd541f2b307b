/** Registers a peer with a relay of its configuration, wherever the relay's name leads to. */
import type { Ticket } from '@showchain/wire'
import type { Instant, PeerMachine } from './core/index.ts'
import type { Names } from './names.ts'
import { otherRelayAddress, relayAddress } from './options.ts'
import type { Reachability } from './reachability.ts'
import type { RelayEvent } from './relay-event.ts'
import { addressOf, RelayLocator } from './relay-locator.ts'

export interface LocatingPeer {
  readonly names: Names
  readonly reachability: Reachability
  input(command: (machine: PeerMachine, now: Instant) => void): void
  onRelay(event: RelayEvent): void
}

/** @throws ShowchainError `ERR_BAD_TICKET` */
export function locatorOf(ticket: Ticket, { names, reachability, input, onRelay }: LocatingPeer): RelayLocator {
  const [relay, other] = [relayAddress(ticket), otherRelayAddress(ticket)]
  const { id, address } = relay
  return new RelayLocator({
    ...{ id, address, names, reachability },
    further: other?.address,
    register: (endpoint, beside) => {
      reachability.own(endpoint)
      input((machine, now) => machine.register(addressOf(relay, endpoint, beside), now))
    },
    leave: (endpoint) => {
      reachability.disown(endpoint)
      input((machine, now) => machine.leave({ id, endpoint }, now))
    },
    failed: (reason) => onRelay({ relay: id, at: undefined, state: 'failed', reason }),
  })
}

/**
 * What carries messages between the relays of a fleet: a port. A relay's program brings one over NATS,
 * or one between its workers; the one here joins relays of one process.
 */
import { ShowchainError } from '@showchain/wire'
import { type FleetAddress, MAX_FLEET_NODE } from '@showchain/wire/fleet'

/**
 * One node's end of a bus. It may lose, repeat and reorder messages, and anybody may say anything on
 * it: a relay believes only what has a tag by the fleet's secret.
 */
export interface FleetBus {
  /**
   * Sends a message to one node, or to all others; it waits for nothing and does not throw. The bytes
   * stay as they are.
   * @returns false when the message is lost: the bus is not there, or has too much to send
   */
  publish(to: FleetAddress, message: Uint8Array): boolean
  /**
   * Calls back for each message that is for this node or for all; what this node said to all may be among
   * them. The bytes are the receiver's. Called once, by the relay.
   */
  subscribe(receive: (message: Uint8Array) => void): void
  /** Nothing is received any more. The relay closes it, also when it cannot be opened. */
  close(): Promise<void>
}

/** A relay's place in a fleet. */
export interface FleetMembership {
  /** The number of this relay, from 0 to 65534: no other node of the fleet has it. */
  readonly node: number
  /** 32 bytes that all nodes have, and nobody else. */
  readonly secret: Uint8Array
  readonly bus: FleetBus
  /**
   * Other nodes on the very same sockets' addresses, each of which gets the channel frames of its own sessions
   * (`SharedSockets.steer`). @default none
   */
  readonly beside?: readonly number[] | undefined
}

const FLEET_SECRET_BYTES = 32

/** @throws ShowchainError `ERR_BAD_CONFIG` */
export function checkMembership({ node, secret }: FleetMembership): void {
  if (!Number.isInteger(node) || node < 0 || node > MAX_FLEET_NODE)
    throw new ShowchainError('ERR_BAD_CONFIG', `fleet.node: expected a whole number from 0 to ${MAX_FLEET_NODE}.`)
  if (!(secret instanceof Uint8Array) || secret.length !== FLEET_SECRET_BYTES)
    throw new ShowchainError('ERR_BAD_CONFIG', `fleet.secret: expected ${FLEET_SECRET_BYTES} bytes.`)
}

/** A bus between relays of one process. */
export class LocalBus {
  readonly #members = new Map<FleetBus, { readonly node: number; readonly receive: (message: Uint8Array) => void }>()

  /** The end of a node. */
  join(node: number): FleetBus {
    const end: FleetBus = {
      publish: (to, message) => {
        if (!this.#members.has(end)) return false
        for (const [other, member] of this.#members)
          if (other !== end && (to === 'all' || to === member.node)) this.#carry(other, message.slice())
        return true
      },
      subscribe: (receive) => void this.#members.set(end, { node, receive }),
      close: async () => void this.#members.delete(end),
    }
    return end
  }

  /** Later, as a bus between processes does: a relay is not entered while it is drained. */
  #carry(to: FleetBus, message: Uint8Array): void {
    queueMicrotask(() => this.#members.get(to)?.receive(message))
  }
}

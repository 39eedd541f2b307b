/** Over what this peer is registered with its relays, and so whether it has UDP. */

/** What carries datagrams to a relay and back. */
export type Carrier = 'udp' | 'websocket'

export class Carriers {
  /** Whether the system has UDP. A network may still let none through. */
  readonly udp: boolean
  /** Whether the system can make WebSocket connections. */
  readonly websocket: boolean
  /** By who has it: a registration. Bounded by the relays of the peer. */
  readonly #bound = new Map<object, Carrier>()

  constructor({ udp, websocket }: Pick<Carriers, 'udp' | 'websocket'>) {
    this.udp = udp
    this.websocket = websocket
  }

  /** @param carrier undefined: it is not registered any more */
  bound(registration: object, carrier: Carrier | undefined): void {
    if (carrier === undefined) this.#bound.delete(registration)
    else this.#bound.set(registration, carrier)
  }

  /** No relay answers over UDP, and one does over WebSocket. */
  get withoutUdp(): boolean {
    const carriers = [...this.#bound.values()]
    return carriers.length > 0 && !carriers.includes('udp')
  }
}

/** The real machine of a relay on a simulated host; it can die and come back with empty tables, as a process does. */
import { type RelayEvent, RelayMachine, type RelayOptions } from '@showchain/server'
import type { Endpoint } from '@showchain/wire'
import type { TestIdentity } from '../provider.ts'
import type { Host } from '../sim/host.ts'
import type { Placed, Simulation } from '../sim/simulation.ts'
import { Ledger } from './ledger.ts'

export const RELAY_PORT = 3478

export type SimRelayOptions = Pick<RelayOptions, 'knownKeys' | 'limits'>

interface Trust {
  /** Addresses that need no proof: peers in seed mode, whose signature stands for it. */
  readonly trusts: (endpoint: Endpoint) => boolean
}

export class SimRelay {
  readonly host: Host
  readonly identity: TestIdentity
  readonly ledger: Ledger
  readonly #sim: Simulation
  readonly #options: SimRelayOptions
  readonly #events: RelayEvent[] = []
  #placed: Placed<RelayMachine> | undefined
  #machine: RelayMachine | undefined
  #lives = 0

  constructor(sim: Simulation, host: Host, { trusts, ...options }: SimRelayOptions & Trust) {
    this.#sim = sim
    this.#options = options
    this.host = host
    this.ledger = new Ledger({ name: host.name, calls: false, trusts })
    this.identity = sim.identity(host.name)
    this.start()
  }

  get endpoint(): Endpoint {
    return { ip: this.host.ips[0] as string, port: RELAY_PORT }
  }

  /** What a ticket says of it. */
  get address(): { readonly id: TestIdentity['id']; readonly endpoint: Endpoint } {
    return { id: this.identity.id, endpoint: this.endpoint }
  }

  /** Everything that it told its owner, over all its lives. */
  get events(): readonly RelayEvent[] {
    return this.#events
  }

  /** Who registered or moved, and where to, in order. */
  get bound(): readonly Extract<RelayEvent, { type: 'bound' }>[] {
    return this.#events.filter((event) => event.type === 'bound')
  }

  get machine(): RelayMachine {
    if (this.#machine === undefined) throw new Error(`${this.host.name} is down.`)
    return this.#machine
  }

  start(): void {
    const { provider, random, clock } = this.#sim
    const machine = new RelayMachine({
      self: this.identity.publicKey,
      provider,
      // What dies takes its secrets along: the next life has others.
      random: random.fork(`${this.host.name} life ${this.#lives++}`),
      unixMs: () => clock.unixMs(),
      ...this.#options,
    })
    this.#machine = machine
    this.#placed = this.#sim.put(this.host, {
      machine: () => machine,
      identity: this.identity,
      port: RELAY_PORT,
      socket: (socket) => this.ledger.tap(socket),
      onEvent: (event) => this.#events.push(event),
    })
  }

  /** Dies at once and takes everything along that it knew; done before this returns, whether it is awaited or not. */
  async kill(): Promise<void> {
    const placed = this.#placed
    this.#placed = undefined
    this.#machine = undefined
    await placed?.driver.close()
  }

  /** Dies and comes back at once. */
  async restart(): Promise<void> {
    const killed = this.kill()
    this.start()
    await killed
  }
}

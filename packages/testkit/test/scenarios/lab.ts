/**
 * A relay and peers on the simulated internet: the machines of life on virtual time, with a ledger in front of each.
 * Whatever a scenario does, at its end everything must close, nothing may stay behind, and no ledger may complain.
 */
import { type Duration, duration, later } from '@showchain/client/core'
import { decode, type Endpoint, type Message, type OpCode, sameEndpoint } from '@showchain/wire'
import { expect } from 'vitest'
import { type Conditions, type Host, type Seed, Simulation, type TimelineEntry } from '../../src/index.ts'
import { LabPeer, type LabPeerOptions } from './lab-peer.ts'
import { LabRelay, type LabRelayOptions } from './lab-relay.ts'
import { Ledger } from './ledger.ts'

/** Lines that every way to connect is tried on. */
export const LINES: readonly (readonly [name: string, conditions: Partial<Conditions>])[] = [
  ['a clean line', {}],
  ['10 % loss', { loss: 0.1 }],
  ['20 % loss', { loss: 0.2 }],
  ['reordering', { reorder: 0.25, jitter: duration(30) }],
  ['duplication', { duplicate: 0.25, jitter: duration(5) }],
]

/** Longer than everything that a machine remembers. */
const AFTER_ALL: Duration = duration(3_600_000)

/** One message on its way, as its sender sent it. */
export interface Sighting {
  readonly at: number
  readonly from: string
  readonly to: string
  readonly message: Message
  readonly bytes: Uint8Array
  readonly source: Endpoint
  readonly destination: Endpoint
}

export class Lab {
  readonly sim: Simulation
  readonly #relays: LabRelay[] = []
  readonly #peers: LabPeer[] = []
  readonly #trusted: Endpoint[] = []

  constructor(sim: Simulation) {
    this.sim = sim
  }

  /** Plays a scenario, and closes and checks everything at its end. A failed one prints its seed. */
  static async run(
    seed: Seed,
    conditions: Partial<Conditions>,
    scenario: (lab: Lab) => void | Promise<void>,
  ): Promise<void> {
    await Simulation.run(seed, async (sim) => {
      sim.network.conditions = conditions
      const lab = new Lab(sim)
      await scenario(lab)
      await lab.#finish()
    })
  }

  relay(name = 'relay', ip = '5.9.0.1', options: LabRelayOptions = {}): LabRelay {
    const ledger = new Ledger({ name, calls: false, trusts: (endpoint) => this.#isTrusted(endpoint) })
    const relay = new LabRelay(this.sim, this.sim.host(name, ip), ledger, options)
    this.#relays.push(relay)
    return relay
  }

  /** @param on its address, or a host that is there. */
  peer(name: string, on: string | Host, options: LabPeerOptions = {}): LabPeer {
    const ledger = new Ledger({ name, calls: true, trusts: (endpoint) => this.#isTrusted(endpoint) })
    const host = typeof on === 'string' ? this.sim.host(name, on) : on
    const peer = new LabPeer(this.sim, name, host, ledger, options)
    if (options.seedMode) this.#trusted.push(peer.endpoint)
    this.#peers.push(peer)
    return peer
  }

  /** Alice and bob, registered with one relay. */
  pair(options: { alice?: LabPeerOptions; bob?: LabPeerOptions; relay?: LabRelayOptions } = {}): {
    readonly relay: LabRelay
    readonly alice: LabPeer
    readonly bob: LabPeer
  } {
    const relay = this.relay('relay', '5.9.0.1', options.relay)
    const alice = this.peer('alice', '81.2.0.1', options.alice)
    const bob = this.peer('bob', '93.4.0.1', options.bob)
    this.registered(relay, alice, bob)
    return { relay, alice, bob }
  }

  /** Registers peers; a bad line may take several tries, which the machines make by themselves. */
  registered(relay: LabRelay, ...peers: readonly LabPeer[]): void {
    for (const peer of peers) peer.register(relay)
    this.until(() => peers.every((peer) => peer.relayStates.at(-1) === 'registered'))
  }

  advance(ms: number): void {
    this.sim.advance(duration(ms))
  }

  until(holds: () => boolean): void {
    this.sim.until(holds)
  }

  /** Messages of these op codes in the order of sending, whatever became of them. */
  sightings(...ops: readonly OpCode[]): readonly Sighting[] {
    return this.sim.timeline.entries.flatMap((entry) => {
      if (entry.type !== 'packet') return []
      const { bytes, source, destination } = entry.packet
      const decoded = decode(bytes)
      if (!decoded.ok || !(ops.length === 0 || (ops as readonly number[]).includes(decoded.message.op_code))) return []
      return [{ at: entry.at, from: entry.from, to: entry.to, message: decoded.message, bytes, source, destination }]
    })
  }

  /** Op codes that a node sent, each once, in the order of their first appearance. */
  opsFrom(name: string): readonly number[] {
    return [...new Set(this.sightings().flatMap(({ from, message }) => (from === name ? [message.op_code] : [])))]
  }

  #lastSent(): TimelineEntry | undefined {
    return this.sim.timeline.entries.findLast((entry) => entry.type === 'packet' && entry.fate !== 'unbound')
  }

  #isTrusted(endpoint: Endpoint): boolean {
    return this.#trusted.some((trusted) => sameEndpoint(trusted, endpoint))
  }

  async #finish(): Promise<void> {
    const { clock } = this.sim
    const ports = this.#peers.map(({ host, endpoint }) => ({ host, port: endpoint.port }))
    for (const node of [...this.#peers, ...this.#relays])
      expect(node.ledger.violations, 'more bytes to an address than it sent').toEqual([])
    for (const peer of this.#peers) {
      await peer.close()
      expect(peer.open, 'connections that stayed open').toEqual([])
    }
    for (const relay of this.#relays) await relay.kill()
    // What is still under way arrives at nobody: nothing answers, and nothing else is scheduled.
    const last = this.#lastSent()
    while (clock.step()) expect(this.#lastSent(), 'a packet of a closed node').toBe(last)
    for (const { host, port } of ports) await host.socket(port).close()
    for (const { machine } of this.#peers) {
      machine.wake(later(clock.now(), AFTER_ALL))
      expect(machine.deadline, 'a timer that comes again and again').toBeUndefined()
    }
  }
}

/**
 * Relays and peers on the public part of a simulated internet: nothing translates or filters what
 * they send.
 */
import { duration } from '@showchain/client/core'
import { decode, type Endpoint, type Message, type OpCode } from '@showchain/wire'
import type { TestOptions } from 'vitest'
import {
  type Conditions,
  type Host,
  Internet,
  type Seed,
  type SimPeer,
  type SimPeerOptions,
  type SimRelay,
  type SimRelayOptions,
  type Simulation,
} from '../../src/index.ts'

/** Lines that every way to connect is tried on. */
export const LINES: readonly (readonly [name: string, conditions: Partial<Conditions>])[] = [
  ['a clean line', {}],
  ['10 % loss', { loss: 0.1 }],
  ['20 % loss', { loss: 0.2 }],
  ['reordering', { reorder: 0.25, jitter: duration(30) }],
  ['duplication', { duplicate: 0.25, jitter: duration(5) }],
]

/** Seeds that every line is played with in `npm test`, and in `pnpm test:long`. */
export const SEEDS: readonly (readonly [seeds: number, options: TestOptions])[] = [
  [20, {}],
  [50, { tags: ['long'] }],
]

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
  readonly #internet: Internet

  constructor(internet: Internet) {
    this.#internet = internet
  }

  /**
   * Plays a scenario, and closes and checks everything at its end. A failed one prints its seed.
   */
  static async run(
    seed: Seed,
    conditions: Partial<Conditions>,
    scenario: (lab: Lab) => void | Promise<void>,
  ): Promise<void> {
    await Internet.run(seed, conditions, (internet) => scenario(new Lab(internet)))
  }

  get sim(): Simulation {
    return this.#internet.sim
  }

  relay(name = 'relay', ip = '5.9.0.1', options: SimRelayOptions = {}): SimRelay {
    return this.#internet.addRelay({ stun: 'plain', ...options, name, ips: [ip] })
  }

  /** @param on its address, or a host that is there. */
  peer(name: string, on: string | Host, options: SimPeerOptions = {}): SimPeer {
    const place = typeof on === 'string' ? { ips: [on] } : { host: on }
    return this.#internet.addSimPeer({ local: [], ...options, ...place, name, relays: [] })
  }

  /** Alice and bob, registered with one relay. */
  pair(options: { alice?: SimPeerOptions; bob?: SimPeerOptions; relay?: SimRelayOptions } = {}): {
    readonly relay: SimRelay
    readonly alice: SimPeer
    readonly bob: SimPeer
  } {
    const relay = this.relay('relay', '5.9.0.1', options.relay)
    const alice = this.peer('alice', '81.2.0.1', options.alice)
    const bob = this.peer('bob', '93.4.0.1', options.bob)
    this.registered(relay, alice, bob)
    return { relay, alice, bob }
  }

  /** Registers peers; a bad line may take several tries, which the machines make by themselves. */
  registered(relay: SimRelay, ...peers: readonly SimPeer[]): void {
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
}

/**
 * The bus of a fleet of simulated relays: it takes time, loses messages, splits and fails, as one over a
 * network does. What is said on it is counted.
 */
import { type Duration, duration, later } from '@showchain/client/core'
import type { TestIdentity } from '@showchain/crypto/testing'
import type { FleetMessage } from '@showchain/server'
import type { Simulation } from '../sim/simulation.ts'

/** What a simulated bus is like. */
export interface SimFleetOptions {
  /** One way, from a node to another. @default 1 ms */
  readonly latency?: Duration | undefined
  /** Probability that a node does not get a message. @default 0 */
  readonly loss?: number | undefined
}

/** A node of a simulated fleet, as its bus knows it. */
export interface SimNode {
  readonly node: number
  /** A message came over the bus. */
  receive(message: Uint8Array): void
}

const SECRET_BYTES = 32
const LATENCY: Duration = duration(1)

/** A fleet of simulated relays, all of one identity, and their bus. */
export class SimFleet {
  readonly identity: TestIdentity
  readonly secret: Uint8Array
  /** Messages that nodes published, and how often one came to a node. */
  readonly carried: { published: number; received: number; bytes: number } = { published: 0, received: 0, bytes: 0 }
  /** What becomes of a message on its way: for buses that are not honest. @default it arrives */
  tampers: (message: Uint8Array) => readonly Uint8Array[] = (message) => [message]
  /** Nobody hears anybody. */
  down = false
  readonly #sim: Simulation
  readonly #latency: Duration
  readonly #loss: number
  readonly #random: { uniform(): number }
  readonly #members = new Set<SimNode>()
  #parts: ReadonlyMap<number, number> = new Map()

  constructor(sim: Simulation, name: string, { latency = LATENCY, loss = 0 }: SimFleetOptions = {}) {
    this.#sim = sim
    this.#latency = latency
    this.#loss = loss
    this.identity = sim.identity(name)
    const random = sim.random.fork(`bus of ${name}`)
    this.#random = random
    this.secret = random.bytes(SECRET_BYTES)
  }

  /** A node hears what is said from now on. @returns leaves */
  join(node: SimNode): () => void {
    this.#members.add(node)
    return () => void this.#members.delete(node)
  }

  /** From now on only nodes of one part hear each other. Nodes that are in none are in one of their own. */
  split(...parts: readonly (readonly number[])[]): void {
    this.#parts = new Map(parts.flatMap((part, index) => part.map((node) => [node, index])))
  }

  /** All hear each other again. */
  heal(): void {
    this.down = false
    this.#parts = new Map()
  }

  /** A node says something. @returns false where there is no bus */
  publish(from: SimNode, { to, bytes }: Pick<FleetMessage, 'to' | 'bytes'>): boolean {
    if (this.down) return false
    this.carried.published++
    const part = this.#parts.get(from.node)
    for (const message of this.tampers(bytes)) {
      const hearers: SimNode[] = []
      for (const member of this.#members)
        if (member !== from && (to === 'all' || to === member.node) && this.#parts.get(member.node) === part)
          if (this.#random.uniform() >= this.#loss) hearers.push(member)
      this.#carry(hearers, message.slice())
    }
    return true
  }

  /** One event for all that hear it: a large fleet says much to everybody. */
  #carry(hearers: readonly SimNode[], message: Uint8Array): void {
    const { clock } = this.#sim
    clock.schedule(later(clock.now(), this.#latency), () => {
      for (const to of hearers) {
        if (!this.#members.has(to)) continue
        this.carried.received++
        this.carried.bytes += message.length
        to.receive(message.slice())
      }
    })
  }
}

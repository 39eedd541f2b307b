/** What the status page shows, read from the relay. It changes nothing, and takes samples of what is large. */
import { RELAY_COUNTERS, RELAY_REFUSALS, type Relay } from '@showchain/server/runtime'
import { formatEndpoint } from '@showchain/wire'
import { HISTORY_STEP, History } from './history.ts'
import { answerPair } from './pair-answer.ts'
import { shortId } from './short-id.ts'
import type { PairAnswer, Status } from './status-shape.ts'

/** Rows of each table. */
export const SHOWN = 50

const MS = 1000

export class StatusSource {
  readonly #relay: Relay
  readonly #version: string
  readonly #own: readonly number[]
  readonly #history: History
  readonly #timer: NodeJS.Timeout

  /** @param own numbers of nodes that are this relay's own workers */
  constructor(relay: Relay, version: string, own: readonly number[] = []) {
    this.#own = own
    this.#relay = relay
    this.#version = version
    this.#history = new History(relay.traffic(), Date.now() / MS)
    this.#timer = setInterval(() => this.#history.step(relay.traffic(), Date.now() / MS), HISTORY_STEP * MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  status(): Status {
    const relay = this.#relay
    const counters = relay.counters()
    const { bindings, sessions } = relay.stats()
    return {
      relay: {
        id: relay.id,
        shortId: shortId(relay.id),
        version: this.#version,
        node: process.version,
        socket: relay.socket.kind,
        uptimeSeconds: process.uptime(),
        draining: relay.draining,
      },
      peers: {
        count: bindings,
        shown: relay.watch.peers(SHOWN).map(({ id, at, websocket, quiet }) => ({
          id: shortId(id),
          address: `${formatEndpoint(at)}${websocket ? ' (WebSocket)' : ''}`,
          quietSeconds: quiet / MS,
        })),
      },
      sessions: {
        count: sessions,
        busiest: relay.watch.busiest(SHOWN).map(({ session, requester, target, introduced, bytes, age, idle }) => ({
          ...{ session, introduced, bytes },
          requester: shortId(requester),
          target: shortId(target),
          ageSeconds: age / MS,
          idleSeconds: idle / MS,
        })),
      },
      pairs: relay.pairs(),
      history: this.#history.shown(),
      refusals: RELAY_REFUSALS.filter((reason) => counters[reason] > 0)
        .map((reason) => ({ reason, times: counters[reason], meaning: RELAY_COUNTERS[reason] }))
        .sort((one, other) => other.times - one.times),
      nodes: this.#others().map(({ node, draining, bindings, sessions, addresses }) => ({
        node,
        state: draining ? 'drains' : 'serves',
        peers: bindings,
        sessions,
        addresses: addresses.map(formatEndpoint),
      })),
    }
  }

  #others(): Relay['fleetNodes'] {
    return this.#relay.fleetNodes.filter(({ node }) => !this.#own.includes(node))
  }

  pair(beginnings: readonly [string, string]): Promise<PairAnswer> {
    return answerPair(this.#relay.watch, beginnings)
  }
}

/** What the status page shows, read from the relay. It changes nothing, and takes samples of what is large. */
import { RELAY_COUNTERS, RELAY_REFUSALS, type Relay } from '@showchain/server/runtime'
import { formatEndpoint } from '@showchain/wire'
import { explain } from './explain.ts'
import { HISTORY_STEP, History } from './history.ts'
import { shortId } from './short-id.ts'
import type { PairAnswer, Status } from './status-shape.ts'

/** Rows of each table. */
const SHOWN = 50
/** Characters of an id that a question has at least: fewer would be many peers. */
const LEAST_OF_ID = 4
/** Ids are base64url. */
const BEGINNING = /^[\w-]{1,43}$/

const MS = 1000

export class StatusSource {
  readonly #relay: Relay
  readonly #version: string
  readonly #history: History
  readonly #timer: NodeJS.Timeout

  constructor(relay: Relay, version: string) {
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
      nodes: relay.fleetNodes.map(({ node, draining, bindings, sessions, addresses }) => ({
        node,
        state: draining ? 'drains' : 'serves',
        peers: bindings,
        sessions,
        addresses: addresses.map(formatEndpoint),
      })),
    }
  }

  /** @param beginnings what somebody typed: ids, or how they begin */
  async pair(beginnings: readonly [string, string]): Promise<PairAnswer> {
    const problem = beginnings.find((text) => text.length < LEAST_OF_ID || !BEGINNING.test(text))
    if (problem !== undefined)
      return {
        sentences: [
          `An id has letters, digits, - and _: give ${LEAST_OF_ID} of its characters at least, and 43 at most.`,
        ],
      }
    const found = await Promise.all(beginnings.map((text) => this.#relay.watch.named(text, 2)))
    const unclear = found.flatMap((peers, index) => {
      if (peers.length === 1) return []
      const said = peers.length === 0 ? 'No registered peer has an id' : 'Several registered peers have an id'
      return [`${said} that begins with ${beginnings[index]}.`]
    })
    const [[one] = [], [other] = []] = found
    if (unclear.length > 0 || one === undefined || other === undefined) return { sentences: unclear }
    if (one.id === other.id) return { sentences: ['Both are the same peer.'] }
    return { sentences: explain([one, other], this.#relay.watch.pair(one, other)) }
  }
}

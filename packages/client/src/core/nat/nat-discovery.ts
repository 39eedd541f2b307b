/**
 * NAT behaviour discovery (RFC 5780 §4) with the servers that are available: STUN servers and the
 * relays with which this peer is registered, each of which may have a second address or port.
 *
 *   ask each server for our address ──► filter tests ──► mapping tests ──► report
 *
 * Filter tests come first: a mapping test sends to the second address, and so opens the filter for
 * it. Everything goes through the peer's own socket, since its mapping is the one that counts.
 */

import { type Endpoint, type NatBehaviour, type StunMessage, sameEndpoint } from '@showchain/wire'
import type { NatReport } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Duration, duration, type Instant, later, type Route } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'
import { natBehaviour, type View } from './nat-behaviour.ts'
import { type Ask, StunTransactions } from './stun-transactions.ts'

/**
 * Delays after each transmission: RFC 8489 §6.2.1 with an RTO of 300 ms, cut short because
 * discovery is repeated.
 */
const SCHEDULE: readonly Duration[] = [300, 600, 1200, 2400, 2400].map(duration)
/** A filtering test often has no answer, so it takes less time. */
const FILTER_SCHEDULE: readonly Duration[] = [200, 200, 200, 200, 200, 900].map(duration)
/**
 * When an expected answer did not come, discovery is repeated after this time, which doubles each
 * time.
 */
const AGAIN_FIRST: Duration = duration(10_000)
const MAX_AGAIN = 3
/**
 * A NAT's filter may stay open this long for an address that was sent to, so filtering tests from
 * there are not trusted before.
 */
const FILTER_MEMORY: Duration = duration(600_000)
/** Servers that are asked: more than two tell nothing further. */
const MAX_SERVERS = 2

export interface NatDiscoveryOptions {
  /** Those of the configuration, then the relays that this peer is registered with. */
  servers(): readonly Endpoint[]
  /** The addresses that relays observed at registration, for relays that do not answer STUN. */
  views(): readonly View[]
}

interface Found {
  readonly server: Endpoint
  readonly mapped: Endpoint
  readonly other: Endpoint | undefined
}

export class NatDiscovery {
  readonly #context: PeerContext
  readonly #options: NatDiscoveryOptions
  readonly #transactions: StunTransactions
  readonly #events = new EventQueue<NatReport>()
  #report: NatReport | undefined
  #state: 'idle' | 'running' | 'again' = 'idle'
  #notes: string[] = []
  /** Something that a server should have answered was not answered. */
  #unanswered = false
  #agains = 0
  #timer: Timer | undefined
  /** When something was sent to a second address last. */
  #spoiled: Instant | undefined

  constructor(context: PeerContext, options: NatDiscoveryOptions) {
    this.#context = context
    this.#options = options
    this.#transactions = new StunTransactions(context)
  }

  /** A report that differs from the one before. */
  poll(): NatReport | undefined {
    return this.#events.poll()
  }

  /** What was found last. */
  get report(): NatReport | undefined {
    return this.#report
  }

  /** Starts discovery; if it is running, repeats it when that ends. */
  start(now: Instant): void {
    this.#agains = 0
    if (this.#state === 'idle') this.#ask(now)
    else this.#state = 'again'
  }

  /** A STUN message came. @returns whether it answers a request of this machine */
  receive(bytes: Uint8Array, source: Route, now: Instant): boolean {
    return this.#transactions.receive(bytes, source, now)
  }

  close(): void {
    this.#timer?.cancel()
    this.#transactions.close()
  }

  #ask(now: Instant): void {
    const servers = this.#options.servers().slice(0, MAX_SERVERS)
    if (servers.length === 0) return
    this.#timer?.cancel()
    this.#state = 'running'
    this.#notes = []
    this.#unanswered = false
    this.#askAll(
      servers.map((to) => ({ to })),
      (answers, at) => this.#found(servers, answers, at),
      now,
    )
  }

  #found(servers: readonly Endpoint[], answers: readonly (StunMessage | undefined)[], now: Instant): void {
    const found = servers.flatMap((server, index): Found[] => {
      const { mapped, other } = answers[index] ?? {}
      return mapped === undefined ? [] : [{ server, mapped, other: this.#allowed(server, other) }]
    })
    const [first] = found
    if (first === undefined) {
      this.#notes.push('No server answers STUN.')
      return this.#finish(undefined, natBehaviour(this.#options.views())?.mapping ?? 0, 0, now)
    }
    const best = found.find(({ server, other }) => isFull(server, other)) ?? found.find(({ other }) => other) ?? first
    this.#filter(best, (filtering, at) => this.#mapping(found, best, filtering, at), now)
  }

  /**
   * The server's second address, where the address policy lets this peer send. A server on a private
   * network, which the user named, may name another there.
   */
  #allowed(server: Endpoint, other: Endpoint | undefined): Endpoint | undefined {
    if (other === undefined) return undefined
    const allowed = this.#context.allows(other, !this.#context.allows(server, false))
    if (!allowed) this.#context.count('addressRefused')
    return allowed ? other : undefined
  }

  /** RFC 5780 §4.4, tests II and III at once. */
  #filter({ server, mapped, other }: Found, done: (filtering: NatBehaviour, now: Instant) => void, now: Instant): void {
    if (other === undefined || !isFull(server, other)) {
      this.#notes.push('No server can answer from a second address, so the filtering behaviour is unknown.')
      return done(0, now)
    }
    const known = this.#report
    const same = known?.mapped !== undefined && sameEndpoint(known.mapped, mapped)
    if (known !== undefined && same && this.#spoiled !== undefined && later(this.#spoiled, FILTER_MEMORY) > now)
      return done(known.filtering, now)
    if (this.#options.servers().some(({ ip }) => ip === other.ip)) {
      this.#notes.push('The second address of the server is one that this peer uses, so the filter is open for it.')
      return done(0, now)
    }
    const otherPort = { ip: server.ip, port: other.port }
    this.#askAll(
      [
        { to: server, from: other, change: { ip: true, port: true }, schedule: FILTER_SCHEDULE },
        { to: server, from: otherPort, change: { ip: false, port: true }, schedule: FILTER_SCHEDULE },
      ],
      ([both, port], at) => {
        const refused = both?.type === 'bindingError' || port?.type === 'bindingError'
        if (refused) this.#notes.push('The server announces a second address but does not answer from it.')
        // Only what really came in from there counts as open.
        done(refused ? 0 : both !== undefined ? 1 : port !== undefined ? 2 : 3, at)
      },
      now,
    )
  }

  /** RFC 5780 §4.3, or what two relays or two ports tell of it. */
  #mapping(found: readonly Found[], best: Found, filtering: NatBehaviour, now: Instant): void {
    const { server, mapped, other } = best
    const second = found.find((each) => each.server.ip !== server.ip)
    const finish = (mapping: NatBehaviour, at: Instant): void => this.#finish(mapped, mapping, filtering, at)
    if (other === undefined) {
      if (second === undefined) this.#notes.push('One server with one port cannot determine the mapping behaviour.')
      else if (!sameEndpoint(second.mapped, mapped))
        this.#notes.push('Whether the mapping depends on the remote port is unknown.')
      return finish(second === undefined ? 0 : sameEndpoint(second.mapped, mapped) ? 1 : 2, now)
    }
    if (!isFull(server, other)) return this.#mappingByPort(best, second, finish, now)
    this.#spoiled = now
    const elsewhere = { ip: other.ip, port: server.port }
    this.#askAll(
      [{ to: elsewhere }],
      ([byIp], at) => {
        if (byIp?.mapped !== undefined && sameEndpoint(byIp.mapped, mapped)) return finish(1, at)
        this.#askAll(
          [{ to: other }],
          ([byBoth], then) => {
            const [a, b] = [byIp?.mapped, byBoth?.mapped]
            if (a === undefined && b === undefined)
              this.#notes.push('The second address of the server does not answer.')
            if (b !== undefined && sameEndpoint(b, mapped)) finish(1, then)
            else if (a !== undefined && b !== undefined) finish(sameEndpoint(a, b) ? 2 : 3, then)
            else finish(b === undefined && a === undefined ? 0 : 2, then)
          },
          at,
        )
      },
      now,
    )
  }

  /** A second port of the same address tells APD from the rest, a second relay the rest. */
  #mappingByPort(
    { mapped, other }: Found,
    second: Found | undefined,
    finish: (mapping: NatBehaviour, now: Instant) => void,
    now: Instant,
  ): void {
    this.#askAll(
      [{ to: other as Endpoint }],
      ([answer], at) => {
        const byPort = answer?.mapped
        if (byPort !== undefined && !sameEndpoint(byPort, mapped)) return finish(3, at)
        if (second !== undefined) return finish(sameEndpoint(second.mapped, mapped) ? 1 : 2, at)
        this.#notes.push(
          'One server with one address cannot determine whether the mapping depends on the remote address.',
        )
        finish(0, at)
      },
      now,
    )
  }

  #finish(mapped: Endpoint | undefined, mapping: NatBehaviour, filtering: NatBehaviour, now: Instant): void {
    const local = this.#context.hostCandidates()
    const report: NatReport = {
      ...{ mapped, mapping, filtering, notes: this.#notes },
      natted: mapped && !local.some((own) => sameEndpoint(own, mapped)),
      type: typeOf(mapping, filtering),
    }
    const known = this.#report
    if (known === undefined || !knowsMore(known, report)) {
      this.#report = report
      if (known === undefined || !sameReport(known, report)) this.#events.push(report)
    }
    const again = this.#state === 'again'
    this.#state = 'idle'
    if (again) return this.#ask(now)
    if (!this.#unanswered || this.#agains === MAX_AGAIN) return
    const wait = AGAIN_FIRST * 2 ** this.#agains++
    this.#timer = this.#context.timers.set(later(now, duration(wait)), (at) => this.#ask(at))
  }

  /** Asks all at once; `done` is called when each has an answer or none. */
  #askAll(
    asks: readonly (Pick<Ask, 'to'> & Partial<Ask>)[],
    done: (answers: readonly (StunMessage | undefined)[], now: Instant) => void,
    now: Instant,
  ): void {
    const answers = new Array<StunMessage | undefined>(asks.length).fill(undefined)
    let open = asks.length
    for (const [index, ask] of asks.entries()) {
      const answered = (answer: StunMessage | undefined, at: Instant): void => {
        answers[index] = answer
        // A filter test may have none.
        if (answer === undefined && ask.change === undefined) this.#unanswered = true
        open--
        if (open === 0) done(answers, at)
      }
      this.#transactions.start({ schedule: SCHEDULE, ...ask, done: answered }, now)
    }
  }
}

/** Whether a server has a second address as well as a second port. */
const isFull = (server: Endpoint, other: Endpoint | undefined): boolean =>
  other !== undefined && other.ip !== server.ip && other.port !== server.port

/**
 * docs/protocol.md, Terms: T1 EIM+EIF, T2 EIM+ADF, T3 EIM+APDF, T4 any mapping that depends on the
 * destination.
 */
function typeOf(mapping: NatBehaviour, filtering: NatBehaviour): NatReport['type'] {
  if (mapping === 2 || mapping === 3) return 'T4'
  if (mapping === 0 || filtering === 0) return undefined
  return (['T1', 'T2', 'T3'] as const)[filtering - 1]
}

/** Lost packets do not erase what was known of the same address. */
function knowsMore(known: NatReport, now: NatReport): boolean {
  if (now.mapped === undefined) return known.mapped !== undefined
  const same = known.mapped !== undefined && sameEndpoint(known.mapped, now.mapped)
  return same && ((now.mapping === 0 && known.mapping !== 0) || (now.filtering === 0 && known.filtering !== 0))
}

function sameReport(a: NatReport, b: NatReport): boolean {
  const sameAddress = a.mapped?.ip === b.mapped?.ip && a.natted === b.natted
  return sameAddress && a.mapping === b.mapping && a.filtering === b.filtering
}

/**
 * LAN discovery (docs/protocol.md): asks the hosts of each private network by mDNS where a peer is, and
 * tells those who ask for this one. Socket n is that of link n. It says nothing by itself: a peer that
 * nobody looks for, and that looks for nobody, sends nothing.
 *
 *   look(id) ──► query ×3 ──► 'found' for each answer ── 'silent' when there was none
 */
import type { CryptoProvider } from '@showchain/crypto/core'
import type { PeerId } from '@showchain/wire'
import { type Count, Counters } from '../endpoint/counters.ts'
import {
  type Datagram,
  type Duration,
  duration,
  type Instant,
  later,
  type Machine,
  type Output,
  type Route,
} from '../endpoint/machine.ts'
import { Outbox } from '../endpoint/outbox.ts'
import { TokenBucket } from '../endpoint/rate-limit.ts'
import { routeKey } from '../endpoint/route.ts'
import { type Timer, Timers } from '../endpoint/timers.ts'
import { isOnLink, routeOn, type ServedLink } from './link.ts'
import { dayOf, instanceOf, type LanAnswer, type LanCodec, MDNS_GROUP, MDNS_GROUPS, SERVICE_LABEL } from './mdns.ts'

/**
 * When a query leaves after the one before it (RFC 6762 §5.2: a second at least, then twice as long), and
 * how long the answers to the last one are waited for. Wireless networks lose multicast easily.
 */
const LOOK_SCHEDULE: readonly Duration[] = [1000, 2000, 1000].map(duration)
/** From the first query to the last answer. */
export const LOOK_TIME: Duration = duration(LOOK_SCHEDULE.reduce((sum, wait) => sum + wait, 0))
/** At a time; a `connect` has one. */
export const MAX_LOOKS = 64
/** Addresses that one look hands up: more come from somebody who forges answers. */
export const MAX_FOUND = 8
/** Queries of all looks on one link. */
const QUERY_RATE = { perSecond: 2, burst: 8 }
/** Messages of the service that are read on one link: a network has few such hosts. */
const READ_RATE = { perSecond: 50, burst: 100 }
/** Between two multicasts of one record on one link (RFC 6762 §6). */
export const ANSWER_GAP: Duration = duration(1000)
/** Of UDP on Ethernet; no message that is meant is half as long. */
const MAX_READ = 1472
/** The bit in which small letters of ASCII differ from capitals. */
const CASE = 0x20
/** Clocks of two hosts may differ: this peer answers to its names of these days. */
const DAYS = [-1, 0, 1]

/** What LAN discovery counts. */
export type LanCounter = 'queries' | 'answers' | 'held' | 'foreign' | 'flood' | 'unreadable' | 'elsewhere'
/** And what each is. */
export const LAN_COUNTERS: Readonly<Record<LanCounter, string>> = {
  queries: 'Queries sent, one on each link',
  answers: 'Answers sent',
  held: 'Answers or queries not sent because one had just left',
  foreign: 'Messages from an address or port that is not of the link',
  flood: 'Messages not read because too many came',
  unreadable: 'Messages that cannot be read',
  elsewhere: 'Addresses in answers that no host of the link has',
}

/** Handle of a look; never reused. */
export type LookId = number

export type LanEvent =
  | { readonly type: 'found'; readonly look: LookId; readonly endpoints: readonly Route[] }
  /** Nobody has answered in time. Somebody may do so later, as long as it is not stopped. */
  | { readonly type: 'silent'; readonly look: LookId }

export interface LanMachineOptions {
  readonly links: readonly ServedLink[]
  /** Who answers; undefined: nobody may find this peer. */
  readonly self: PeerId | undefined
  readonly codec: LanCodec
  readonly provider: Pick<CryptoProvider, 'sha256'>
  readonly unixMs: () => number
}

interface Look {
  readonly instance: string
  /** As text. At most MAX_FOUND. */
  readonly found: Set<string>
  timer: Timer | undefined
}

interface Link {
  readonly link: ServedLink
  readonly queries: TokenBucket
  readonly reads: TokenBucket
  /** When this peer answered last, by name: those of three days. */
  readonly answered: Map<string, Instant>
}

export class LanMachine implements Machine<LanEvent> {
  readonly #options: LanMachineOptions
  readonly #links: readonly Link[]
  readonly #outbox = new Outbox<LanEvent>()
  readonly #timers = new Timers()
  readonly #counters = new Counters<LanCounter>(LAN_COUNTERS)
  readonly #count: Count<LanCounter> = this.#counters.count
  readonly #looks = new Map<LookId, Look>()
  /** Names of this peer, and the day for which they hold. */
  #names: { readonly day: number; readonly own: readonly string[] } | undefined
  #nextLook = 1

  constructor(options: LanMachineOptions, now: Instant) {
    this.#options = options
    this.#links = options.links.map((link) => ({
      ...{ link, answered: new Map() },
      queries: new TokenBucket(QUERY_RATE, now),
      reads: new TokenBucket(READ_RATE, now),
    }))
  }

  get deadline(): Instant | undefined {
    return this.#timers.deadline
  }

  poll(): Output<LanEvent> | undefined {
    return this.#outbox.poll()
  }

  wake(now: Instant): void {
    this.#timers.wake(now)
  }

  counters(): Record<LanCounter, number> {
    return this.#counters.snapshot()
  }

  /** Looks for a peer on every link. */
  look(id: PeerId, now: Instant): LookId {
    const look = this.#nextLook++
    const { provider, unixMs } = this.#options
    if (this.#links.length === 0 || this.#looks.size >= MAX_LOOKS) {
      this.#outbox.event({ type: 'silent', look })
      return look
    }
    const instance = instanceOf(provider, id, dayOf(unixMs()))
    this.#looks.set(look, { instance, found: new Set(), timer: undefined })
    this.#ask(look, 0, now)
    return look
  }

  /** Nobody waits for it any more. */
  stop(look: LookId): void {
    this.#looks.get(look)?.timer?.cancel()
    this.#looks.delete(look)
  }

  receive({ bytes, source }: Datagram, now: Instant): void {
    const at = source.socket ?? 0
    const link = this.#links[at]
    if (link === undefined || bytes.length > MAX_READ || !includes(bytes, SERVICE_LABEL)) return
    // A socket may hear what comes to another link, or from farther away.
    if (source.port !== MDNS_GROUP.port || !isOnLink(link.link, source.ip)) return this.#count('foreign')
    if (!link.reads.take(now)) return this.#count('flood')
    const message = this.#options.codec.read(bytes)
    if (message === undefined) return this.#count('unreadable')
    for (const answer of message.answers) this.#found(answer, link.link)
    for (const instance of new Set(message.asked)) if (this.#own.includes(instance)) this.#answer(instance, at, now)
  }

  #ask(id: LookId, sent: number, now: Instant): void {
    const look = this.#looks.get(id)
    if (look === undefined) return
    const wait = LOOK_SCHEDULE[sent]
    if (wait === undefined) {
      if (look.found.size === 0) this.#outbox.event({ type: 'silent', look: id })
      return
    }
    if (look.found.size === 0) this.#query(look.instance, now)
    look.timer = this.#timers.set(later(now, wait), (due) => this.#ask(id, sent + 1, due))
  }

  #query(instance: string, now: Instant): void {
    const bytes = this.#options.codec.query(instance)
    for (const [socket, { link, queries }] of this.#links.entries()) {
      if (!queries.take(now)) {
        this.#count('held')
        continue
      }
      this.#count('queries')
      this.#outbox.transmit({ ...MDNS_GROUPS[link.family], socket }, bytes)
    }
  }

  /** Multicast alone: whoever forges the source of a query has nobody else get the answer. */
  #answer(instance: string, socket: number, now: Instant): void {
    const { link, answered } = this.#links[socket] as Link
    const [first] = link.endpoints
    if (first === undefined) return
    const last = answered.get(instance)
    if (last !== undefined && now < later(last, ANSWER_GAP)) return this.#count('held')
    answered.set(instance, now)
    this.#count('answers')
    const ips = link.endpoints.map(({ ip }) => ip)
    const bytes = this.#options.codec.answer({ instance, port: first.port, ips })
    this.#outbox.transmit({ ...MDNS_GROUPS[link.family], socket }, bytes)
  }

  #found({ instance, port, ips }: LanAnswer, link: ServedLink): void {
    const here = ips.filter((ip) => isOnLink(link, ip))
    if (here.length < ips.length) this.#count('elsewhere')
    for (const [id, look] of this.#looks) {
      if (look.instance !== instance) continue
      const routes = here.map((ip) => routeOn(link, { ip, port }))
      const fresh = routes.filter((each) => !look.found.has(routeKey(each)))
      const room = MAX_FOUND - look.found.size
      const endpoints = fresh.slice(0, room)
      for (const each of endpoints) look.found.add(routeKey(each))
      if (endpoints.length > 0) this.#outbox.event({ type: 'found', look: id, endpoints })
    }
  }

  get #own(): readonly string[] {
    const { self, provider, unixMs } = this.#options
    if (self === undefined) return []
    const day = dayOf(unixMs())
    if (this.#names?.day !== day) {
      this.#names = { day, own: DAYS.map((other) => instanceOf(provider, self, day + other)) }
      for (const { answered } of this.#links) answered.clear()
    }
    return this.#names.own
  }
}

/** Names are compared without case (RFC 1035 §2.3.3): what this takes too many of, the codec reads exactly. */
function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = bytes.indexOf(part[0] as number); at >= 0; at = bytes.indexOf(part[0] as number, at + 1))
    if (part.every((byte, index) => ((bytes[at + index] ?? 0) | CASE) === (byte | CASE))) return true
  return false
}

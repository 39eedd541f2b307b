/**
 * Who may use a relay (docs/protocol.md, Access). The relay's owner decides, after the signature: the
 * machine asks by an event, and the answer is an input. Answers are kept for a while. Nobody is let in
 * without one.
 *
 *   decide ─► permit, or known? ─► then
 *                       └─► asked ─► answered, or nothing came for 10 s ─► then
 *
 * Registered peers are decided about again, so that an answer which changes does not hold for ever.
 */
import {
  type Duration,
  duration,
  ExpiringMap,
  type Instant,
  instant,
  rateSource,
  sameRoute,
} from '@showchain/client/endpoint'
import type { Permit, Permits } from '@showchain/crypto/core'
import { type Endpoint, type PeerId, WIRE_ERROR } from '@showchain/wire'
import type { Bans } from './bans.ts'
import type { Binding, Bindings } from './bindings.ts'
import { errorBytes, type Refusal } from './error-bytes.ts'
import { type Meter, permitKey } from './meter.ts'
import type { RelayContext } from './relay-context.ts'
import { SWEEP_INTERVAL } from './times.ts'
import type { Usage } from './usage.ts'

/** Who wants to use a relay. */
export interface Applicant {
  readonly id: PeerId
  /** Where it registers from; it has proved that it receives there, or at another port of this ip. */
  readonly at: Endpoint
}

/** With what it shows, to be let in. */
export interface Application extends Applicant {
  readonly permit?: Uint8Array | undefined
}

/** What came of the question whether a peer may use the relay. */
export type Verdict = 'allowed' | Refusal

export interface AccessGateOptions {
  readonly bindings: Bindings
  /** Undefined: there are no quotas. */
  readonly meter: Meter | undefined
  /** Whether somebody decides who may use the relay. */
  readonly asks: boolean
  /** Who shows a good one of these may use it without a question. @default permits count for nothing */
  readonly permits: Permits | undefined
  readonly bans: Bans
  /** Wall clock, in ms. */
  readonly unixMs: () => number
}

/** A question, as its event has it. */
export interface Asked {
  readonly id: PeerId
  readonly question: number
}

/** @param permit the one that let it in */
type Then = (verdict: Verdict, now: Instant, permit: Permit | undefined) => void

interface Question {
  readonly number: number
  /** What the answer is kept under; undefined: it is not about access. */
  readonly key: string | undefined
  /** Accounts that have to be loaded. */
  readonly missing: readonly string[]
  readonly end: (verdict: Verdict, now: Instant) => void
}

/** Whoever is asked has answered by then, or does not answer: retransmission takes as long. */
export const ACCESS_PATIENCE: Duration = duration(10_000)
/** What a registered peer stays registered after. */
const STAYS: ReadonlySet<Verdict> = new Set(['allowed', 'undecided'])
/** In which every registered peer is decided about when that is urgent. */
const HURRIED_ROUND: Duration = duration(10_000)
const UNBOUND = errorBytes(WIRE_ERROR.unbound)

export class AccessGate {
  readonly #context: RelayContext
  readonly #bindings: Bindings
  readonly #meter: Meter | undefined
  /** Whether somebody decides who may use it. */
  #asks: boolean
  #permits: Permits | undefined
  readonly #bans: Bans
  readonly #unixMs: () => number
  /** Rows that are to be looked at soon, since who may use the relay has changed. */
  #hurried = 0
  #known: ExpiringMap<string, Verdict>
  /** One of each id: what it sent last counts. */
  readonly #open: ExpiringMap<PeerId, Question>
  #questions = 0
  /** The row of bindings that is looked at next. */
  #row = 0
  #now: Instant = instant(0)

  constructor(context: RelayContext, { bindings, meter, asks, permits, bans, unixMs }: AccessGateOptions) {
    const { accessQuestions } = context.limits
    this.#context = context
    this.#bindings = bindings
    this.#meter = meter
    this.#asks = asks
    this.#permits = permits
    this.#bans = bans
    this.#unixMs = unixMs
    this.#known = answersOf(context)
    this.#open = new ExpiringMap({
      lifetime: ACCESS_PATIENCE,
      capacity: accessQuestions,
      onEnd: (_id, { end }) => end('undecided', this.#now),
    })
  }

  get size(): number {
    return this.#known.size + this.#open.size
  }

  /** @param then is called once, or never when the same peer applies again before. */
  decide(application: Application, now: Instant, then: Then): void {
    const { id, at } = application
    // An answer to what it sent before comes too late: it may have been from another address.
    this.#open.delete(id)
    if (this.#bans.has(id, at.ip, this.#unixMs())) return then('refused', now, undefined)
    const shown = this.#shown(application)
    const permit = typeof shown === 'object' ? shown : undefined
    if (permit !== undefined && this.#bans.hasPermit(permitKey(permit), this.#unixMs()))
      return then('refused', now, undefined)
    const granted = permit !== undefined || !this.#decides
    const key = granted ? undefined : keyOf(id, at.ip)
    const known = key === undefined ? 'allowed' : this.#asks ? this.#known.get(key, now) : 'refused'
    const missing = this.#meter?.missing(id, at.ip, permit) ?? []
    const end = (verdict: Verdict, when: Instant): void => {
      if (verdict === 'refused' && typeof shown === 'string') then(shown, when, undefined)
      else then((verdict === 'allowed' && this.#meter?.refuses(id, at.ip, permit)) || verdict, when, permit)
    }
    if (known !== undefined && (known !== 'allowed' || missing.length === 0)) return end(known, now)
    if (this.#open.size >= this.#context.limits.accessQuestions) return end('undecided', now)
    const question = ++this.#questions
    // Of what it has used, something may have been in memory when it applied, and be only kept by now.
    const answered = (verdict: Verdict, when: Instant): void => {
      const forgotten = verdict === 'allowed' && (this.#meter?.missing(id, at.ip, permit) ?? []).length > 0
      if (forgotten) this.decide(application, when, then)
      else end(verdict, when)
    }
    this.#open.set(id, { number: question, key, missing, end: answered }, now)
    const event = { type: 'applied', question, id, at: { ip: at.ip, port: at.port }, granted, missing } as const
    this.#context.outbox.event(event)
  }

  /** @param verdict `undecided` is not kept */
  answered({ id, question }: Asked, verdict: Verdict, usage: readonly Usage[], now: Instant): void {
    const open = this.#open.get(id, now)
    if (open?.number !== question) return
    this.#open.delete(id)
    if (verdict !== 'undecided' && open.key !== undefined) this.#known.set(open.key, verdict, now)
    if (verdict === 'allowed') this.#meter?.load(open.missing, usage)
    open.end(verdict, now)
  }

  /** What it shows, or what is wrong with that; undefined: it does not matter. */
  #shown({ id, permit }: Application): Permit | Refusal | undefined {
    if (this.#permits === undefined) return undefined
    return permit === undefined ? 'permitNeeded' : this.#permits.check(permit, id, this.#unixMs())
  }

  get #by(): Pick<AccessGateOptions, 'asks' | 'permits'> {
    return { asks: this.#asks, permits: this.#permits }
  }

  /** Whether not everyone may use the relay. */
  get #decides(): boolean {
    return this.#asks || this.#permits !== undefined
  }

  /**
   * Who may use the relay has changed: what was decided is forgotten, and registered peers are decided
   * about again within 10 s.
   */
  change({ asks, permits }: Pick<AccessGateOptions, 'asks' | 'permits'> = this.#by): void {
    this.#asks = asks
    this.#permits = permits
    this.#known = answersOf(this.#context)
    this.#hurried = this.#bindings.rows
  }

  /** Once in a sweep: questions end, and the next few registered peers are decided about again. */
  expire(now: Instant): void {
    this.#now = now
    this.#open.expire(now)
    this.#known.expire(now)
    this.#bans.expire(this.#unixMs())
    if (!this.#decides && this.#hurried <= 0) return
    const { rows } = this.#bindings
    const round = this.#hurried > 0 ? HURRIED_ROUND : duration(this.#context.limits.accessSeconds * 1000)
    const most = this.#asks ? this.#context.limits.accessQuestions / 2 : rows
    const count = Math.ceil(Math.min((rows * SWEEP_INTERVAL) / round, most))
    this.#hurried -= count
    for (const binding of this.#bindings.page(this.#row, count, now)) this.#review(binding, now)
    this.#row = this.#row + count >= rows ? 0 : this.#row + count
  }

  /** Where nobody can tell, it stays: it was let in, and is asked about again. */
  #review({ id, source, permit }: Binding, now: Instant): void {
    // Nothing is to be asked where only bans count.
    if (!this.#decides && !this.#bans.has(id, source.ip, this.#unixMs())) return
    // What it has sent itself is being decided about.
    if (this.#open.get(id, now) !== undefined) return
    this.decide({ id, at: source, permit }, now, (verdict, at) => {
      const binding = this.#bindings.get(id, at)
      if (STAYS.has(verdict) || binding === undefined || !sameRoute(binding.source, source)) return
      this.end(binding, at)
    })
  }

  /** A peer is registered no longer. It is told to register again, and then why it is not let in, if it is not. */
  end({ id, source, encoding }: Binding, now: Instant): void {
    this.#bindings.end(id, 'refused', now)
    this.#context.count('unboundSent')
    this.#context.outbox.transmit(source, UNBOUND[encoding])
  }
}

const answersOf = ({ limits }: RelayContext): ExpiringMap<string, Verdict> =>
  new ExpiringMap({ lifetime: duration(limits.accessSeconds * 1000), capacity: limits.accessAnswers })

const keyOf = (id: PeerId, ip: string): string => `${id} ${rateSource(ip)}`

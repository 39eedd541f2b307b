/**
 * Who may use a relay (docs/protocol.md, Access). The relay's owner decides, after the signature: the
 * machine asks by an event, and the answer is an input. Answers are kept for a while. Nobody is let in
 * without one.
 *
 *   decide ─► known? ─► then
 *               └─► asked ─► answered, or nothing came for 10 s ─► then
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
import { type Endpoint, type PeerId, WIRE_ERROR } from '@showchain/wire'
import type { Binding, Bindings } from './bindings.ts'
import { errorBytes, type Refusal } from './error-bytes.ts'
import type { Meter } from './meter.ts'
import type { RelayContext } from './relay-context.ts'
import { SWEEP_INTERVAL } from './times.ts'
import type { Usage } from './usage.ts'

/** Who wants to use a relay. */
export interface Applicant {
  readonly id: PeerId
  /** Where it registers from; it has proved that it receives there, or at another port of this ip. */
  readonly at: Endpoint
}

/** What came of the question whether a peer may use the relay. */
export type Verdict = 'allowed' | Refusal

export interface AccessGateOptions {
  readonly bindings: Bindings
  /** Undefined: there are no quotas. */
  readonly meter: Meter | undefined
  /** Whether not everyone may use the relay. */
  readonly asks: boolean
}

/** A question, as its event has it. */
export interface Asked {
  readonly id: PeerId
  readonly question: number
}

type Then = (verdict: Verdict, now: Instant) => void

interface Question {
  readonly number: number
  /** What the answer is kept under. */
  readonly key: string
  /** Accounts that have to be loaded. */
  readonly missing: readonly string[]
  readonly end: Then
}

/** Whoever is asked has answered by then, or does not answer: retransmission takes as long. */
export const ACCESS_PATIENCE: Duration = duration(10_000)
/** What a registered peer is not registered after. */
const ENDS: ReadonlySet<Verdict> = new Set(['refused', 'overQuota'])
const UNBOUND = errorBytes(WIRE_ERROR.unbound)

export class AccessGate {
  readonly #context: RelayContext
  readonly #bindings: Bindings
  readonly #meter: Meter | undefined
  /** Whether not everyone may use the relay. */
  readonly #asks: boolean
  readonly #known: ExpiringMap<string, Verdict>
  /** One of each id: what it sent last counts. */
  readonly #open: ExpiringMap<PeerId, Question>
  #questions = 0
  /** The row of bindings that is looked at next. */
  #row = 0
  #now: Instant = instant(0)

  constructor(context: RelayContext, { bindings, meter, asks }: AccessGateOptions) {
    const { accessAnswers, accessSeconds, accessQuestions } = context.limits
    this.#context = context
    this.#bindings = bindings
    this.#meter = meter
    this.#asks = asks
    this.#known = new ExpiringMap({ lifetime: duration(accessSeconds * 1000), capacity: accessAnswers })
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
  decide({ id, at }: Applicant, now: Instant, then: Then): void {
    // An answer to what it sent before comes too late: it may have been from another address.
    this.#open.delete(id)
    const key = `${id} ${rateSource(at.ip)}`
    const known = this.#asks ? this.#known.get(key, now) : 'allowed'
    const missing = this.#meter?.missing(id, at.ip) ?? []
    if (known !== undefined && missing.length === 0) return this.#tell(then, { id, at }, known, now)
    if (this.#open.size >= this.#context.limits.accessQuestions) return then('undecided', now)
    const question = ++this.#questions
    this.#open.set(
      id,
      { number: question, key, missing, end: (verdict, when) => this.#tell(then, { id, at }, verdict, when) },
      now,
    )
    this.#context.outbox.event({ type: 'applied', question, id, at: { ip: at.ip, port: at.port }, missing })
  }

  /** @param verdict `undecided` is not kept */
  answered({ id, question }: Asked, verdict: Verdict, usage: readonly Usage[], now: Instant): void {
    const open = this.#open.get(id, now)
    if (open?.number !== question) return
    this.#open.delete(id)
    if (verdict !== 'undecided') this.#known.set(open.key, verdict, now)
    if (verdict === 'allowed') this.#meter?.load(open.missing, usage)
    open.end(verdict, now)
  }

  #tell(then: Then, { id, at }: Applicant, verdict: Verdict, now: Instant): void {
    const usedUp = verdict === 'allowed' && this.#meter?.refuses === true && this.#meter.isUsedUp(id, at.ip)
    then(usedUp ? 'overQuota' : verdict, now)
  }

  /** Once in a sweep: questions end, and the next few registered peers are decided about again. */
  expire(now: Instant): void {
    this.#now = now
    this.#open.expire(now)
    this.#known.expire(now)
    if (!this.#asks) return
    const { rows } = this.#bindings
    const count = Math.ceil((rows * SWEEP_INTERVAL) / (this.#context.limits.accessSeconds * 1000))
    for (const binding of this.#bindings.page(this.#row, count)) this.#review(binding, now)
    this.#row = this.#row + count >= rows ? 0 : this.#row + count
  }

  /** Where nobody can tell, it stays: it was let in, and is asked about again. */
  #review({ id, source, encoding }: Binding, now: Instant): void {
    // What it has sent itself is being decided about.
    if (this.#open.get(id, now) !== undefined) return
    this.decide({ id, at: source }, now, (verdict, at) => {
      const binding = this.#bindings.get(id, at)
      if (!ENDS.has(verdict) || binding === undefined || !sameRoute(binding.source, source)) return
      this.#bindings.end(id, 'refused', at)
      // It registers again, and is told why it is not let in.
      this.#context.count('unboundSent')
      this.#context.outbox.transmit(source, UNBOUND[encoding])
    })
  }
}

/**
 * A rate that sources share. While they want less than the relay may forward, each gets what it wants.
 * Else the rate is divided as water fills vessels (max-min fairness): whoever wants no more than the
 * level gets all of it, and the others get the level. So a source that wants more takes nothing from one
 * that wants its share or less, and the ids that it has do not matter.
 *
 * The level is that of what was wanted in the interval before. When an interval's bytes are used up
 * before its end, the level is an equal share from then on.
 */
import type { Instant } from '@showchain/client/endpoint'

/** Between two levels, in ms: some frames of each of a thousand sources at 100 Mbit/s. */
const INTERVAL = 200
/** A source may have saved so much: the share of one interval, and at least two frames of any size. */
const LEAST_BURST = 3000
/** Of an interval: what goes to bytes that were given beyond earlier ones, so that nobody waits for a whole one. */
const REPAID = 0.25
/** Passes of filling: each finds sources that are below the level, or is the last. */
const MAX_PASSES = 16

/** What a rate knows of one source. */
export class SourceShare {
  /** Bytes that it may send while there is a level. */
  tokens = 0
  filledAt = 0
  /** The interval that the next two are of. */
  interval = -1
  /** Bytes that it wanted, and those that it got. */
  wanted = 0
  got = 0
}

export class FairShare {
  /** Bytes of an interval. */
  readonly #capacity: number
  #interval = 0
  /** Bytes of each source in an interval; Infinity: what it wants. */
  #level = Number.POSITIVE_INFINITY
  /** Sources that wanted something in this interval, each once. */
  #active: SourceShare[] = []
  /** Bytes that were given in this interval. */
  #given = 0
  /** Bytes that were given beyond the last intervals. */
  #debt = 0

  constructor(bytesPerSecond: number) {
    this.#capacity = (bytesPerSecond * INTERVAL) / 1000
  }

  /**
   * Bytes that a source may send now: enough for what it has to send, and perhaps some beyond, or 0.
   * @param need of one frame
   * @param most that it could use
   */
  take(source: SourceShare, need: number, most: number, now: Instant): number {
    this.#begin(now)
    this.#note(source, now)
    const tokens = this.#level === Number.POSITIVE_INFINITY ? most : this.#filled(source, now)
    // What is taken in advance must not be much of what all have.
    const ahead = Math.min(most, tokens, this.#capacity / (8 * this.#active.length))
    const bytes = tokens < need ? 0 : Math.max(need, Math.floor(ahead))
    source.wanted += Math.max(need, bytes)
    if (bytes === 0) return 0
    source.got += bytes
    source.tokens -= bytes
    this.#given += bytes
    if (this.#level === Number.POSITIVE_INFINITY && this.#given >= this.#capacity - this.#repaid) this.#divide()
    return bytes
  }

  get #repaid(): number {
    return Math.min(this.#debt, REPAID * this.#capacity)
  }

  /** Another interval has begun: its level is that of what was wanted in the last one. */
  #begin(now: Instant): void {
    const interval = Math.floor(now / INTERVAL)
    if (interval === this.#interval) return
    const passed = interval - this.#interval
    this.#debt = Math.max(0, this.#debt + this.#given - passed * this.#capacity)
    const before = this.#level
    this.#level = passed > 1 ? Number.POSITIVE_INFINITY : levelOf(this.#active, this.#capacity - this.#repaid)
    if (before === Number.POSITIVE_INFINITY && this.#level < before)
      for (const source of this.#active) this.#empty(source, now)
    this.#interval = interval
    this.#active = []
    this.#given = 0
  }

  /** The bytes of this interval are used up: who got less than an equal share still gets that. */
  #divide(): void {
    this.#level = this.#capacity / this.#active.length
    for (const source of this.#active) {
      source.tokens = Math.max(0, this.#level - source.got)
      source.filledAt = (this.#interval + 1) * INTERVAL
    }
  }

  #empty(source: SourceShare, now: Instant): void {
    source.tokens = 0
    source.filledAt = now
  }

  #note(source: SourceShare, now: Instant): void {
    if (source.interval === this.#interval) return
    // One that was away begins with the least.
    if (source.interval < this.#interval - 1) {
      source.tokens = LEAST_BURST
      source.filledAt = now
    }
    source.interval = this.#interval
    source.wanted = 0
    source.got = 0
    this.#active.push(source)
  }

  #filled(source: SourceShare, now: Instant): number {
    const more = (this.#level * Math.max(0, now - source.filledAt)) / INTERVAL
    source.tokens = Math.min(Math.max(LEAST_BURST, this.#level), source.tokens + more)
    source.filledAt = Math.max(now, source.filledAt)
    return source.tokens
  }
}

/** The level up to which everyone gets what it wants, when all together get `capacity`. */
function levelOf(sources: readonly SourceShare[], capacity: number): number {
  const wanted = sources.reduce((sum, source) => sum + source.wanted, 0)
  if (wanted <= capacity) return Number.POSITIVE_INFINITY
  let level = capacity / sources.length
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    let [below, bytes] = [0, 0]
    for (const source of sources) {
      if (source.wanted > level) continue
      below++
      bytes += source.wanted
    }
    const next = (capacity - bytes) / (sources.length - below)
    if (next <= level) break
    level = next
  }
  return level
}

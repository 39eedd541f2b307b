/**
 * BBR (draft-ietf-ccwg-bbr): sends at the rate at which packets were seen to arrive, and keeps one round trip's worth of them
 * under way, whatever is lost.
 *
 *   startup ──► drain ──► probe-bandwidth ◄──► probe-round-trip
 *
 * It differs from the draft where that backs off: a path that loses by itself (radio, a long way) is what it is for, so lost
 * packets alone do not slow it down; that no more than twice the path's capacity is under way bounds what it costs others.
 */
import { duration, type Instant, later } from '../../endpoint/machine.ts'
import { type AckSample, type Congestion, initialWindow, type LossSample } from './controller.ts'

/** §2.4: the lowest gain that doubles the rate each round: 4 ln 2. */
const STARTUP_GAIN = 2.77
const DRAIN_GAIN = 0.5
const WINDOW_GAIN = 2
/** §2.5: less than the estimate, so that no queue stays. */
const PACING_MARGIN = 0.99
/** §5.3.1.2: the pipe is full when three rounds brought less than a quarter more. */
const FULL_GROWTH = 1.25
const FULL_ROUNDS = 3
/** Probing for more: one round up, one down, and six in between, as BBR's first version has it. */
const CYCLE: readonly number[] = [1.25, 0.75, 1, 1, 1, 1, 1, 1]
const BANDWIDTH_ROUNDS = 10
const EXTRA_ROUNDS = 10
/** §2.8: how long a shortest round trip counts, and how long a new one is looked for. */
const MIN_RTT_LIFETIME = duration(10_000)
const PROBE_RTT_TIME = duration(200)
/** §5.3.4.3: half of what is under way while the round trip is probed. */
const PROBE_RTT_GAIN = 0.5
const MIN_PACKETS = 4
const PACING_GAINS = { startup: STARTUP_GAIN, drain: DRAIN_GAIN, 'round-trip': 1 } as const

export class Bbr implements Congestion {
  readonly name = 'bbr'
  readonly #packet: number
  #state: 'startup' | 'drain' | 'bandwidth' | 'round-trip' = 'startup'
  #window: number
  /** Bytes per millisecond, by round. */
  readonly #bandwidth = new RecentMax(BANDWIDTH_ROUNDS)
  /** Bytes beyond what was expected that came in one go: ACKs are gathered on the way (§5.5.9). */
  readonly #extra = new RecentMax(EXTRA_ROUNDS)
  #extraSince: Instant | undefined
  #extraDelivered = 0
  #minRtt = Number.POSITIVE_INFINITY
  #minRttAt: Instant | undefined
  #round = 0
  #roundEnd = 0
  #fullBandwidth = 0
  #fullRounds = 0
  #filled = false
  #cycle = 0
  #cycleStart: Instant | undefined
  #probeDone: Instant | undefined
  #probeRound = 0
  #windowBefore = 0
  #lostInCycle = false

  constructor(packet: number) {
    this.#packet = packet
    this.#window = initialWindow(packet)
  }

  get window(): number {
    const probing = Math.max(PROBE_RTT_GAIN * this.#product(1), MIN_PACKETS * this.#packet)
    return this.#state === 'round-trip' ? Math.min(this.#window, probing) : this.#window
  }

  get pacingRate(): number | undefined {
    const bandwidth = this.#bandwidth.max
    if (bandwidth === 0)
      return Number.isFinite(this.#minRtt) ? (STARTUP_GAIN * this.#window) / Math.max(this.#minRtt, 1) : undefined
    return PACING_MARGIN * this.#pacingGain * bandwidth
  }

  get #pacingGain(): number {
    return this.#state === 'bandwidth' ? (CYCLE[this.#cycle] as number) : PACING_GAINS[this.#state]
  }

  acked(sample: AckSample): void {
    const { now, rate, appLimited, rtt, delivered, deliveredAtSend, inFlight } = sample
    const newRound = deliveredAtSend >= this.#roundEnd
    if (newRound) {
      this.#round++
      this.#roundEnd = delivered
    }
    if (rate !== undefined && (!appLimited || rate >= this.#bandwidth.max)) this.#bandwidth.update(this.#round, rate)
    this.#gatherExtra(sample)
    if (newRound && !appLimited) this.#checkFull()
    if (this.#state === 'startup' && this.#filled) this.#state = 'drain'
    if (this.#state === 'drain' && inFlight <= this.#product(1)) this.#probeBandwidth(now)
    if (this.#state === 'bandwidth') this.#advance(sample)
    this.#probeRoundTrip(now, rtt, newRound, inFlight)
    this.#grow(sample)
  }

  lost({ persistent }: LossSample): void {
    this.#lostInCycle = true
    if (!persistent) return
    // Nothing is known of the path any more: it begins anew, from where it can.
    this.#window = MIN_PACKETS * this.#packet
    this.#state = 'startup'
    this.#filled = false
    this.#fullBandwidth = 0
    this.#fullRounds = 0
  }

  /** Bytes under way that fill the path so many times. */
  #product(gain: number): number {
    const bandwidth = this.#bandwidth.max
    if (bandwidth === 0 || !Number.isFinite(this.#minRtt)) return initialWindow(this.#packet)
    return gain * bandwidth * this.#minRtt
  }

  #gatherExtra({ now, acked }: AckSample): void {
    const expected = this.#extraSince === undefined ? 0 : this.#bandwidth.max * (now - this.#extraSince)
    if (this.#extraSince === undefined || this.#extraDelivered <= expected) {
      this.#extraSince = now
      this.#extraDelivered = acked
      return this.#extra.update(this.#round, Math.min(acked, this.#window))
    }
    this.#extraDelivered += acked
    this.#extra.update(this.#round, Math.min(this.#extraDelivered - expected, this.#window))
  }

  #checkFull(): void {
    if (this.#filled) return
    const bandwidth = this.#bandwidth.max
    if (bandwidth >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = bandwidth
      this.#fullRounds = 0
    } else if (++this.#fullRounds >= FULL_ROUNDS) this.#filled = true
  }

  #probeBandwidth(now: Instant): void {
    this.#state = 'bandwidth'
    // Not at the phase that drains: the queue is drained.
    this.#cycle = 2
    this.#cycleStart = now
  }

  #advance({ now, inFlightBefore, inFlight }: AckSample): void {
    const gain = CYCLE[this.#cycle] as number
    const past = this.#cycleStart !== undefined && now - this.#cycleStart > this.#minRtt
    const over =
      gain > 1
        ? past && (this.#lostInCycle || inFlightBefore >= this.#product(gain))
        : gain < 1
          ? past || inFlight <= this.#product(1)
          : past
    if (!over) return
    this.#cycle = (this.#cycle + 1) % CYCLE.length
    this.#cycleStart = now
    this.#lostInCycle = false
  }

  #probeRoundTrip(now: Instant, rtt: number | undefined, newRound: boolean, inFlight: number): void {
    const expired = this.#minRttAt !== undefined && now > later(this.#minRttAt, MIN_RTT_LIFETIME)
    if (rtt !== undefined && (rtt <= this.#minRtt || expired)) {
      this.#minRtt = rtt
      this.#minRttAt = now
    }
    if (expired && this.#state !== 'round-trip') {
      this.#windowBefore = this.#window
      this.#state = 'round-trip'
      this.#probeDone = undefined
    }
    if (this.#state !== 'round-trip') return
    if (this.#probeDone === undefined) {
      if (inFlight > this.window) return
      this.#probeDone = later(now, PROBE_RTT_TIME)
      this.#probeRound = this.#round
    } else if (now >= this.#probeDone && newRound && this.#round > this.#probeRound) {
      this.#minRttAt = now
      this.#window = Math.max(this.#window, this.#windowBefore)
      if (this.#filled) this.#probeBandwidth(now)
      else this.#state = 'startup'
    }
  }

  #grow({ acked, delivered }: AckSample): void {
    const gain = this.#state === 'startup' ? STARTUP_GAIN : WINDOW_GAIN
    const target = this.#product(gain) + this.#extra.max + 3 * this.#packet
    if (this.#filled) this.#window = Math.min(this.#window + acked, target)
    else if (this.#window < target || delivered < initialWindow(this.#packet)) this.#window += acked
    this.#window = Math.max(this.#window, MIN_PACKETS * this.#packet)
  }
}

/** The greatest of what came in the last rounds. */
class RecentMax {
  readonly #rounds: number
  /** Descending in value, ascending in round; at most one for each round. */
  readonly #samples: { readonly round: number; readonly value: number }[] = []

  constructor(rounds: number) {
    this.#rounds = rounds
  }

  get max(): number {
    return this.#samples[0]?.value ?? 0
  }

  update(round: number, value: number): void {
    const samples = this.#samples
    while (samples.length > 0 && (samples.at(-1) as { value: number }).value <= value) samples.pop()
    if (samples.at(-1)?.round !== round || samples.length === 0) samples.push({ round, value })
    while ((samples[0] as { round: number }).round <= round - this.#rounds) samples.shift()
  }
}

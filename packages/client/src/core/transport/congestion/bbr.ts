/**
 * BBR (draft-ietf-ccwg-bbr): sends at the measured delivery rate, with about one bandwidth-delay
 * product in flight.
 *
 *   startup ──► drain ──► probe-bandwidth ◄──► probe-rtt
 *
 * It differs from the draft in that loss alone does not reduce the rate: paths with random loss
 * (radio, long distance) are what it is for. At most two bandwidth-delay products in flight bound
 * what that costs others.
 */
import { duration, type Instant, later } from '../../endpoint/machine.ts'
import { type AckSample, type Congestion, initialWindow, type LossSample } from './controller.ts'
import { WindowedMax } from './windowed-max.ts'

/** §2.4: the lowest gain that doubles the rate each round, 4 ln 2. */
const STARTUP_GAIN = 2.77
const DRAIN_GAIN = 0.5
const WINDOW_GAIN = 2
/** §2.5: a little below the estimate, so that queues drain. */
const PACING_MARGIN = 0.99
/** §5.3.1.2: the pipe is full when three rounds increase the bandwidth by less than a quarter. */
const FULL_GROWTH = 1.25
const FULL_ROUNDS = 3
/** Pacing gains while probing for bandwidth: one round up, one down, six level, as in BBRv1. */
const CYCLE: readonly number[] = [1.25, 0.75, 1, 1, 1, 1, 1, 1]
const BANDWIDTH_ROUNDS = 10
const EXTRA_ACKED_ROUNDS = 10
/** §2.8: how long a minimum RTT is valid, and how long ProbeRTT lasts. */
const MIN_RTT_LIFETIME = duration(10_000)
const PROBE_RTT_TIME = duration(200)
/** §5.3.4.3: half of the bandwidth-delay product in flight during ProbeRTT. */
const PROBE_RTT_GAIN = 0.5
const MIN_PACKETS = 4
const PACING_GAINS = { startup: STARTUP_GAIN, drain: DRAIN_GAIN, 'probe-rtt': 1 } as const

export class Bbr implements Congestion {
  readonly name = 'bbr'
  readonly #packet: number
  #state: 'startup' | 'drain' | 'probe-bandwidth' | 'probe-rtt' = 'startup'
  #window: number
  /** Delivery rate, bytes per millisecond. */
  readonly #bandwidth = new WindowedMax(BANDWIDTH_ROUNDS)
  /** Bytes acknowledged beyond what the rate explains: ACK aggregation (§5.5.9). */
  readonly #extraAcked = new WindowedMax(EXTRA_ACKED_ROUNDS)
  #aggregationSince: Instant | undefined
  #aggregated = 0
  #minRtt = Number.POSITIVE_INFINITY
  #minRttAt: Instant | undefined
  #round = 0
  #roundEndsAt = 0
  #fullBandwidth = 0
  #fullRoundCount = 0
  #pipeFull = false
  #cycle = 0
  #cycleStartedAt: Instant | undefined
  #probeRttDoneAt: Instant | undefined
  #probeRttRound = 0
  #priorWindow = 0
  #lostInCycle = false
  /** Computed when something changes: each packet asks for both. */
  #windowNow: number
  #rateNow: number | undefined

  constructor(packet: number) {
    this.#packet = packet
    this.#window = initialWindow(packet)
    this.#windowNow = this.#window
  }

  get window(): number {
    return this.#windowNow
  }

  get pacingRate(): number | undefined {
    return this.#rateNow
  }

  /** Whole bytes, which they are at first: code for integers is not optimized twice. */
  get #currentWindow(): number {
    if (this.#state !== 'probe-rtt') return Math.floor(this.#window)
    return Math.floor(Math.min(this.#window, Math.max(PROBE_RTT_GAIN * this.#bdp(1), MIN_PACKETS * this.#packet)))
  }

  get #currentRate(): number | undefined {
    const bandwidth = this.#bandwidth.max
    if (bandwidth === 0)
      return Number.isFinite(this.#minRtt) ? (STARTUP_GAIN * this.#window) / Math.max(this.#minRtt, 1) : undefined
    return PACING_MARGIN * this.#pacingGain * bandwidth
  }

  get #pacingGain(): number {
    return this.#state === 'probe-bandwidth' ? (CYCLE[this.#cycle] as number) : PACING_GAINS[this.#state]
  }

  acked(sample: AckSample): void {
    const { now, rate, appLimited, delivered, deliveredAtSend, inFlight } = sample
    const newRound = deliveredAtSend >= this.#roundEndsAt
    if (newRound) {
      this.#round++
      this.#roundEndsAt = delivered
    }
    if (rate !== undefined && (!appLimited || rate >= this.#bandwidth.max)) this.#bandwidth.update(this.#round, rate)
    this.#updateAggregation(sample)
    // §5.3.4.3: rates during ProbeRTT are low because of the small window, and tell nothing.
    if (newRound && !appLimited && this.#state !== 'probe-rtt') this.#checkFullPipe()
    if (this.#state === 'startup' && this.#pipeFull) this.#state = 'drain'
    if (this.#state === 'drain' && inFlight <= this.#bdp(1)) this.#probeBandwidth(now)
    if (this.#state === 'probe-bandwidth') this.#advanceCycle(sample)
    this.#updateMinRtt(sample, newRound)
    this.#updateWindow(sample)
    this.#changed()
  }

  lost({ persistent }: LossSample): void {
    this.#lostInCycle = true
    if (!persistent) return
    // Persistent congestion (RFC 9002 §7.6): restart from the minimum window.
    this.#window = MIN_PACKETS * this.#packet
    this.#state = 'startup'
    this.#pipeFull = false
    this.#fullBandwidth = 0
    this.#fullRoundCount = 0
    this.#changed()
  }

  #changed(): void {
    this.#windowNow = this.#currentWindow
    this.#rateNow = this.#currentRate
  }

  /** Bandwidth-delay product, times a gain. */
  #bdp(gain: number): number {
    const bandwidth = this.#bandwidth.max
    if (bandwidth === 0 || !Number.isFinite(this.#minRtt)) return initialWindow(this.#packet)
    return gain * bandwidth * this.#minRtt
  }

  #updateAggregation({ now, acked }: AckSample): void {
    const expected = this.#aggregationSince === undefined ? 0 : this.#bandwidth.max * (now - this.#aggregationSince)
    if (this.#aggregationSince === undefined || this.#aggregated <= expected) {
      this.#aggregationSince = now
      this.#aggregated = acked
      return this.#extraAcked.update(this.#round, Math.min(acked, this.#window))
    }
    this.#aggregated += acked
    this.#extraAcked.update(this.#round, Math.min(this.#aggregated - expected, this.#window))
  }

  #checkFullPipe(): void {
    if (this.#pipeFull) return
    const bandwidth = this.#bandwidth.max
    if (bandwidth >= this.#fullBandwidth * FULL_GROWTH) {
      this.#fullBandwidth = bandwidth
      this.#fullRoundCount = 0
    } else if (++this.#fullRoundCount >= FULL_ROUNDS) this.#pipeFull = true
  }

  #probeBandwidth(now: Instant): void {
    this.#state = 'probe-bandwidth'
    // Not at the phase that drains, since the queue is empty.
    this.#cycle = 2
    this.#cycleStartedAt = now
  }

  #advanceCycle({ now, inFlightBefore, inFlight }: AckSample): void {
    const gain = CYCLE[this.#cycle] as number
    const past = this.#cycleStartedAt !== undefined && now - this.#cycleStartedAt > this.#minRtt
    const over =
      gain > 1
        ? past && (this.#lostInCycle || inFlightBefore >= this.#bdp(gain))
        : gain < 1
          ? past || inFlight <= this.#bdp(1)
          : past
    if (!over) return
    this.#cycle = (this.#cycle + 1) % CYCLE.length
    this.#cycleStartedAt = now
    this.#lostInCycle = false
  }

  #updateMinRtt({ now, rtt, appLimited, inFlight }: AckSample, newRound: boolean): void {
    const expired = this.#minRttAt !== undefined && now > later(this.#minRttAt, MIN_RTT_LIFETIME)
    if (rtt !== undefined && (rtt <= this.#minRtt || expired)) {
      this.#minRtt = rtt
      this.#minRttAt = now
    }
    // An application-limited flight fills no queue: its round trip is the minimum without ProbeRTT.
    if (expired && !appLimited && this.#state !== 'probe-rtt') {
      this.#priorWindow = this.#window
      this.#state = 'probe-rtt'
      this.#probeRttDoneAt = undefined
    }
    if (this.#state !== 'probe-rtt') return
    if (this.#probeRttDoneAt === undefined) {
      if (inFlight > this.#currentWindow) return
      this.#probeRttDoneAt = later(now, PROBE_RTT_TIME)
      this.#probeRttRound = this.#round
    } else if (now >= this.#probeRttDoneAt && newRound && this.#round > this.#probeRttRound) {
      this.#minRttAt = now
      this.#window = Math.max(this.#window, this.#priorWindow)
      if (this.#pipeFull) this.#probeBandwidth(now)
      else this.#state = 'startup'
    }
  }

  #updateWindow({ acked, delivered }: AckSample): void {
    const gain = this.#state === 'startup' ? STARTUP_GAIN : WINDOW_GAIN
    const target = this.#bdp(gain) + this.#extraAcked.max + 3 * this.#packet
    if (this.#pipeFull) this.#window = Math.min(this.#window + acked, target)
    else if (this.#window < target || delivered < initialWindow(this.#packet)) this.#window += acked
    this.#window = Math.max(this.#window, MIN_PACKETS * this.#packet)
  }
}

/** CUBIC (RFC 9438), with slow start as in HyStart++ (RFC 9406). Windows in packets of full size, as the RFC has them, but for the public one. */
import type { Instant } from '../../endpoint/machine.ts'
import { type AckSample, type Congestion, initialWindow, type LossSample, minimumWindow } from './controller.ts'

/** RFC 9438 §5. */
const C = 0.4
/** RFC 9438 §4.6. */
const BETA = 0.7
/** RFC 9438 §4.3. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)
/** RFC 9002 §7.7: a little faster than the window, so that it is the window that limits; in slow start, twice. */
const PACING_GAIN = 1.25
const PACING_GAIN_SLOW_START = 2

/** RFC 9406 §4.3. */
const MIN_RTT_THRESHOLD_MS = 4
const MAX_RTT_THRESHOLD_MS = 16
const RTT_DIVISOR = 8
const RTT_SAMPLES = 8
const CSS_GROWTH_DIVISOR = 4
const CSS_ROUNDS = 5

export class Cubic implements Congestion {
  readonly name = 'cubic'
  readonly #packet: number
  #window: number
  #threshold = Number.POSITIVE_INFINITY
  #recoveryStart: Instant | undefined
  /** Where the last congestion event was, and the time that it takes to be back there; seconds. */
  #windowMax = 0
  #k = 0
  #epochStart: Instant | undefined
  #windowEstimate = 0
  #smoothedRtt = 0
  readonly #slowStart = new HyStart()

  constructor(packet: number) {
    this.#packet = packet
    this.#window = initialWindow(packet) / packet
  }

  get window(): number {
    return this.#window * this.#packet
  }

  get pacingRate(): number | undefined {
    if (this.#smoothedRtt === 0) return undefined
    const gain = this.#inSlowStart ? PACING_GAIN_SLOW_START : PACING_GAIN
    return (gain * this.window) / this.#smoothedRtt
  }

  get #inSlowStart(): boolean {
    return this.#window < this.#threshold
  }

  acked(sample: AckSample): void {
    this.#smoothedRtt = sample.smoothedRtt
    if (this.#recoveryStart !== undefined && sample.sentAt <= this.#recoveryStart) return
    const packets = sample.acked / this.#packet
    // What was not used says nothing (RFC 9002 §7.8): the window stays.
    const limited = sample.inFlightBefore * 2 >= this.window
    if (this.#inSlowStart) {
      if (limited) this.#window += packets / this.#slowStart.divisor
      if (this.#slowStart.acked(sample)) this.#threshold = this.#window
    } else if (limited) this.#avoid(packets, sample)
    else this.#epochStart = undefined
  }

  lost({ now, sentAt, persistent }: LossSample): void {
    const minimum = minimumWindow(this.#packet) / this.#packet
    if (persistent) {
      this.#window = minimum
      this.#recoveryStart = undefined
      this.#epochStart = undefined
      return
    }
    // One reduction for all that was lost of one flight.
    if (this.#recoveryStart !== undefined && sentAt <= this.#recoveryStart) return
    this.#recoveryStart = now
    this.#epochStart = undefined
    // Fast convergence: others want some of it (RFC 9438 §4.7).
    this.#windowMax = this.#window < this.#windowMax ? (this.#window * (1 + BETA)) / 2 : this.#window
    this.#window = Math.max(this.#window * BETA, minimum)
    this.#threshold = this.#window
  }

  /** RFC 9438 §4.2 to §4.5. */
  #avoid(packets: number, { now, smoothedRtt }: AckSample): void {
    if (this.#epochStart === undefined) {
      this.#epochStart = now
      this.#windowMax = Math.max(this.#windowMax, this.#window)
      this.#k = Math.cbrt((this.#windowMax - this.#window) / C)
      this.#windowEstimate = this.#window
    }
    const elapsed = (now - this.#epochStart) / 1000
    const at = (seconds: number): number => C * (seconds - this.#k) ** 3 + this.#windowMax
    const alpha = this.#windowEstimate < this.#windowMax ? ALPHA : 1
    this.#windowEstimate += (alpha * packets) / this.#window
    if (at(elapsed) < this.#windowEstimate) {
      this.#window = Math.max(this.#window, this.#windowEstimate)
      return
    }
    const target = Math.min(Math.max(at(elapsed + smoothedRtt / 1000), this.#window), 1.5 * this.#window)
    this.#window += ((target - this.#window) / this.#window) * packets
  }
}

/** When slow start has found the path's capacity: round trips grow before anything is lost (RFC 9406). */
class HyStart {
  #roundEnd = -1
  #lastMin = Number.POSITIVE_INFINITY
  #currentMin = Number.POSITIVE_INFINITY
  #samples = 0
  /** Conservative slow start: rounds since it began, and the round trip that it began by. */
  #conservative = 0
  #baseline = Number.POSITIVE_INFINITY

  /** By what growth is divided. */
  get divisor(): number {
    return this.#conservative > 0 ? CSS_GROWTH_DIVISOR : 1
  }

  /** @returns whether slow start is over */
  acked({ newest, next, rtt }: AckSample): boolean {
    if (newest >= this.#roundEnd) {
      this.#roundEnd = next
      this.#lastMin = this.#currentMin
      this.#currentMin = Number.POSITIVE_INFINITY
      this.#samples = 0
      if (this.#conservative > 0 && ++this.#conservative > CSS_ROUNDS) return true
    }
    if (rtt === undefined) return false
    this.#currentMin = Math.min(this.#currentMin, rtt)
    if (++this.#samples < RTT_SAMPLES) return false
    if (this.#conservative > 0) {
      // It was no queue after all.
      if (this.#currentMin < this.#baseline) this.#conservative = 0
      return false
    }
    const slack = Math.max(MIN_RTT_THRESHOLD_MS, Math.min(this.#lastMin / RTT_DIVISOR, MAX_RTT_THRESHOLD_MS))
    if (this.#currentMin < this.#lastMin + slack) return false
    this.#conservative = 1
    this.#baseline = this.#currentMin
    return false
  }
}

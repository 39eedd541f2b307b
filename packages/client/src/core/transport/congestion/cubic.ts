/**
 * CUBIC (RFC 9438), with slow start as in HyStart++ (RFC 9406). Windows are in full packets, as in
 * the RFC, save the public one, which is in bytes.
 */
import type { Instant } from '../../endpoint/machine.ts'
import { type AckSample, type Congestion, initialWindow, type LossSample, minimumWindow } from './controller.ts'
import { HyStart } from './hystart.ts'

/** RFC 9438 §5. */
const C = 0.4
/** RFC 9438 §4.6. */
const BETA = 0.7
/** RFC 9438 §4.3. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)
/**
 * RFC 9002 §7.7: a little above the window per round trip, so that the window limits; in slow
 * start, twice.
 */
const PACING_GAIN = 1.25
const PACING_GAIN_SLOW_START = 2

export class Cubic implements Congestion {
  readonly name = 'cubic'
  readonly #packet: number
  #window: number
  #threshold = Number.POSITIVE_INFINITY
  #recoveryStart: Instant | undefined
  /** W_max, and K: seconds until the window is back there (RFC 9438 §4.2). */
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
    // An underutilized window stays as it is (RFC 9002 §7.8).
    const utilized = sample.inFlightBefore * 2 >= this.window
    if (this.#inSlowStart) {
      if (utilized) this.#window += packets / this.#slowStart.divisor
      if (this.#slowStart.acked(sample)) this.#threshold = this.#window
    } else if (utilized) this.#avoidCongestion(packets, sample)
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
    // One reduction for each flight (RFC 9002 §7.3.2).
    if (this.#recoveryStart !== undefined && sentAt <= this.#recoveryStart) return
    this.#recoveryStart = now
    this.#epochStart = undefined
    // Fast convergence (RFC 9438 §4.7).
    this.#windowMax = this.#window < this.#windowMax ? (this.#window * (1 + BETA)) / 2 : this.#window
    this.#window = Math.max(this.#window * BETA, minimum)
    this.#threshold = this.#window
  }

  /** Congestion avoidance (RFC 9438 §4.2 to §4.5). */
  #avoidCongestion(packets: number, { now, smoothedRtt }: AckSample): void {
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

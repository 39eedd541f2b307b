/** HyStart++ (RFC 9406): leaves slow start when round trips grow, before anything is lost. */
import type { AckSample } from './controller.ts'

/** RFC 9406 §4.3. */
const MIN_RTT_THRESHOLD_MS = 4
const MAX_RTT_THRESHOLD_MS = 16
const RTT_DIVISOR = 8
const RTT_SAMPLES = 8
const CSS_GROWTH_DIVISOR = 4
const CSS_ROUNDS = 5

export class HyStart {
  #roundEnd = -1
  #lastMin = Number.POSITIVE_INFINITY
  #currentMin = Number.POSITIVE_INFINITY
  #samples = 0
  /** Conservative slow start: rounds so far, and the minimum RTT that it began with. */
  #cssRounds = 0
  #cssBaseline = Number.POSITIVE_INFINITY

  /** What growth of the window is divided by. */
  get divisor(): number {
    return this.#cssRounds > 0 ? CSS_GROWTH_DIVISOR : 1
  }

  /** @returns whether slow start ends */
  acked({ newest, next, rtt }: AckSample): boolean {
    if (newest >= this.#roundEnd) {
      this.#roundEnd = next
      this.#lastMin = this.#currentMin
      this.#currentMin = Number.POSITIVE_INFINITY
      this.#samples = 0
      if (this.#cssRounds > 0 && ++this.#cssRounds > CSS_ROUNDS) return true
    }
    if (rtt === undefined) return false
    this.#currentMin = Math.min(this.#currentMin, rtt)
    if (++this.#samples < RTT_SAMPLES) return false
    if (this.#cssRounds > 0) {
      // A spurious exit: the round trips are short again (RFC 9406 §4.2).
      if (this.#currentMin < this.#cssBaseline) this.#cssRounds = 0
      return false
    }
    const slack = Math.max(MIN_RTT_THRESHOLD_MS, Math.min(this.#lastMin / RTT_DIVISOR, MAX_RTT_THRESHOLD_MS))
    if (this.#currentMin < this.#lastMin + slack) return false
    this.#cssRounds = 1
    this.#cssBaseline = this.#currentMin
    return false
  }
}

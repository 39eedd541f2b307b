/** How fast something goes at the moment. */

/** Milliseconds that the rate is a mean of: shorter ones jump about, longer ones are late. */
const WINDOW = 5000
/** Milliseconds between two samples. */
const STEP = 250

export class Rate {
  readonly #samples: { readonly at: number; readonly bytes: number }[] = []

  /** @param bytes so far. @param at milliseconds */
  add(bytes: number, at: number): void {
    const last = this.#samples.at(-1)
    if (last !== undefined && at - last.at < STEP) return
    this.#samples.push({ at, bytes })
    while (at - (this.#samples[0]?.at ?? at) > WINDOW) this.#samples.shift()
  }

  /** Bytes a second; undefined at the beginning. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.at === first.at) return undefined
    return (1000 * (last.bytes - first.bytes)) / (last.at - first.at)
  }
}

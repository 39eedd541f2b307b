/**
 * A set of whole numbers as ranges in ascending order: which records came, which bytes are
 * acknowledged or lost.
 */

export class Ranges {
  /** lowest, highest + 1, lowest, highest + 1, … Neither empty, nor touching. */
  readonly #edges: number[] = []
  readonly #capacity: number

  /** @param capacity ranges that are kept, at most; the lowest go first */
  constructor(capacity: number = Number.POSITIVE_INFINITY) {
    this.#capacity = 2 * capacity
  }

  get isEmpty(): boolean {
    return this.#edges.length === 0
  }

  /** Ranges, not numbers. */
  get count(): number {
    return this.#edges.length / 2
  }

  /** The lowest number; undefined when empty. */
  get first(): number | undefined {
    return this.#edges[0]
  }

  /** One more than the highest number of the lowest range. */
  get firstEnd(): number | undefined {
    return this.#edges[1]
  }

  /** One more than the highest number. */
  get end(): number | undefined {
    return this.#edges.at(-1)
  }

  has(value: number): boolean {
    const index = this.#indexOf(value)
    return index < this.#edges.length && (this.#edges[index] as number) <= value
  }

  /** Adds from ≤ x < to. */
  add(from: number, to: number): void {
    if (from >= to) return
    const edges = this.#edges
    const last = edges.length - 1
    // Nearly always it goes on where it ended.
    if (last < 0 || from > (edges[last] as number)) edges.push(from, to)
    else if (from >= (edges[last - 1] as number)) edges[last] = Math.max(edges[last] as number, to)
    else this.#merge(from, to)
    if (edges.length > this.#capacity) edges.splice(0, edges.length - this.#capacity)
  }

  /** Removes from ≤ x < to. */
  remove(from: number, to: number): void {
    const edges = this.#edges
    let index = this.#indexOf(from)
    while (index < edges.length && (edges[index] as number) < to) {
      const [low, high] = [edges[index] as number, edges[index + 1] as number]
      const rest = [...(low < from ? [low, from] : []), ...(to < high ? [to, high] : [])]
      edges.splice(index, 2, ...rest)
      index += rest.length
    }
  }

  /** The parts of from ≤ x < to that are not in the set. */
  gaps(from: number, to: number): readonly (readonly [number, number])[] {
    const found: [number, number][] = []
    let at = from
    for (let index = this.#indexOf(from); index < this.#edges.length && at < to; index += 2) {
      const [low, high] = [this.#edges[index] as number, this.#edges[index + 1] as number]
      if (low > at) found.push([at, Math.min(low, to)])
      at = Math.max(at, high)
    }
    if (at < to) found.push([at, to])
    return found
  }

  /**
   * lowest, highest, …, the highest range first, as an ACK frame has it.
   * @param limit of ranges
   */
  descending(limit: number): number[] {
    const found: number[] = []
    for (let index = this.#edges.length - 2; index >= 0 && found.length < 2 * limit; index -= 2)
      found.push(this.#edges[index] as number, (this.#edges[index + 1] as number) - 1)
    return found
  }

  /** Index of the first range that ends after a value. */
  #indexOf(value: number): number {
    let low = 0
    let high = this.#edges.length / 2
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#edges[2 * middle + 1] as number) <= value) low = middle + 1
      else high = middle
    }
    return 2 * low
  }

  #merge(from: number, to: number): void {
    const edges = this.#edges
    // The first range that ends at `from` or later touches it.
    let index = this.#indexOf(from - 1)
    const start = index
    let low = from
    let high = to
    while (index < edges.length && (edges[index] as number) <= to) {
      low = Math.min(low, edges[index] as number)
      high = Math.max(high, edges[index + 1] as number)
      index += 2
    }
    edges.splice(start, index - start, low, high)
  }
}

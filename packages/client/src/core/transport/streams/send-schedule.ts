/** Which stream sends next: the lowest priority number first, streams of the same one in turn. */
import type { Stream } from './stream.ts'

export class SendSchedule {
  readonly #levels = new Map<number, Set<Stream>>()
  /** Ascending. */
  #order: number[] = []
  /** Looked for when it is asked for, since each record asks; undefined: not known. */
  #first: Stream | undefined

  get isEmpty(): boolean {
    return this.#order.length === 0
  }

  get first(): Stream | undefined {
    this.#first ??= this.#levels
      .get(this.#order[0] ?? 0)
      ?.values()
      .next().value
    return this.#first
  }

  add(stream: Stream): void {
    if (stream === this.#first) return
    this.#first = undefined
    const { priority } = stream.send
    let level = this.#levels.get(priority)
    if (level === undefined) {
      level = new Set()
      this.#levels.set(priority, level)
      this.#order = [...this.#order, priority].sort((a, b) => a - b)
    }
    level.add(stream)
  }

  delete(stream: Stream): void {
    this.#first = undefined
    const { priority } = stream.send
    const level = this.#levels.get(priority)
    if (level?.delete(stream) !== true || level.size > 0) return
    this.#levels.delete(priority)
    this.#order = this.#order.filter((each) => each !== priority)
  }

  /** Its turn is over. */
  rotate(stream: Stream): void {
    const level = this.#levels.get(stream.send.priority)
    if (level === undefined || level.size === 1) return
    this.#first = undefined
    level.delete(stream)
    level.add(stream)
  }
}

/** Which stream sends next: the lowest priority number first, streams of the same one in turn. */
import type { Stream } from './stream.ts'

export class SendSchedule {
  readonly #levels = new Map<number, Set<Stream>>()
  /** Ascending. */
  #order: number[] = []

  get isEmpty(): boolean {
    return this.#order.length === 0
  }

  get first(): Stream | undefined {
    const [level] = this.#order
    return level === undefined ? undefined : this.#levels.get(level)?.values().next().value
  }

  add(stream: Stream): void {
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
    level.delete(stream)
    level.add(stream)
  }
}

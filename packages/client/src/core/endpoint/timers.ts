/**
 * The timers of a machine: a binary heap by time, then by order of setting, so that runs repeat
 * exactly. A cancelled timer leaves the heap when its turn comes.
 */
import type { Instant } from './machine.ts'

export interface Timer {
  cancel(): void
}

interface Entry extends Timer {
  readonly at: Instant
  readonly order: number
  fire: ((now: Instant) => void) | undefined
}

const before = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class Timers {
  /** Bounded by what the machine's tables hold: each entry there sets a fixed number of timers. */
  readonly #heap: Entry[] = []
  #order = 0

  /** Calls `fire` once, at the first `wake` at or after `at`. */
  set(at: Instant, fire: (now: Instant) => void): Timer {
    const entry: Entry = {
      at,
      order: this.#order++,
      fire,
      cancel: () => {
        entry.fire = undefined
      },
    }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    return entry
  }

  /** Timers that are set and not cancelled. */
  get pending(): number {
    return this.#heap.reduce((count, { fire }) => (fire === undefined ? count : count + 1), 0)
  }

  /** When the next live timer is due. */
  get deadline(): Instant | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].fire === undefined) this.#pop()
    return this.#heap[0]?.at
  }

  wake(now: Instant): void {
    for (let at = this.deadline; at !== undefined && at <= now; at = this.deadline) {
      const { fire } = this.#pop()
      fire?.(now)
    }
  }

  #pop(): Entry {
    const top = this.#heap[0] as Entry
    const last = this.#heap.pop() as Entry
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#sink(0)
    }
    return top
  }

  #rise(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIfBefore(index, parent)) return
      index = parent
    }
  }

  #sink(from: number): void {
    let index = from
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      if (left >= this.#heap.length) return
      const child =
        right < this.#heap.length && before(this.#heap[right] as Entry, this.#heap[left] as Entry) ? right : left
      if (!this.#swapIfBefore(child, index)) return
      index = child
    }
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const a = this.#heap[child] as Entry
    const b = this.#heap[parent] as Entry
    if (!before(a, b)) return false
    this.#heap[child] = b
    this.#heap[parent] = a
    return true
  }
}

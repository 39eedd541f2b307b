/**
 * The numbers of a mailbox: the lowest one that is free, so that codes stay short. One that was used
 * rests for a while.
 */
import { type Instant, later } from '@showchain/client/endpoint'
import { MAX_NUMBER, MAX_SLOTS, MAX_SLOTS_PER_SOURCE, REST } from './limits.ts'

interface Slot {
  readonly client: number
  readonly source: string
}

export class Slots {
  /** Those that wait. At most MAX_SLOTS. */
  readonly #waiting = new Map<number, Slot>()
  /** Numbers that rest, and until when; in order of that. At most MAX_NUMBER. */
  readonly #resting = new Map<number, Instant>()
  /** Slots of each source that has some. */
  readonly #bySource = new Map<string, number>()

  get size(): number {
    return this.#waiting.size
  }

  /** Undefined when there are too many, at all or of this source. */
  give(client: number, source: string, now: Instant): number | undefined {
    const own = this.#bySource.get(source) ?? 0
    if (this.#waiting.size >= MAX_SLOTS || own >= MAX_SLOTS_PER_SOURCE) return undefined
    this.#wake(now)
    let number = 1
    while (this.#waiting.has(number) || this.#resting.has(number)) number++
    if (number > MAX_NUMBER) return undefined
    this.#waiting.set(number, { client, source })
    this.#bySource.set(source, own + 1)
    return number
  }

  /** Frees the slot, and says who waited: nobody gets it a second time. */
  take(number: number, now: Instant): number | undefined {
    const slot = this.#waiting.get(number)
    if (slot === undefined) return undefined
    this.#waiting.delete(number)
    this.#resting.set(number, later(now, REST))
    const left = (this.#bySource.get(slot.source) ?? 1) - 1
    if (left === 0) this.#bySource.delete(slot.source)
    else this.#bySource.set(slot.source, left)
    return slot.client
  }

  #wake(now: Instant): void {
    for (const [number, until] of this.#resting) {
      if (until > now) return
      this.#resting.delete(number)
    }
  }
}

/** Choices of a fuzzer, drawn from a stream that its seed repeats. */
import type { SeededRandom } from '../sim/random.ts'

export class Dice {
  readonly #random: SeededRandom

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** 0 to `count` − 1. The bias of a remainder does not matter here. */
  below(count: number): number {
    return this.#random.uint32() % count
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

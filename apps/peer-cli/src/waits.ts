/** A wait that lasts says what it waits for. */
import type { Output } from './output.ts'

/** Milliseconds after which a person wonders. */
const PATIENCE = 2000

/** Settles as the work does; prints the event `waiting` when that takes longer than 2 s. */
export async function explained<T>(output: Output, sentence: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => output.note('waiting', sentence), PATIENCE)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

/** Says once, each time, when nothing goes on for 2 s. */
export class Stall {
  readonly #timer: NodeJS.Timeout

  /** @param sentence what it is that nothing goes on for */
  constructor(output: Output, sentence: () => string) {
    this.#timer = setTimeout(() => output.note('waiting', sentence()), PATIENCE)
  }

  goesOn(): void {
    this.#timer.refresh()
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

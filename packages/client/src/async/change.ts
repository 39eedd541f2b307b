/** Waiting for a change of something that is looked at again afterwards. */
import { abortedBy } from './signals.ts'

/** A condition variable: each waiter checks its condition again after a change. */
export class Change {
  readonly #waiters = new Set<() => void>()

  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(happened)
        signal?.removeEventListener('abort', abort)
      }
      const happened = (): void => {
        leave()
        resolve()
      }
      const abort = (): void => {
        leave()
        if (signal !== undefined) reject(abortedBy(signal))
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(happened)
    })
  }

  happened(): void {
    for (const happened of [...this.#waiters]) happened()
  }
}

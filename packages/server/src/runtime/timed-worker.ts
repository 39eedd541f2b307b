/** A worker of which somebody wants to know how long its checks of signatures take. */
import type { Instant, Work } from '@showchain/client/endpoint'
import type { Clock, Worker } from '@showchain/client/runtime'

export class TimedWorker implements Worker {
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #verified: (seconds: number) => void

  /** @param verified gets the seconds from when the signature was handed over until the answer */
  constructor(worker: Worker, clock: Clock, verified: (seconds: number) => void) {
    this.#worker = worker
    this.#clock = clock
    this.#verified = verified
  }

  get waiting(): number {
    return this.#worker.waiting
  }

  run(work: Work, enter: (resume: (now: Instant) => void) => void): void {
    if (work.kind !== 'verify') return this.#worker.run(work, enter)
    const since = this.#clock.now()
    const resume: typeof work.resume = (valid, now) => {
      // Nobody had time for it otherwise.
      if (valid !== undefined) this.#verified((now - since) / 1000)
      work.resume(valid, now)
    }
    this.#worker.run({ ...work, resume }, enter)
  }

  close(): void {
    this.#worker.close()
  }
}

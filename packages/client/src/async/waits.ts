/** What somebody waits for at one object, until it is settled or the object is closed. */
import { ShowchainError } from '@showchain/wire'
import type { Clock } from '../runtime/clock.ts'
import { type Waiting, type WaitOptions, waitFor } from './deadline.ts'

export class Waits {
  readonly #clock: Clock
  readonly #open = new Set<Waiting<never>['reject']>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** As `waitFor`; `close` ends it too. */
  add<Result>(
    options: WaitOptions,
    giveUp: () => void = () => {},
    start: (waiting: Waiting<Result>) => void = () => {},
  ): Promise<Result> {
    let fail: Waiting<Result>['reject'] = () => {}
    const waiting = waitFor<Result>(this.#clock, options, giveUp, ({ resolve, reject }) => {
      fail = reject
      this.#open.add(fail)
      start({ resolve, reject })
    })
    return waiting.finally(() => this.#open.delete(fail))
  }

  /** Each fails with `ERR_CLOSED`. */
  close(): void {
    for (const reject of this.#open) reject(new ShowchainError('ERR_CLOSED'))
  }
}

/** A promise with a deadline and an AbortSignal, for every public call that waits. */
import { quote, ShowchainError } from '@showchain/wire'
import { duration, later } from '../core/index.ts'
import type { Clock } from '../runtime/clock.ts'
import { abortedBy, type SignalOptions } from './signals.ts'

/**
 * Milliseconds: all retransmissions of two requests in a row, a registration and the next request.
 */
export const DEFAULT_TIMEOUT = 25_000

/** No deadline. */
export const NEVER: number = Number.POSITIVE_INFINITY

/** How long a call waits, and what ends it before. */
export interface WaitOptions extends SignalOptions {
  /** Milliseconds. @default 25,000 */
  readonly timeout?: number | undefined
}

export interface Waiting<Result> {
  /** @returns false: nobody waits any more */
  resolve(result: Result): boolean
  reject(error: ShowchainError): void
}

/**
 * For a signal that was not aborted before.
 *
 * @param giveUp cancels the operation at the deadline or abort; it may reject with a better reason
 *   first
 * @param start starts the operation
 * @throws ShowchainError `ERR_TIMEOUT`, `ERR_ABORTED`
 */
export function waitFor<Result>(
  clock: Clock,
  { signal, timeout = DEFAULT_TIMEOUT }: WaitOptions,
  giveUp: () => void,
  start: (waiting: Waiting<Result>) => void,
): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    let over = false
    const end = (): void => {
      over = true
      timer?.cancel()
      signal?.removeEventListener('abort', abort)
    }
    const abort = (): void => {
      end()
      if (signal !== undefined) reject(abortedBy(signal))
      giveUp()
    }
    const late = (): void => {
      end()
      giveUp()
      reject(new ShowchainError('ERR_TIMEOUT', `No result within ${quote(timeout)} ms.`))
    }
    const timer = timeout === NEVER ? undefined : clock.schedule(later(clock.now(), duration(timeout)), late)
    signal?.addEventListener('abort', abort, { once: true })
    start({
      resolve: (result) => {
        const wanted = !over
        end()
        resolve(result)
        return wanted
      },
      reject: (error) => {
        end()
        reject(error)
      },
    })
  })
}

/** One promise for everything that waits: it settles by its outcome, its deadline or its signal. */
import { quote, ShowchainError } from '@showchain/wire'
import { duration, later } from '../core/index.ts'
import type { Clock } from '../runtime/index.ts'

/**
 * Milliseconds: the whole retransmission of two requests in a row, a registration and what follows
 * it.
 */
const DEFAULT_TIMEOUT = 25_000

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. @default 25,000 */
  readonly timeout?: number | undefined
}

export interface Waiting<Result> {
  resolve(result: Result): void
  reject(error: ShowchainError): void
}

/**
 * @param giveUp ends the matter when the deadline or the signal comes first; it may itself reject
 *   with more to say than "in time".
 * @throws ShowchainError `ERR_TIMEOUT`, `ERR_ABORTED`
 */
export function waitFor<Result>(
  clock: Clock,
  { signal, timeout = DEFAULT_TIMEOUT }: WaitOptions,
  giveUp: () => void,
  start: (waiting: Waiting<Result>) => void,
): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    const aborted = (): ShowchainError => new ShowchainError('ERR_ABORTED', undefined, { cause: signal?.reason })
    if (signal?.aborted) return reject(aborted())
    const end = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
    }
    const abort = (): void => {
      end()
      reject(aborted())
      giveUp()
    }
    const timer = clock.schedule(later(clock.now(), duration(timeout)), () => {
      end()
      giveUp()
      reject(new ShowchainError('ERR_TIMEOUT', `No result within ${quote(timeout)} ms.`))
    })
    signal?.addEventListener('abort', abort, { once: true })
    start({
      resolve: (result) => {
        end()
        resolve(result)
      },
      reject: (error) => {
        end()
        reject(error)
      },
    })
  })
}

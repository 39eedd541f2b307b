/**
 * The one rule for an AbortSignal, at every call that waits: one that was aborted before does
 * nothing, one that is aborted meanwhile ends the wait at once, and one that is aborted later has no
 * effect. The error is `ERR_ABORTED`, with the signal's reason as its cause.
 */
import { quote, ShowchainError } from '@showchain/wire'

/** What ends the wait of a call. */
export interface SignalOptions {
  readonly signal?: AbortSignal | undefined
}

export const abortedBy = ({ reason }: AbortSignal): ShowchainError =>
  new ShowchainError('ERR_ABORTED', undefined, { cause: reason })

/** @throws ShowchainError `ERR_ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedBy(signal)
}

/** Also one of another realm. */
export const isSignal = (value: unknown): value is AbortSignal =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value

/**
 * The signal of a call that may come with every packet, so without a schema.
 * @throws ShowchainError `ERR_BAD_ARGUMENT`, `ERR_ABORTED`
 */
export function signalOf(options: SignalOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined
  try {
    if (typeof options !== 'object' || options === null) throw badOptions(options)
    for (const key of Object.keys(options)) if (key !== 'signal') throw badOptions(key)
    const { signal } = options
    if (signal !== undefined && !isSignal(signal)) throw badOptions(signal)
    throwIfAborted(signal)
    return signal
  } catch (error) {
    // Reading a foreign object may run its own code.
    if (error instanceof ShowchainError) throw error
    throw new ShowchainError('ERR_BAD_ARGUMENT', 'Options cannot be read.', { cause: error })
  }
}

const badOptions = (what: unknown): ShowchainError =>
  new ShowchainError('ERR_BAD_ARGUMENT', `Options are { signal }, an AbortSignal, not ${quote(what)}.`)

/** @param undo gets what came after the signal was aborted */
export function orAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
  undo: (result: Result) => void,
): Promise<Result> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(abortedBy(signal))
      work.then(undo, () => {})
    }
    signal.addEventListener('abort', abort, { once: true })
    // To begin the work may have taken until then.
    if (signal.aborted) abort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** A signal that is aborted at a deadline of the runtime's clock, or with another one. */
import { type Duration, later } from '@showchain/client/endpoint'
import type { TunnelRuntime } from './ports.ts'

/** Runs the work with such a signal; nothing is left of it afterwards. */
export async function within<T>(
  { clock }: Pick<TunnelRuntime, 'clock'>,
  time: Duration,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const abort = (): void => controller.abort(outer.reason)
  const timer = clock.schedule(later(clock.now(), time), () => controller.abort())
  outer.addEventListener('abort', abort, { once: true })
  if (outer.aborted) abort()
  try {
    return await work(controller.signal)
  } finally {
    timer.cancel()
    outer.removeEventListener('abort', abort)
  }
}

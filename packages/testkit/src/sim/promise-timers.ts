/** `node:timers/promises` on virtual time. */
import type { VirtualTimer, VirtualTimers } from './timers.ts'

interface Options {
  readonly signal?: AbortSignal | undefined
}

const abortError = (signal: AbortSignal): Error =>
  Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  })

/** Resolves when the timer rings that `start` sets; rejects when the signal comes first. */
function rung<Value>(
  timers: VirtualTimers,
  start: (ring: () => void) => VirtualTimer,
  value: Value,
  signal?: AbortSignal,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortError(signal))
    const aborted = (): void => {
      timers.clear(timer)
      reject(abortError(signal as AbortSignal))
    }
    const timer = start(() => {
      signal?.removeEventListener('abort', aborted)
      resolve(value)
    })
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

export function delayed<Value>(
  timers: VirtualTimers,
  delay?: number,
  value?: Value,
  { signal }: Options = {},
): Promise<Value | undefined> {
  return rung(timers, (ring) => timers.setTimeout(ring, delay), value, signal)
}

export function immediate<Value>(
  timers: VirtualTimers,
  value?: Value,
  { signal }: Options = {},
): Promise<Value | undefined> {
  return rung(timers, (ring) => timers.setImmediate(ring), value, signal)
}

/** Ticks that nobody took yet are not lost, as in Node. */
export async function* ticks<Value>(
  timers: VirtualTimers,
  delay?: number,
  value?: Value,
  { signal }: Options = {},
): AsyncGenerator<Value | undefined> {
  if (signal?.aborted === true) throw abortError(signal)
  const isAborted = (): boolean => signal?.aborted === true
  let due = 0
  let wake: () => void = () => undefined
  const interval = timers.setInterval(() => {
    due++
    wake()
  }, delay)
  const aborted = (): void => wake()
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    for (;;) {
      if (due === 0) await new Promise<void>((resolve) => (wake = resolve))
      if (isAborted()) throw abortError(signal as AbortSignal)
      for (; due > 0; due--) yield value
    }
  } finally {
    timers.clear(interval)
    signal?.removeEventListener('abort', aborted)
  }
}

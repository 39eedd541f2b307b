/** Timers as Node has them, on virtual time: those of one program. */
import { AsyncResource } from 'node:async_hooks'
import { type Duration, duration, later } from '@showchain/client/core'
import type { Clock, Scheduled } from '@showchain/client/runtime'

export type Callback = (...args: readonly unknown[]) => void

/** Node takes every other delay for 1 ms. */
const LONGEST_DELAY = 2 ** 31 - 1
const asDelay = (delay: unknown): Duration => {
  const number = Number(delay)
  return duration(number >= 1 && number <= LONGEST_DELAY ? Math.trunc(number) : 1)
}

/** Every timer of the process has a number of its own: `+timer` is another way to name it. */
let numbers = 0

/** What `setTimeout`, `setInterval` and `setImmediate` return. */
export class VirtualTimer {
  readonly number: number = ++numbers
  readonly #start: () => Scheduled
  #scheduled: Scheduled | undefined
  #ref = true

  constructor(start: () => Scheduled) {
    this.#start = start
    this.refresh()
  }

  /** Starts it anew. */
  refresh(): this {
    this.#scheduled?.cancel()
    this.#scheduled = this.#start()
    return this
  }

  close(): this {
    this.#scheduled?.cancel()
    return this
  }

  /** A simulation does not end with its last timer: this changes what `hasRef` says. */
  ref(): this {
    this.#ref = true
    return this
  }

  unref(): this {
    this.#ref = false
    return this
  }

  hasRef(): boolean {
    return this.#ref
  }

  [Symbol.toPrimitive](): number {
    return this.number
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

export class VirtualTimers {
  readonly #clock: Clock
  /** By number; bounded by what the program sets. */
  readonly #set = new Map<number, VirtualTimer>()
  #over = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  setTimeout(callback: Callback, delay?: unknown, ...args: readonly unknown[]): VirtualTimer {
    return this.#add(callback, asDelay(delay), args, false)
  }

  setInterval(callback: Callback, delay?: unknown, ...args: readonly unknown[]): VirtualTimer {
    return this.#add(callback, asDelay(delay), args, true)
  }

  setImmediate(callback: Callback, ...args: readonly unknown[]): VirtualTimer {
    return this.#add(callback, duration(0), args, false)
  }

  /** @param handle a timer, or its number. */
  clear(handle: unknown): void {
    const timer = this.#set.get(Number(handle))
    timer?.close()
    if (timer !== undefined) this.#set.delete(timer.number)
  }

  /** None of them rings any more, and no new one does. */
  end(): void {
    this.#over = true
    for (const timer of this.#set.values()) timer.close()
    this.#set.clear()
  }

  #add(callback: Callback, delay: Duration, args: readonly unknown[], again: boolean): VirtualTimer {
    if (typeof callback !== 'function')
      throw Object.assign(new TypeError('The "callback" argument must be of type function.'), {
        code: 'ERR_INVALID_ARG_TYPE',
      })
    const ring = AsyncResource.bind(() => {
      if (again) timer.refresh()
      else this.#set.delete(timer.number)
      callback(...args)
    })
    const timer: VirtualTimer = new VirtualTimer(() => this.#schedule(delay, ring))
    this.#set.set(timer.number, timer)
    return timer
  }

  #schedule(delay: Duration, ring: () => void): Scheduled {
    if (this.#over) return { cancel: () => undefined }
    return this.#clock.schedule(later(this.#clock.now(), delay), ring)
  }
}

/**
 * What stands in for Node's clocks, timers and `node:dgram` while programs run on simulated hosts.
 * Each asks whose turn it is: without a program it is Node's own. Names that a module took from
 * `node:` modules by `import` follow (`syncBuiltinESMExports`).
 */
import dgram from 'node:dgram'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import type { Clock } from '@showchain/client/runtime'
import { delayed, immediate, ticks } from './promise-timers.ts'
import { VirtualTimer, type VirtualTimers } from './timers.ts'

/** The program whose turn it is. */
export interface Current {
  readonly clock: Clock
  readonly timers: VirtualTimers
  createSocket(...args: Parameters<typeof dgram.createSocket>): dgram.Socket
}
type Who = () => Current | undefined
type Call = (...args: readonly never[]) => unknown

const NANOSECONDS = 1e6 // in a millisecond
const MILLISECONDS = 1000 // in a second

/** Replaces members of objects, and puts back what was there. */
class Replacements {
  readonly #who: Who
  readonly #undo: (() => void)[] = []

  constructor(who: Who) {
    this.#who = who
  }

  value(object: object, name: string, make: (real: unknown) => PropertyDescriptor): void {
    const own = Object.getOwnPropertyDescriptor(object, name)
    const stand = make(Reflect.get(object, name))
    Object.defineProperty(object, name, { configurable: true, enumerable: own?.enumerable ?? false, ...stand })
    this.#undo.push(() => {
      if (own === undefined) Reflect.deleteProperty(object, name)
      else Object.defineProperty(object, name, own)
    })
  }

  /** Keeps what hangs on the function, such as `promisify.custom`. */
  call(object: object, name: string, ours: (current: Current) => Call): void {
    const who = this.#who
    this.value(object, name, (real) => {
      const stand = (...args: readonly never[]): unknown => {
        const current = who()
        return current === undefined ? Reflect.apply(real as Call, object, args) : ours(current)(...args)
      }
      return { writable: true, value: Object.defineProperties(stand, Object.getOwnPropertyDescriptors(real)) }
    })
  }

  undo(): void {
    for (const each of this.#undo) each()
  }
}

/** @returns puts everything back. */
export function installStandIns(who: Who): () => void {
  const replacements = new Replacements(who)
  standInForTimers(replacements)
  standInForClocks(replacements, who)
  replacements.call(dgram, 'createSocket', (current) => current.createSocket.bind(current))
  syncBuiltinESMExports()
  return () => {
    replacements.undo()
    syncBuiltinESMExports()
  }
}

function standInForTimers(replacements: Replacements): void {
  for (const object of [globalThis, timers]) {
    for (const name of ['setTimeout', 'setInterval', 'setImmediate'] as const)
      replacements.call(object, name, (current) => current.timers[name].bind(current.timers))
    for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate'] as const) {
      const real: (timer: NodeJS.Timeout & NodeJS.Immediate) => void = timers[name]
      const clear = (current: Current, timer: NodeJS.Timeout & NodeJS.Immediate): void =>
        isReal(timer) ? real(timer) : current.timers.clear(timer)
      replacements.call(object, name, (current) => clear.bind(undefined, current))
    }
  }
  const { scheduler } = timersPromises
  const rest =
    <Args extends readonly unknown[], Result>(
      what: (timers: VirtualTimers, ...args: Args) => Result,
    ): ((current: Current) => (...args: Args) => Result) =>
    (current) =>
    (...args) =>
      what(current.timers, ...args)
  replacements.call(timersPromises, 'setTimeout', rest(delayed))
  replacements.call(timersPromises, 'setImmediate', rest(immediate))
  replacements.call(timersPromises, 'setInterval', rest(ticks))
  replacements.call(
    scheduler,
    'wait',
    rest((own, delay: number, options?: object) => delayed(own, delay, undefined, options)),
  )
  replacements.call(
    scheduler,
    'yield',
    rest((own) => immediate(own)),
  )
  replacements.call(
    AbortSignal,
    'timeout',
    rest((own, delay: number) => {
      const controller = new AbortController()
      own.setTimeout(
        () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
        delay,
      )
      return controller.signal
    }),
  )
}

/** One that was set before, or elsewhere. */
const isReal = (timer: unknown): boolean =>
  typeof timer === 'object' && timer !== null && !(timer instanceof VirtualTimer)

function standInForClocks(replacements: Replacements, who: Who): void {
  replacements.value(globalThis, 'Date', (real) => ({ writable: true, value: dateOf(real as DateConstructor, who) }))
  replacements.call(
    performance,
    'now',
    ({ clock }) =>
      () =>
        clock.now(),
  )
  replacements.value(performance, 'timeOrigin', (real) => ({ get: () => originOf(who()?.clock) ?? real }))
  const bigint =
    ({ clock }: Current) =>
    (): bigint =>
      BigInt(Math.floor(clock.now() * NANOSECONDS))
  replacements.call(process, 'hrtime', ({ clock }) => (since: readonly [number, number] = [0, 0]) => {
    const nanoseconds = Math.floor(clock.now() * NANOSECONDS)
    const unit = NANOSECONDS * MILLISECONDS
    const past = nanoseconds - since[0] * unit - since[1]
    return [Math.floor(past / unit), past % unit]
  })
  replacements.call(process.hrtime, 'bigint', bigint)
  replacements.call(
    process,
    'uptime',
    ({ clock }) =>
      () =>
        clock.now() / MILLISECONDS,
  )
}

/** When `performance.now()` was 0. */
const originOf = (clock: Clock | undefined): number | undefined => clock && clock.unixMs() - Math.floor(clock.now())

function dateOf(real: DateConstructor, who: Who): DateConstructor {
  const now = (): number => who()?.clock.unixMs() ?? real.now()
  return new Proxy(real, {
    construct: (target, args: unknown[], made) =>
      Reflect.construct(target, args.length > 0 ? args : [now()], made) as object,
    apply: () => new real(now()).toString(),
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
  })
}

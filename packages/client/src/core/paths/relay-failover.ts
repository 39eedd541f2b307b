/**
 * A connection that has lost its relay looks for another way through a relay that both ends know: one after
 * the other, the registered ones, in rounds, until one works or the time is over.
 */
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { Registration } from '../relays/registration.ts'

/** A connection without any path looks for one this long before it ends. */
export const RECOVERY_TIME: Duration = duration(45_000)
/** Between two rounds over the relays that both ends know. */
export const RECOVERY_PAUSE: Duration = duration(2000)

/** @param why undefined: the other end acknowledged something there. */
type Tried = (why: string | undefined, now: Instant) => void

export interface RelayFailoverOptions {
  /** Relays that both ends know, the most useful first. */
  relays(): readonly Registration[]
  /** Opens a session at a registered relay, and proves it. */
  open(registration: Registration, tried: Tried, now: Instant): void
  /** Nothing was found in time. */
  failed(why: string, now: Instant): void
}

export class RelayFailover {
  readonly #context: PeerContext
  readonly #options: RelayFailoverOptions
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #deadline: Instant | undefined
  #timer: Timer | undefined
  /** Outdates what an earlier round still waits for. */
  #round = 0

  constructor(context: PeerContext, options: RelayFailoverOptions) {
    this.#context = context
    this.#options = options
  }

  start(now: Instant): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.#deadline = later(now, RECOVERY_TIME)
    this.#begin(now)
  }

  /** There is a path again. */
  settle(): void {
    if (this.#state === 'running') this.#state = 'idle'
    this.#end()
  }

  stop(): void {
    this.#state = 'stopped'
    this.#end()
  }

  #end(): void {
    this.#round++
    this.#timer?.cancel()
  }

  #begin(now: Instant): void {
    const round = ++this.#round
    const ready = this.#options.relays().filter(({ registered }) => registered)
    if (ready.length > 0) return this.#try(ready, 0, round, now)
    // Whichever comes first: a relay answers again, or the next look.
    for (const relay of this.#options.relays())
      relay.whenReady((registered, _why, at) => {
        if (registered && round === this.#round) this.#begin(at)
      }, now)
    if (round === this.#round) this.#pause('no relay that both ends know can be reached', round, now)
  }

  #try(relays: readonly Registration[], index: number, round: number, now: Instant): void {
    const relay = relays[index]
    if (relay === undefined) return
    this.#options.open(
      relay,
      (why, at) => {
        if (round !== this.#round) return
        if (why === undefined) return this.settle()
        if (index + 1 < relays.length) this.#try(relays, index + 1, round, at)
        else this.#pause(why, round, at)
      },
      now,
    )
  }

  #pause(why: string, round: number, now: Instant): void {
    if (this.#deadline === undefined || now >= this.#deadline) {
      this.settle()
      return this.#options.failed(why, now)
    }
    this.#timer = this.#context.timers.set(later(now, RECOVERY_PAUSE), (at) => {
      if (round === this.#round) this.#begin(at)
    })
  }
}

/**
 * A connection that has lost its relay looks for another relay that both ends know: one after the
 * other, the registered ones, in rounds, until one works or the time is over.
 */
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { Registration } from '../relays/registration.ts'
import type { ConnectionContext } from './connection-context.ts'

/**
 * A connection without any path looks for one this long before it ends: longer than a relay that is
 * stopped, or a network that is gone, for a minute and a half.
 */
export const RECOVERY_TIME: Duration = duration(120_000)
/**
 * Between two rounds over the relays that both ends know, at first, and at most: it doubles. The
 * other end may come back to a relay a little later than this one.
 */
export const RECOVERY_PAUSE: Duration = duration(500)
export const RECOVERY_PAUSE_LAST: Duration = duration(2000)

/** One relay's turn in one round. */
export interface Turn {
  readonly relay: Registration
  readonly round: number
}

export type FailoverEvent =
  /** The owner opens a session there, proves it, and calls `tried`. */
  | { readonly type: 'try'; readonly turn: Turn }
  /** Nothing was found in time. */
  | { readonly type: 'failed'; readonly why: string }

export class RelayFailover {
  readonly #context: ConnectionContext
  /** Relays that both ends know, the most useful first. */
  readonly #relays: () => readonly Registration[]
  readonly #events = new EventQueue<FailoverEvent>()
  #state: 'idle' | 'running' | 'stopped' = 'idle'
  #deadline: Instant | undefined
  #timer: Timer | undefined
  /** Outdates the results of earlier rounds. */
  #round = 0
  /** The registered relays of this round, and how many of them had their turn. */
  #ready: readonly Registration[] = []
  #turns = 0
  #wait: Duration = RECOVERY_PAUSE

  constructor(context: ConnectionContext, relays: () => readonly Registration[]) {
    this.#context = context
    this.#relays = relays
  }

  poll(): FailoverEvent | undefined {
    return this.#events.poll()
  }

  start(now: Instant): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    this.#deadline = later(now, RECOVERY_TIME)
    this.#wait = RECOVERY_PAUSE
    this.#begin(now)
  }

  /** A relay's turn is over. @param why undefined: the other end acknowledged something there */
  tried({ round }: Turn, why: string | undefined, now: Instant): void {
    if (round !== this.#round) return
    if (why === undefined) return this.settle()
    if (this.#turns < this.#ready.length) this.#next()
    else this.#pause(why, now)
  }

  /** The relay is gone, or about to be: what it is asked is not waited for. */
  left(relay: Registration, now: Instant): void {
    if (this.#state === 'running' && this.#ready[this.#turns - 1] === relay) this.#begin(now)
  }

  /** There is a path again. */
  settle(): void {
    if (this.#state !== 'running') return
    this.#state = 'idle'
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
    this.#timer?.cancel()
    const round = ++this.#round
    this.#ready = this.#relays().filter(({ serves }) => serves)
    this.#turns = 0
    if (this.#ready.length > 0) return this.#next()
    // Whichever comes first: a relay answers again, or the next look. One that is about to end is
    // registered, and has nothing to wait for.
    for (const relay of this.#relays().filter(({ registered }) => !registered))
      relay.whenReady((registered, _why, at) => {
        if (!registered || round !== this.#round) return
        this.#begin(at)
        this.#context.drain(at)
      }, now)
    if (round === this.#round) this.#pause('no relay that both ends know can be reached', now)
  }

  #next(): void {
    const relay = this.#ready[this.#turns]
    this.#turns++
    if (relay !== undefined) this.#events.push({ type: 'try', turn: { relay, round: this.#round } })
  }

  #pause(why: string, now: Instant): void {
    if (this.#deadline === undefined || now >= this.#deadline) {
      this.settle()
      this.#events.push({ type: 'failed', why })
      return
    }
    const round = this.#round
    this.#timer = this.#context.timers.set(later(now, this.#wait), (at) => {
      if (round === this.#round) this.#begin(at)
    })
    this.#wait = duration(Math.min(2 * this.#wait, RECOVERY_PAUSE_LAST))
  }
}

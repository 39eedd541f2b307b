/**
 * A machine whose host can sleep, as a closed laptop does: no input and no timer until it wakes.
 */
import type { Datagram, Instant, Machine, Output } from '@showchain/client/core'
import type { Clock } from '@showchain/client/runtime'

export class Sleeper<Event> implements Machine<Event> {
  readonly #machine: Machine<Event>
  #until: Instant | undefined

  constructor(machine: Machine<Event>) {
    this.#machine = machine
  }

  sleep(until: Instant): void {
    this.#until = until
  }

  receive(datagram: Datagram, now: Instant): void {
    if (!this.#asleep(now)) this.#machine.receive(datagram, now)
  }

  /** Everything that was due in the meantime is due now. */
  wake(now: Instant): void {
    if (this.#asleep(now)) return
    this.#until = undefined
    this.#machine.wake(now)
  }

  poll(): Output<Event> | undefined {
    return this.#machine.poll()
  }

  get deadline(): Instant | undefined {
    return this.#until ?? this.#machine.deadline
  }

  /** The clock for other parts of the host: its timers sleep too. */
  clockOf(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      unixMs: () => clock.unixMs(),
      schedule: (at, fire) => {
        const due = (): void => {
          if (this.#until !== undefined && this.#asleep(clock.now())) timer = clock.schedule(this.#until, due)
          else fire()
        }
        let timer = clock.schedule(at, due)
        return { cancel: () => timer.cancel() }
      },
    }
  }

  #asleep(now: Instant): boolean {
    return this.#until !== undefined && now < this.#until
  }
}

/**
 * A machine whose host can sleep, as a closed laptop does: no input and no timer until it wakes. Or
 * its process can be suspended, as by SIGSTOP: then its socket keeps what comes.
 */
import type { Datagram, Instant, Machine, Output } from '@showchain/client/core'
import type { Clock } from '@showchain/client/runtime'

/** Bytes that the socket of a suspended process keeps: net.core.rmem_default of Linux. */
const SOCKET_BUFFER = 212_992

export class Sleeper<Event> implements Machine<Event> {
  readonly #machine: Machine<Event>
  #until: Instant | undefined
  /** What came while it was suspended. */
  #held: Datagram[] = []
  #room = 0

  constructor(machine: Machine<Event>) {
    this.#machine = machine
  }

  /** `process`: what comes meanwhile is read when it goes on, as much as a socket keeps. */
  sleep(until: Instant, what: 'host' | 'process' = 'host'): void {
    this.#until = until
    this.#room = what === 'process' ? SOCKET_BUFFER : 0
  }

  receive(datagram: Datagram, now: Instant): void {
    if (!this.asleep(now)) return this.#machine.receive(datagram, now)
    this.#room -= datagram.bytes.length
    if (this.#room >= 0) this.#held.push({ ...datagram, bytes: datagram.bytes.slice() })
  }

  /** Everything that was due in the meantime is due now. */
  wake(now: Instant): void {
    if (this.asleep(now)) return
    this.#until = undefined
    this.#machine.wake(now)
    const held = this.#held
    this.#held = []
    this.#room = 0
    for (const datagram of held) this.#machine.receive(datagram, now)
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
          if (this.#until !== undefined && this.asleep(clock.now())) timer = clock.schedule(this.#until, due)
          else fire()
        }
        let timer = clock.schedule(at, due)
        return { cancel: () => timer.cancel() }
      },
    }
  }

  asleep(now: Instant): boolean {
    return this.#until !== undefined && now < this.#until
  }
}

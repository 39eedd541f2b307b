/**
 * Readable data (`plaintext`): each datagram of the application is one acknowledged message of the
 * seed. A message is acknowledged on the path that it was sent on, so a change of path loses
 * nothing and doubles nothing.
 */
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import { SEND_QUEUE } from '../messages/message-session.ts'
import type { OutgoingMessage, SendFailure, Sent } from '../messages/outgoing-message.ts'
import type { Goodbye } from '../transport/ending.ts'
import type { ConnectionPaths } from './connection-paths.ts'
import { CONNECTION_ENDED, type DataPlane, type DataPlaneEvent } from './data-plane.ts'

const NO_DATA_PATH: SendFailure = { code: 'ERR_NO_DATA_PATH', why: 'The other end has no data on a direct path.' }

/**
 * Where only a direct path is there, to an end that takes no data on it, a message waits so long for
 * a relay: as long as a request waits for its answer (RETRY_DELAYS, FINAL_WAIT).
 */
export const DATA_PATH_WAIT: Duration = duration(11_500)

export class PlaintextDataPlane implements DataPlane {
  readonly ready = true
  readonly maxDatagramSize: number
  readonly #paths: ConnectionPaths
  readonly #events = new EventQueue<DataPlaneEvent>()
  /** Sent while no path carries data, for the next one; at most SEND_QUEUE. */
  #unsent: OutgoingMessage[] = []
  readonly #timers: Pick<Timers, 'set'>
  /** Ends the wait of all that is unsent. */
  #patience: Timer | undefined
  #closed = false

  /** @param maxDatagramSize bytes that one 0x123 carries */
  constructor(paths: ConnectionPaths, timers: Pick<Timers, 'set'>, maxDatagramSize: number) {
    this.#paths = paths
    this.#timers = timers
    this.maxDatagramSize = maxDatagramSize
  }

  poll(): DataPlaneEvent | undefined {
    return this.#events.poll()
  }

  resume(now: Instant): void {
    if (this.#paths.session === undefined && this.#patience !== undefined) return
    const unsent = this.#unsent
    this.#unsent = []
    this.#patience?.cancel()
    this.#patience = undefined
    for (const { bytes, done } of unsent) this.send(bytes, done, now)
  }

  pathLost(unsent: readonly OutgoingMessage[]): void {
    this.#unsent.push(...unsent)
  }

  send(bytes: Uint8Array, done: Sent, now: Instant): void {
    const { session } = this.#paths
    if (this.#closed) done(CONNECTION_ENDED, now)
    else if (session !== undefined) this.#paths.deliver(session, { bytes, done }, now)
    else if (this.#paths.withoutData && !this.#paths.allowsRelay) done(NO_DATA_PATH, now)
    else if (this.#unsent.length >= SEND_QUEUE)
      done({ code: 'ERR_BUSY', why: `${SEND_QUEUE} messages wait for a path.` }, now)
    else {
      this.#unsent.push({ bytes, done })
      // A relay's may follow the direct path by some milliseconds.
      if (this.#paths.withoutData)
        this.#patience ??= this.#timers.set(later(now, DATA_PATH_WAIT), (at) => this.#fail(at))
    }
  }

  #fail(now: Instant): void {
    this.#patience = undefined
    for (const { done } of this.#unsent.splice(0)) done(NO_DATA_PATH, now)
  }

  receive(bytes: Uint8Array): void {
    this.#events.push({ type: 'datagram', bytes })
  }

  read(): void {
    this.#paths.sessions.read()
  }

  close(why: string, _goodbye: Goodbye, now: Instant): void {
    this.#closed = true
    this.#patience?.cancel()
    for (const { done } of this.#unsent.splice(0)) done({ code: 'ERR_CLOSED', why }, now)
  }
}

/**
 * Readable data (`plaintext`): each datagram of the application is one acknowledged message of the
 * seed. A message is acknowledged on the path that it was sent on, so a change of path loses
 * nothing and doubles nothing.
 */
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant } from '../endpoint/machine.ts'
import { SEND_QUEUE } from '../messages/message-session.ts'
import type { OutgoingMessage, Sent } from '../messages/outgoing-message.ts'
import type { Goodbye } from '../transport/ending.ts'
import type { ConnectionPaths } from './connection-paths.ts'
import { CONNECTION_ENDED, type DataPlane, type DataPlaneEvent } from './data-plane.ts'

export class PlaintextDataPlane implements DataPlane {
  readonly ready = true
  readonly maxDatagramSize: number
  readonly #paths: ConnectionPaths
  readonly #events = new EventQueue<DataPlaneEvent>()
  /** Sent while no path carries data, for the next one; at most SEND_QUEUE. */
  #unsent: OutgoingMessage[] = []
  #closed = false

  /** @param maxDatagramSize bytes that one 0x123 carries */
  constructor(paths: ConnectionPaths, maxDatagramSize: number) {
    this.#paths = paths
    this.maxDatagramSize = maxDatagramSize
  }

  poll(): DataPlaneEvent | undefined {
    return this.#events.poll()
  }

  resume(now: Instant): void {
    const unsent = this.#unsent
    this.#unsent = []
    for (const { bytes, done } of unsent) this.send(bytes, done, now)
  }

  pathLost(unsent: readonly OutgoingMessage[]): void {
    this.#unsent.push(...unsent)
  }

  send(bytes: Uint8Array, done: Sent, now: Instant): void {
    const { session } = this.#paths
    if (this.#closed) done(CONNECTION_ENDED, now)
    else if (session !== undefined) this.#paths.deliver(session, { bytes, done }, now)
    else if (this.#paths.withoutData)
      done({ code: 'ERR_NO_DATA_PATH', why: 'The other end has no data on a direct path.' }, now)
    else if (this.#unsent.length >= SEND_QUEUE)
      done({ code: 'ERR_BUSY', why: `${SEND_QUEUE} messages wait for a path.` }, now)
    else this.#unsent.push({ bytes, done })
  }

  receive(bytes: Uint8Array): void {
    this.#events.push({ type: 'datagram', bytes })
  }

  read(): void {
    this.#paths.sessions.read()
  }

  close(why: string, _goodbye: Goodbye, now: Instant): void {
    this.#closed = true
    for (const { done } of this.#unsent.splice(0)) done({ code: 'ERR_CLOSED', why }, now)
  }
}

/**
 * A mailbox (docs/mailbox.md): gives slots to ends that wait, brings the first end that takes a slot
 * together with the one that waits, and passes the frames of their run on. It never sees what a code's
 * words are. Each slot is tried once, and everything is bounded: slots, of one source too, the rate of
 * a source, frames, their length, and time.
 */
import { Counters, type Instant, later, RateLimit, type Timer, Timers } from '@showchain/client/endpoint'
import { MAILBOX_COUNTERS, type MailboxCounter } from './counters.ts'
import { encode, FIRST_BYTE, type Frame, FrameReader, type OverReason, type Read } from './frames.ts'
import { FIRST_FRAME, MAX_PASSED, MAX_SOURCES, RUN, SLOT_LIFE, SOURCE_RATE } from './limits.ts'
import { Slots } from './slots.ts'

const SECOND = 1000

export type MailboxEvent =
  | { readonly type: 'write'; readonly client: number; readonly bytes: Uint8Array }
  /** Nothing more is written; the mailbox has forgotten the client. */
  | { readonly type: 'end'; readonly client: number }

/** A client's stream, from its beginning. */
interface Client {
  readonly id: number
  readonly source: string
  readonly reader: FrameReader
  timer: Timer
  state:
    | { readonly at: 'beginning' }
    | { readonly at: 'waiting'; readonly number: number }
    | { readonly at: 'running'; readonly with: Client; passed: number }
}

/** How full a mailbox is. */
export interface MailboxStats {
  readonly clients: number
  readonly slots: number
  readonly sources: number
}

export class MailboxMachine {
  readonly #clients = new Map<number, Client>()
  readonly #slots = new Slots()
  readonly #rate = new RateLimit(SOURCE_RATE, MAX_SOURCES)
  readonly #timers = new Timers()
  readonly #counters = new Counters<MailboxCounter>(MAILBOX_COUNTERS)
  readonly #events: MailboxEvent[] = []

  get deadline(): Instant | undefined {
    return this.#timers.deadline
  }

  counters(): Record<MailboxCounter, number> {
    return this.#counters.snapshot()
  }

  stats(): MailboxStats {
    return { clients: this.#clients.size, slots: this.#slots.size, sources: this.#rate.size }
  }

  /** A client's stream has begun. @param source whose rate it is: an address, or a peer's id */
  enter(id: number, source: string, now: Instant): void {
    const timer = this.#timers.set(later(now, FIRST_FRAME), () => {
      this.#counters.count('silent')
      this.#dismiss(client, 'malformed')
    })
    const client: Client = { id, source, reader: new FrameReader(), timer, state: { at: 'beginning' } }
    this.#clients.set(id, client)
    this.#write(client, FIRST_BYTE)
  }

  receive(id: number, bytes: Uint8Array, now: Instant): void {
    const client = this.#clients.get(id)
    if (client === undefined) return
    client.reader.push(bytes)
    for (let read = client.reader.next(); read !== undefined; read = client.reader.next()) {
      if (!this.#on(client, read, now)) this.#malformed(client, now)
      if (!this.#clients.has(id)) return
    }
    if (client.reader.bad) this.#malformed(client, now)
  }

  /** The client's stream has ended, whatever the reason. */
  leave(id: number, now: Instant): void {
    const client = this.#clients.get(id)
    if (client === undefined) return
    const { state } = client
    this.#forget(client)
    if (state.at === 'waiting') {
      this.#slots.take(state.number, now)
      this.#counters.count('slotsLeft')
    } else if (state.at === 'running') {
      this.#counters.count('runsBroken')
      this.#dismiss(state.with, 'gone')
    }
  }

  /** Tells everybody that the mailbox ends. */
  close(): void {
    for (const client of [...this.#clients.values()]) this.#dismiss(client, 'closing')
  }

  wake(now: Instant): void {
    this.#timers.wake(now)
    this.#rate.expire(now)
  }

  poll(): MailboxEvent | undefined {
    return this.#events.shift()
  }

  /** @returns false for a frame that may not come now */
  #on(client: Client, read: Read, now: Instant): boolean {
    const { state } = client
    const { frame } = read
    if (state.at === 'running') return this.#pass(client, state, read)
    if (state.at !== 'beginning' || (frame.type !== 'offer' && frame.type !== 'take')) return false
    if (!this.#rate.take(client.source, now)) {
      this.#counters.count('refusedOften')
      this.#dismiss(client, 'often')
    } else if (frame.type === 'offer') this.#give(client, now)
    else this.#take(client, frame.number, now)
    return true
  }

  #give(client: Client, now: Instant): void {
    const number = this.#slots.give(client.id, client.source, now)
    if (number === undefined) {
      this.#counters.count('refusedFull')
      return this.#dismiss(client, 'full')
    }
    this.#counters.count('slotsGiven')
    client.state = { at: 'waiting', number }
    client.timer.cancel()
    client.timer = this.#timers.set(later(now, SLOT_LIFE), (at) => {
      this.#slots.take(number, at)
      this.#counters.count('slotsExpired')
      this.#dismiss(client, 'expired')
    })
    this.#write(client, encode.slot(number, SLOT_LIFE / SECOND))
  }

  #take(client: Client, number: number, now: Instant): void {
    const waiting = this.#slots.take(number, now)
    const offering = waiting === undefined ? undefined : this.#clients.get(waiting)
    if (offering === undefined) {
      this.#counters.count('refusedUnknown')
      return this.#dismiss(client, 'unknown')
    }
    this.#counters.count('slotsTaken')
    for (const [one, other] of [
      [client, offering],
      [offering, client],
    ] as const) {
      one.state = { at: 'running', with: other, passed: 0 }
      one.timer.cancel()
    }
    client.timer = this.#timers.set(later(now, RUN), () => {
      this.#counters.count('runsBroken')
      this.#dismiss(client, 'gone')
      this.#dismiss(offering, 'gone')
    })
  }

  #pass(client: Client, state: Client['state'] & { readonly at: 'running' }, { frame, bytes }: Read): boolean {
    if (!isPassed(frame) || ++state.passed > MAX_PASSED) return false
    this.#write(state.with, bytes)
    if (frame.type !== 'done' && frame.type !== 'wrong') return true
    this.#counters.count(frame.type === 'done' ? 'runsDone' : 'runsWrong')
    for (const each of [client, state.with]) {
      this.#forget(each)
      this.#events.push({ type: 'end', client: each.id })
    }
    return true
  }

  #malformed(client: Client, now: Instant): void {
    this.#counters.count('malformed')
    this.#write(client, encode.over('malformed'))
    this.#events.push({ type: 'end', client: client.id })
    this.leave(client.id, now)
  }

  /** The last word to a client. */
  #dismiss(client: Client, reason: OverReason): void {
    this.#forget(client)
    this.#write(client, encode.over(reason))
    this.#events.push({ type: 'end', client: client.id })
  }

  #forget(client: Client): void {
    client.timer.cancel()
    this.#clients.delete(client.id)
  }

  #write(client: Client, bytes: Uint8Array): void {
    this.#events.push({ type: 'write', client: client.id, bytes })
  }
}

const isPassed = ({ type }: Frame): boolean =>
  type === 'start' || type === 'reply' || type === 'proof' || type === 'done' || type === 'wrong'

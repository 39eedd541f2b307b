/**
 * A mailbox: the machine on the streams of an ordinary protected peer. The entry point
 * `@showchain/mailbox/server`.
 */
import type { Connection, Peer, Stream } from '@showchain/client'
import { duration, type Instant, later } from '@showchain/client/core'
import { type Clock, systemClock } from '@showchain/client/runtime'
import type { PeerId } from '@showchain/wire'
import { BUSY, MAILBOX_COUNTERS, type MailboxCounter, MailboxMachine, type MailboxStats } from '../core/index.ts'

export { MAILBOX_COUNTERS, type MailboxCounter, type MailboxStats } from '../core/index.ts'

/** Connections at a time: one for each slot and as many that come for them. */
const MAX_CONNECTIONS = 1024
/** Of one source. */
const MAX_CONNECTIONS_PER_SOURCE = 64
/** Streams of a connection: one for each code. */
const MAX_STREAMS = 8
/** Milliseconds that a connection may have no stream. */
const IDLE = duration(10_000)

/** What a mailbox is opened with. */
export interface ServeOptions {
  /**
   * Whose rate a peer's requests count to: the address behind it, where that is known. Ids are free.
   * @default its id
   */
  readonly sourceOf?: ((id: PeerId) => string | undefined | Promise<string | undefined>) | undefined
  /** That of the peer. @default systemClock */
  readonly clock?: Clock | undefined
}

/** A mailbox on a peer of its own (docs/mailbox.md). */
export class Mailbox implements AsyncDisposable {
  readonly #peer: Peer
  readonly #machine = new MailboxMachine()
  readonly #streams = new Map<number, Stream>()
  readonly #connections = new Map<Connection, string>()
  readonly #sourceOf: NonNullable<ServeOptions['sourceOf']>
  readonly #clock: Clock
  #timer: { readonly at: Instant; cancel(): void } | undefined
  #last = 0

  /**
   * Serves everybody that the peer accepts. A mailbox should know nobody's address: open the peer
   * with the policy `relay-only`.
   * @param peer opened for this alone; closed with the mailbox
   */
  static serve(peer: Peer, options: ServeOptions = {}): Mailbox {
    const mailbox = new Mailbox(peer, options)
    void mailbox.#accept()
    return mailbox
  }

  private constructor(peer: Peer, { sourceOf = () => undefined, clock = systemClock }: ServeOptions) {
    this.#peer = peer
    this.#sourceOf = sourceOf
    this.#clock = clock
  }

  /** What clients connect to, through its relay. */
  get id(): PeerId {
    return this.#peer.id
  }

  /** What each counter means: MAILBOX_COUNTERS, at hand where only types are imported. */
  get sentences(): Readonly<Record<MailboxCounter, string>> {
    return MAILBOX_COUNTERS
  }

  /** See MAILBOX_COUNTERS for what each means. */
  counters(): Record<MailboxCounter, number> {
    return this.#machine.counters()
  }

  /** How full it is at this moment. */
  stats(): MailboxStats & { readonly connections: number } {
    return { ...this.#machine.stats(), connections: this.#connections.size }
  }

  /** Tells those who wait. Closing twice is closing once. */
  async close(): Promise<void> {
    this.#machine.close()
    this.#drain()
    this.#timer?.cancel()
    await Promise.all([...this.#connections.keys()].map((connection) => connection.close()))
    await this.#peer.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#peer.incoming) {
      const source = (await this.#sourceOf(connection.remoteId)) ?? connection.remoteId
      const tooMany = this.#connections.size >= MAX_CONNECTIONS || this.#of(source) >= MAX_CONNECTIONS_PER_SOURCE
      const served = tooMany
        ? connection.close({ code: BUSY, reason: 'too many connections' })
        : this.#serve(connection, source)
      // Whatever becomes of one connection, the others go on.
      served.catch(() => {})
    }
  }

  #of(source: string): number {
    let count = 0
    for (const each of this.#connections.values()) if (each === source) count++
    return count
  }

  async #serve(connection: Connection, source: string): Promise<void> {
    this.#connections.set(connection, source)
    connection.on('close', () => this.#connections.delete(connection))
    let [opened, open] = [0, 0]
    const idle = (): ReturnType<Clock['schedule']> =>
      this.#clock.schedule(later(this.#clock.now(), IDLE), () => void connection.close())
    let timer = idle()
    connection.on('close', () => timer.cancel())
    for await (const stream of connection.streams) {
      if (++opened > MAX_STREAMS) return connection.close({ code: BUSY, reason: 'too many streams' })
      open++
      timer.cancel()
      void this.#read(stream, source).then(() => {
        if (--open === 0 && connection.end === undefined) timer = idle()
      })
    }
  }

  /** Until the stream has ended, or the machine wants no more of it. */
  async #read(stream: Stream, source: string): Promise<void> {
    const id = ++this.#last
    this.#streams.set(id, stream)
    this.#input((now) => this.#machine.enter(id, source, now))
    try {
      for (let bytes = await stream.read(); bytes !== undefined && this.#streams.has(id); bytes = await stream.read()) {
        const piece = bytes
        this.#input((now) => this.#machine.receive(id, piece, now))
      }
    } catch {
      // It was reset, or its connection has ended.
    }
    this.#input((now) => this.#machine.leave(id, now))
    this.#streams.delete(id)
  }

  #input(act: (now: Instant) => void): void {
    act(this.#clock.now())
    this.#drain()
  }

  #drain(): void {
    for (let event = this.#machine.poll(); event !== undefined; event = this.#machine.poll()) {
      const stream = this.#streams.get(event.client)
      // What is written is bounded by the machine: nobody waits for a client that does not read.
      if (event.type === 'write') stream?.write(event.bytes).catch(() => {})
      else this.#end(event.client, stream)
    }
    const { deadline } = this.#machine
    if (this.#timer?.at === deadline) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (deadline === undefined) return
    const scheduled = this.#clock.schedule(deadline, () => this.#input((now) => this.#machine.wake(now)))
    this.#timer = { at: deadline, cancel: () => scheduled.cancel() }
  }

  #end(client: number, stream: Stream | undefined): void {
    this.#streams.delete(client)
    // Once it has everything, nothing more is read of it.
    stream?.end().then(
      () => stream.cancel(),
      () => {},
    )
  }
}

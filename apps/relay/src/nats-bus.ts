/**
 * The bus of a fleet over NATS: `showchain.<fleet>.all` and `showchain.<fleet>.node.<n>`. It connects for
 * ever; what is said meanwhile is lost, as docs/fleet.md wants it. Who reads NATS can do no more than that:
 * the core believes only what has a tag.
 */
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import type { FleetAddress, FleetBus } from '@showchain/server/runtime'
import type { Logger } from 'pino'
import { NatsLink, type NatsOptions } from './nats-link.ts'

/** Bytes that NATS has not confirmed: a second of a loop that forwards as fast as it can. More are lost. */
const MAX_PENDING = 32 * 1024 * 1024

const WORDS = {
  there: 'the fleet is connected by NATS',
  again: 'NATS is there again',
  away: 'NATS is not there, the relay goes on alone and tries again',
}

/** What one connection was given, and has not confirmed. */
interface Pending {
  bytes: number
  flushing: boolean
}

export class NatsBus implements FleetBus {
  readonly #subject: string
  readonly #link: NatsLink
  #connection: NatsConnection | undefined
  #pending: Pending | undefined
  #receive: (message: Uint8Array) => void = () => {}

  constructor(options: NatsOptions, log: Logger) {
    this.#subject = `showchain.${options.fleet}`
    const opened = (connection: NatsConnection): void => this.#opened(connection, options.nodes)
    const there = (): void => {
      this.#pending = { bytes: 0, flushing: false }
    }
    const away = (): void => {
      this.#pending = undefined
    }
    this.#link = new NatsLink(options, { opened, there, away, words: WORDS }, log)
  }

  subscribe(receive: (message: Uint8Array) => void): void {
    this.#receive = receive
  }

  publish(to: FleetAddress, message: Uint8Array): boolean {
    const connection = this.#connection
    const pending = this.#pending
    if (connection === undefined || pending === undefined || pending.bytes + message.length > MAX_PENDING) return false
    try {
      connection.publish(this.#subjectOf(to), message)
    } catch {
      // It closes, or the server takes less at once.
      return false
    }
    pending.bytes += message.length
    this.#confirm(connection, pending)
    return true
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  #subjectOf(to: FleetAddress): string {
    return to === 'all' ? `${this.#subject}.all` : `${this.#subject}.node.${to}`
  }

  #opened(connection: NatsConnection, nodes: readonly number[]): void {
    this.#connection = connection
    const callback = (error: Error | null, { data }: Msg): void => {
      if (error === null) this.#receive(new Uint8Array(data))
    }
    for (const to of ['all' as const, ...nodes]) connection.subscribe(this.#subjectOf(to), { callback })
  }

  /** One question is under way at a time; its answer says that NATS has what was sent before it. */
  #confirm(connection: NatsConnection, pending: Pending): void {
    if (pending.flushing) return
    pending.flushing = true
    const { bytes } = pending
    connection.flush().then(
      () => {
        pending.flushing = false
        pending.bytes -= bytes
        if (pending.bytes > 0) this.#confirm(connection, pending)
      },
      // It was lost, and with it what was pending.
      () => {},
    )
  }
}

/**
 * The bus of a fleet over NATS: `showchain.<fleet>.all` and `showchain.<fleet>.node.<n>`. It connects for
 * ever; what is said meanwhile is lost, as docs/fleet.md wants it. Who reads NATS can do no more than that:
 * the core believes only what has a tag.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
} from '@nats-io/transport-node'
import type { FleetAddress, FleetBus } from '@showchain/server/runtime'
import { printable } from '@showchain/wire'
import type { Logger } from 'pino'
import type { NatsServer } from './nats-url.ts'

/** Milliseconds until it tries again to connect. */
const RETRY = 1000
/** Milliseconds that one server has to answer. */
const CONNECT_TIMEOUT = 5000
/** Milliseconds: a connection on which nothing comes back for two of them is lost. */
const PING_INTERVAL = 5000
/** Bytes that NATS has not confirmed: a second of a loop that forwards as fast as it can. More are lost. */
const MAX_PENDING = 32 * 1024 * 1024

export interface NatsOptions {
  readonly servers: readonly NatsServer[]
  /** The content of a creds file, or an nkey seed. */
  readonly credentials?: Uint8Array | undefined
  /** The name of the fleet in subjects. */
  readonly fleet: string
  /** Numbers of the nodes that listen by it: of a relay, or of its workers. */
  readonly nodes: readonly number[]
}

/** What one connection was given, and has not confirmed. */
interface Pending {
  bytes: number
  flushing: boolean
}

export class NatsBus implements FleetBus {
  readonly #subject: string
  readonly #nodes: readonly number[]
  readonly #log: Logger
  readonly #end = new AbortController()
  #connection: NatsConnection | undefined
  #pending: Pending | undefined
  #receive: (message: Uint8Array) => void = () => {}
  #lost = false

  /** It connects afterwards: a relay serves with and without NATS. */
  constructor(options: NatsOptions, log: Logger) {
    this.#subject = `showchain.${options.fleet}`
    this.#nodes = options.nodes
    this.#log = log
    void this.#run(options)
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

  async close(): Promise<void> {
    this.#end.abort()
    this.#pending = undefined
    await this.#connection?.close()
  }

  #subjectOf(to: FleetAddress): string {
    return to === 'all' ? `${this.#subject}.all` : `${this.#subject}.node.${to}`
  }

  async #run(options: NatsOptions): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      try {
        const connection = await connect(connectionOptions(options))
        if (signal.aborted) return await connection.close()
        await this.#use(connection)
      } catch (error) {
        this.#away((error as Error).message)
      }
      await wait(RETRY, undefined, { signal }).catch(() => {})
    }
  }

  /** Until the connection is closed for good. */
  async #use(connection: NatsConnection): Promise<void> {
    this.#connection = connection
    const callback = (error: Error | null, { data }: Msg): void => {
      if (error === null) this.#receive(new Uint8Array(data))
    }
    for (const to of ['all' as const, ...this.#nodes]) connection.subscribe(this.#subjectOf(to), { callback })
    this.#there(connection)
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#away(`the connection to ${status.server} ended`)
      if (status.type === 'reconnect') this.#there(connection)
      if (status.type === 'error') this.#log.warn(`NATS: ${printable(status.error.message)}`)
    }
    this.#away('the connection was closed')
  }

  #there(connection: NatsConnection): void {
    this.#pending = { bytes: 0, flushing: false }
    const where = { server: connection.getServer(), subject: this.#subject }
    this.#log.info(where, this.#lost ? 'NATS is there again' : 'the fleet is connected by NATS')
    this.#lost = false
  }

  #away(reason: string): void {
    this.#pending = undefined
    if (this.#lost || this.#end.signal.aborted) return
    this.#lost = true
    this.#log.warn(`NATS is not there, the relay goes on alone and tries again: ${printable(reason)}`)
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

function connectionOptions({ servers, credentials }: NatsOptions): NodeConnectionOptions {
  const named = servers.find(({ user }) => user !== undefined)
  return {
    servers: servers.map(({ at }) => at),
    ...(servers.some(({ tls }) => tls) ? { tls: {} } : {}),
    ...(named?.user === undefined
      ? {}
      : named.password === undefined
        ? { token: named.user }
        : { user: named.user, pass: named.password }),
    ...(credentials === undefined ? {} : { authenticator: authenticatorOf(credentials) }),
    // What a node says to all is for the others.
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY,
    ignoreAuthErrorAbort: true,
    timeout: CONNECT_TIMEOUT,
    pingInterval: PING_INTERVAL,
  }
}

/** A creds file has a token and a seed, an nkey file the seed alone. */
function authenticatorOf(credentials: Uint8Array): Authenticator {
  const text = new TextDecoder().decode(credentials)
  if (text.includes('BEGIN NATS USER JWT')) return credsAuthenticator(credentials)
  return nkeyAuthenticator(new TextEncoder().encode(text.trim()))
}

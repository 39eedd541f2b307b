/** A connection to NATS that is made again for ever: a relay serves with and without it. */
import { setTimeout as wait } from 'node:timers/promises'
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
} from '@nats-io/transport-node'
import { printable } from '@showchain/wire'
import type { Logger } from 'pino'
import type { NatsServer } from './nats-url.ts'

/** Milliseconds until it tries again to connect: what is relayed across the fleet waits for it. */
const RETRY = 250
/** Up to so many more, so that the relays of a fleet do not come all at once. */
const JITTER = 100
/** Milliseconds that one server has to answer. */
const CONNECT_TIMEOUT = 5000
/** Milliseconds: a connection on which nothing comes back for two of them is lost. */
const PING_INTERVAL = 5000

export interface NatsOptions {
  readonly servers: readonly NatsServer[]
  /** The content of a creds file, or an nkey seed. */
  readonly credentials?: Uint8Array | undefined
  /** The name of the fleet in subjects. */
  readonly fleet: string
  /** Numbers of the nodes that use it: of a relay, or of its workers. */
  readonly nodes: readonly number[]
}

export interface NatsUser {
  /** What is done once on each connection. */
  opened(connection: NatsConnection): void | Promise<void>
  /** NATS is there, for the first time or again. */
  there(connection: NatsConnection): void
  /** It is not. */
  away(): void
  /** What the log says of both. */
  readonly words: { readonly there: string; readonly again: string; readonly away: string }
}

export class NatsLink {
  readonly #user: NatsUser
  readonly #log: Logger
  readonly #end = new AbortController()
  #connection: NatsConnection | undefined
  #lost = false

  /** It connects afterwards. */
  constructor(options: NatsOptions, user: NatsUser, log: Logger) {
    this.#user = user
    this.#log = log
    void this.#run(options)
  }

  async close(): Promise<void> {
    this.#end.abort()
    this.#user.away()
    await this.#connection?.close()
  }

  async #run(options: NatsOptions): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      try {
        const connection = await connect(connectionOptions(options))
        if (signal.aborted) return await connection.close()
        await this.#use(connection)
      } catch (error) {
        await this.#connection?.close()
        this.#away((error as Error).message)
      }
      await wait(RETRY, undefined, { signal }).catch(() => {})
    }
  }

  /** Until the connection is closed for good. */
  async #use(connection: NatsConnection): Promise<void> {
    this.#connection = connection
    await this.#user.opened(connection)
    this.#there(connection)
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#away(`the connection to ${status.server} ended`)
      if (status.type === 'reconnect') this.#there(connection)
      if (status.type === 'error') this.#log.warn(`NATS: ${printable(status.error.message)}`)
    }
    this.#away('the connection was closed')
  }

  #there(connection: NatsConnection): void {
    this.#user.there(connection)
    const { again, there } = this.#user.words
    this.#log.info({ server: connection.getServer() }, this.#lost ? again : there)
    this.#lost = false
  }

  #away(reason: string): void {
    this.#user.away()
    if (this.#lost || this.#end.signal.aborted) return
    this.#lost = true
    this.#log.warn(`${this.#user.words.away}: ${printable(reason)}`)
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
    reconnectJitter: JITTER,
    reconnectJitterTLS: JITTER,
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

/** `connect` with `reconnect`: one connection after the other to one remote peer, while each is lost. */
import type { Random } from '@showchain/crypto/core'
import { ShowchainError } from '@showchain/wire'
import { Change } from './async/change.ts'
import type { WaitOptions } from './async/deadline.ts'
import { Listeners } from './async/listeners.ts'
import type { CloseOptions, ReconnectOptions } from './call-options.ts'
import type { Connection } from './connection.ts'
import { backOff, type ConnectionEnd } from './core/index.ts'

interface ReconnectingEvents {
  /** The connection was lost; it is dialled again after so many milliseconds. */
  lost: [end: ConnectionEnd, delay: number]
  /** A dial failed; the next one follows after so many milliseconds. */
  failed: [error: ShowchainError, delay: number]
  /** Another connection is there. Streams of the one before are not. */
  connected: [connection: Connection]
  /** Nothing is dialled any more. */
  close: [end: ConnectionEnd]
}

export interface ReconnectingPort {
  readonly random: Random
  dial(options: WaitOptions): Promise<Connection>
  /** Waits until the time is over, the signal is aborted or the peer is closed. */
  pause(options: WaitOptions): Promise<void>
}

/** Dials in a row that may fail: about five minutes, and what each dial takes. */
const ATTEMPTS = 10

/**
 * Dials again when the connection is lost, and not when either end closed it. Each connection is a
 * new one: streams of the one before fail, and nothing is sent again. Iterating over it gives the
 * connection at hand, then each later one.
 */
export class ReconnectingConnection implements AsyncDisposable, AsyncIterable<Connection> {
  /** Resolves with how it ended for good, which is how the last connection did; never rejects. */
  readonly closed: Promise<ConnectionEnd>
  readonly #port: ReconnectingPort
  readonly #attempts: number
  readonly #timeout: number | undefined
  readonly #listeners = new Listeners<ReconnectingEvents>('lost', 'failed', 'connected', 'close')
  readonly #closing = new AbortController()
  readonly #change = new Change()
  #current: Connection | undefined
  #end: ConnectionEnd | undefined

  /**
   * @internal They come from `peer.connect`.
   * @param options of the call; its signal holds for all of it
   */
  constructor(
    first: Connection,
    { attempts = ATTEMPTS }: ReconnectOptions,
    { signal, timeout }: WaitOptions,
    port: ReconnectingPort,
  ) {
    this.#port = port
    this.#attempts = attempts
    this.#timeout = timeout
    this.#current = first
    const abort = (): void => void this.close()
    signal?.addEventListener('abort', abort, { once: true })
    this.closed = this.#run(first).finally(() => signal?.removeEventListener('abort', abort))
  }

  /** Undefined while there is none: it is dialled. */
  get current(): Connection | undefined {
    return this.#current
  }

  /** How it ended for good; undefined: it has not. */
  get end(): ConnectionEnd | undefined {
    return this.#end
  }

  /** @returns a function that removes the listener */
  on<Name extends keyof ReconnectingEvents>(
    name: Name,
    listener: (...args: ReconnectingEvents[Name]) => void,
  ): () => void {
    return this.#listeners.on(name, listener)
  }

  /** The connection at hand, and each later one; ends with `closed`. One that was lost meanwhile is left out. */
  async *[Symbol.asyncIterator](): AsyncIterator<Connection, undefined> {
    for (let seen: Connection | undefined; this.#end === undefined; ) {
      const connection = this.#current
      if (connection !== undefined && connection !== seen) {
        seen = connection
        yield connection
      } else await this.#change.wait(undefined)
    }
  }

  /**
   * Closes the connection at hand as `Connection.close`, and dials no more.
   * @throws ShowchainError `ERR_BAD_ARGUMENT`
   */
  async close(options: CloseOptions = {}): Promise<void> {
    await this.#current?.close(options)
    this.#closing.abort()
    await this.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(first: Connection): Promise<ConnectionEnd> {
    for (let connection = first; ; ) {
      const end = await connection.closed
      this.#current = undefined
      const next = end.by === 'failure' && !this.#closing.signal.aborted ? await this.#again(end) : end
      if ('reason' in next) {
        this.#end = next
        this.#listeners.emit('close', next)
        this.#change.happened()
        return next
      }
      connection = next
      this.#current = connection
      this.#listeners.emit('connected', connection)
      this.#change.happened()
    }
  }

  /** @returns how it ended where no dial succeeds */
  async #again(lost: ConnectionEnd): Promise<Connection | ConnectionEnd> {
    const { random, dial, pause } = this.#port
    const { signal } = this.#closing
    let delay = backOff(0, random)
    this.#listeners.emit('lost', lost, delay)
    for (let failures = 1; ; failures++) {
      await pause({ timeout: delay, signal })
      try {
        return await dial({ signal, timeout: this.#timeout })
      } catch (error) {
        if (!(error instanceof ShowchainError) || !error.retryable) return CLOSED
        if (failures >= this.#attempts)
          return { by: 'failure', code: 0, reason: `${lost.reason}; then ${failures} dials failed: ${error.message}` }
        delay = backOff(failures, random)
        this.#listeners.emit('failed', error, delay)
      }
    }
  }
}

/** It was closed, or its peer was, while there was no connection. */
const CLOSED: ConnectionEnd = { by: 'local', code: 0, reason: 'closed by this side' }

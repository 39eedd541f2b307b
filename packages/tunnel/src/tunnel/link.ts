/**
 * A connection to the remote peer that serves, made again when it was lost: at once, then with
 * back-off, which is short while somebody waits. What is carried at that moment is reset; what comes
 * later takes the new one.
 *
 *   dialling ──► open ──lost──► dialling ──fails──► waiting ──► dialling …
 */
import type { Connection, ConnectionEnd } from '@showchain/client'
import { type Duration, type Instant, instant, later } from '@showchain/client/endpoint'
import type { Scheduled } from '@showchain/client/runtime'
import { ShowchainError } from '@showchain/wire'
import { REDIAL_FIRST, redialDelay } from '../core/index.ts'
import type { Dial, TunnelRuntime } from './ports.ts'

export interface LinkEvents {
  /** Also the first time. */
  open(connection: Connection): void
  lost(end: ConnectionEnd): void
  /** @param delay until the next attempt */
  failed(error: unknown, delay: Duration): void
}

export class Link {
  readonly #dial: Dial
  readonly #runtime: TunnelRuntime
  readonly #events: LinkEvents
  readonly #closing = new AbortController()
  #connection: Connection | undefined
  /** Those that wait for a connection; bounded by their owner. */
  readonly #waiting = new Set<(connection: Connection) => void>()
  #timer: Scheduled | undefined
  #due: Instant = instant(0)
  #failures = 0

  constructor(dial: Dial, runtime: TunnelRuntime, events: LinkEvents) {
    this.#dial = dial
    this.#runtime = runtime
    this.#events = events
  }

  /** Connects for the first time. @throws as the dial does */
  async open(): Promise<void> {
    this.#opened(await this.#dial(this.#closing.signal))
  }

  /**
   * The connection, when there is one.
   * @throws ShowchainError `ERR_ABORTED`
   */
  connection(signal: AbortSignal): Promise<Connection> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(taken)
        signal.removeEventListener('abort', abort)
      }
      const taken = (connection: Connection): void => {
        leave()
        resolve(connection)
      }
      const abort = (): void => {
        leave()
        reject(new ShowchainError('ERR_ABORTED', undefined, { cause: signal.reason }))
      }
      if (signal.aborted) return abort()
      this.#waiting.add(taken)
      // Nobody waits for the end of a long pause.
      if (this.#timer !== undefined) this.#pause(REDIAL_FIRST)
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#timer?.cancel()
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  #opened(connection: Connection): void {
    if (this.#closing.signal.aborted) return void connection.close()
    this.#connection = connection
    this.#failures = 0
    connection.on('close', (_reason, end) => {
      if (this.#connection !== connection) return
      this.#connection = undefined
      this.#events.lost(end)
      void this.#again()
    })
    this.#events.open(connection)
    for (const taken of [...this.#waiting]) taken(connection)
  }

  async #again(): Promise<void> {
    try {
      this.#opened(await this.#dial(this.#closing.signal))
    } catch (error) {
      if (this.#closing.signal.aborted) return
      const delay = redialDelay(this.#waiting.size > 0 ? 1 : ++this.#failures, this.#runtime.random)
      this.#pause(delay)
      this.#events.failed(error, delay)
    }
  }

  /** Until the next attempt; one that is due earlier stays. */
  #pause(delay: Duration): void {
    const { clock } = this.#runtime
    const due = later(clock.now(), delay)
    if (this.#timer !== undefined && this.#due <= due) return
    this.#timer?.cancel()
    this.#due = due
    this.#timer = clock.schedule(due, () => {
      this.#timer = undefined
      void this.#again()
    })
  }
}

/** A run on a stream through a mailbox: events of the machine to the stream, bytes of the stream to the machine. */
import type { Connection, Peer, Stream } from '@showchain/client'
import { duration, later } from '@showchain/client/core'
import type { Runtime } from '@showchain/client/runtime'
import { ShowchainError, type Ticket } from '@showchain/wire'
import type { OfferRun, RunEvent, TakeRun } from '../core/index.ts'
import { failureOf } from './errors.ts'

export interface MailboxOptions {
  /** Ends everything, also what is waited for later. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds in which the mailbox must be reached. @default that of `peer.connect` */
  readonly timeout?: number | undefined
  /** This peer's ticket, for the other end; asked for when it is sent. @default that of the peer */
  readonly ticket?: (() => string) | undefined
  /** Of the peer. @default nodeRuntime */
  readonly runtime?: Runtime | undefined
}

export class Line implements AsyncDisposable {
  readonly #connection: Connection
  readonly #stream: Stream
  readonly #run: OfferRun | TakeRun
  readonly #runtime: Runtime
  readonly #over = new AbortController()
  readonly #unlisten: () => void

  /** @throws ShowchainError as `peer.connect` */
  static async open(
    peer: Peer,
    mailbox: Ticket,
    run: OfferRun | TakeRun,
    runtime: Runtime,
    { signal, timeout }: MailboxOptions,
  ): Promise<Line> {
    // A mailbox at a relay has no direct path, and learns no address.
    const via = mailbox.relays.length > 0 ? 'relay-only' : undefined
    const connection = await peer.connect(mailbox, { via, signal, timeout })
    try {
      return new Line(connection, await connection.openStream({ signal, timeout }), run, runtime, signal)
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  private constructor(
    connection: Connection,
    stream: Stream,
    run: OfferRun | TakeRun,
    runtime: Runtime,
    signal: AbortSignal | undefined,
  ) {
    this.#connection = connection
    this.#stream = stream
    this.#run = run
    this.#runtime = runtime
    const abort = (): void => this.#over.abort(new ShowchainError('ERR_ABORTED', undefined, { cause: signal?.reason }))
    signal?.addEventListener('abort', abort, { once: true })
    this.#unlisten = () => signal?.removeEventListener('abort', abort)
    if (signal?.aborted) abort()
  }

  /**
   * The next event that is no write.
   * @param wait milliseconds at most
   * @throws ShowchainError as `failureOf`; `ERR_TIMEOUT`, `ERR_ABORTED`, and as the stream does
   */
  async next(wait: number): Promise<Exclude<RunEvent, { readonly type: 'write' | 'failed' }>> {
    const { clock } = this.#runtime
    const late = new ShowchainError('ERR_TIMEOUT', 'The mailbox says nothing.')
    const timer = clock.schedule(later(clock.now(), duration(wait)), () => this.#over.abort(late))
    try {
      for (;;) {
        for (let event = this.#run.poll(); event !== undefined; event = this.#run.poll()) {
          if (event.type === 'write') await this.#write(event.bytes)
          else if (event.type !== 'failed') return event
          else throw failureOf(event.why)
        }
        const bytes = await this.#stream.read({ signal: this.#over.signal })
        if (bytes === undefined) this.#run.ended()
        else this.#run.receive(bytes)
      }
    } catch (error) {
      throw this.#over.signal.aborted ? this.#over.signal.reason : error
    } finally {
      timer.cancel()
    }
  }

  /** Everything was sent, and has arrived at the mailbox. */
  async end(): Promise<void> {
    for (let event = this.#run.poll(); event !== undefined; event = this.#run.poll())
      if (event.type === 'write') await this.#write(event.bytes)
    await this.#stream.end({ signal: this.#over.signal })
  }

  async close(): Promise<void> {
    this.#unlisten()
    this.#over.abort(new ShowchainError('ERR_CLOSED'))
    await this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A mailbox that takes no more may have said why. */
  async #write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#stream.write(bytes, { signal: this.#over.signal })
    } catch (error) {
      if (!(error instanceof ShowchainError && error.code === 'ERR_STREAM_RESET')) throw error
    }
  }
}

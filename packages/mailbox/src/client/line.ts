/** A run on a stream through a mailbox: events of the machine to the stream, bytes of the stream to the machine. */
import type { Connection, Peer, Stream } from '@showchain/client'
import { duration, later } from '@showchain/client/core'
import type { Runtime } from '@showchain/client/runtime'
import { ShowchainError, type Ticket } from '@showchain/wire'
import { BUSY, type OfferRun, type RunEvent, type TakeRun } from '../core/index.ts'
import { failureOf } from './errors.ts'

/** Milliseconds that the last word has to arrive. */
const LAST_WORD = duration(5000)

/** How a mailbox is reached, and what ends the wait. */
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
      const failure = behind(error, connection)
      await connection.close()
      throw failure
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
      throw this.#over.signal.aborted ? this.#over.signal.reason : behind(error, this.#connection)
    } finally {
      timer.cancel()
    }
  }

  /** Sends the last word, waits until the mailbox has it, but not for long, and closes. Never throws. */
  async leave(): Promise<void> {
    const { clock } = this.#runtime
    const timer = clock.schedule(later(clock.now(), LAST_WORD), () =>
      this.#over.abort(new ShowchainError('ERR_TIMEOUT')),
    )
    try {
      for (let event = this.#run.poll(); event !== undefined; event = this.#run.poll())
        if (event.type === 'write') await this.#write(event.bytes)
      await this.#stream.end({ signal: this.#over.signal })
    } catch {
      // Whatever the last word was, the mailbox or the other end learns that this one has gone.
    } finally {
      timer.cancel()
      await this.close()
    }
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

/** A stream that broke does not say why; its connection does. */
function behind(error: unknown, { end }: Connection): unknown {
  if (!(error instanceof ShowchainError) || error.code !== 'ERR_CLOSED' || end === undefined) return error
  const busy = end.by === 'remote' && end.code === BUSY
  return new ShowchainError(busy ? 'ERR_MAILBOX_BUSY' : 'ERR_MAILBOX_FAILED', end.reason, { cause: error })
}

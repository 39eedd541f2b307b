/**
 * The end of a tunnel that serves: each stream of a connection leads to one target, which only this
 * end names. Nothing is reached before the remote peer is authenticated: there is no stream before.
 */
import { setMaxListeners } from 'node:events'
import type { Connection, Stream } from '@showchain/client'
import { nodeRuntime } from '@showchain/client'
import { ANSWER, type Kind, MAX_SERVED, PROTOCOLS, type Reason, TARGET_TIME } from '../core/index.ts'
import { DatagramSender } from './datagram-sender.ts'
import { codeFor, saidBy, TunnelError, targetFailure } from './errors.ts'
import {
  type ByteTarget,
  type LocalSocket,
  noCounts,
  type Target,
  type TunnelCounters,
  type TunnelRuntime,
} from './ports.ts'
import { ServedDatagrams } from './served-datagrams.ts'
import { splice } from './splice.ts'
import { within } from './within.ts'

/** What happened at an end that serves. */
export type ServerEvent =
  | { readonly type: 'opened'; readonly connection: Connection }
  /** A connection was not carried, or was reset; `cause` may say more for the one who runs this end. */
  | { readonly type: 'failed'; readonly connection: Connection; readonly reason: Reason; readonly cause: unknown }
  | { readonly type: 'too-large'; readonly bytes: number; readonly most: number }

/** Of a TunnelServer. */
export interface TunnelServerOptions {
  /** Told of each event. @default nobody */
  readonly onEvent?: ((event: ServerEvent) => void) | undefined
  /** @default nodeRuntime */
  readonly runtime?: TunnelRuntime | undefined
}

/** The end that serves: one target, for each connection that it is given. */
export class TunnelServer implements AsyncDisposable {
  readonly #counters: TunnelCounters = noCounts()
  readonly #target: Target
  readonly #runtime: TunnelRuntime
  readonly #onEvent: (event: ServerEvent) => void
  readonly #datagrams: DatagramSender
  /** Everything that is carried listens to it. */
  readonly #closing = new AbortController()
  /** What is carried, or waits for its target: at most MAX_SERVED. */
  readonly #carried = new Set<Promise<void>>()

  constructor(target: Target, { onEvent = () => {}, runtime = nodeRuntime }: TunnelServerOptions = {}) {
    this.#target = target
    this.#runtime = runtime
    setMaxListeners(0, this.#closing.signal)
    this.#onEvent = onEvent
    this.#datagrams = new DatagramSender(this.#counters, (bytes, most) => onEvent({ type: 'too-large', bytes, most }))
  }

  get counters(): Readonly<TunnelCounters> {
    return this.#counters
  }

  /** Streams that are open at this moment. */
  get open(): number {
    return this.#carried.size
  }

  /**
   * Serves the remote peer of a connection; resolves when that has ended. Streams of PROTOCOLS are
   * the tunnel's from this call on, and datagrams, if it serves those.
   * @throws ShowchainError `ERR_PLAINTEXT_REFUSED`
   */
  async serve(connection: Connection): Promise<void> {
    const datagrams =
      this.#target.kind === 'datagrams'
        ? new ServedDatagrams(connection, this.#target, this.#runtime, this.#datagrams)
        : undefined
    void datagrams?.run()
    await Promise.all((['bytes', 'datagrams'] as const).map((kind) => this.#accept(connection, kind, datagrams)))
  }

  /** Resets what is carried, and refuses what comes. The connections stay open. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#carried)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Until the connection ends. */
  async #accept(connection: Connection, kind: Kind, datagrams: ServedDatagrams | undefined): Promise<void> {
    const next = (): Promise<Stream | undefined> =>
      connection.acceptStream({ protocol: PROTOCOLS[kind] }).catch((error: unknown) => {
        if (connection.end === undefined) throw error
        return undefined
      })
    for (let stream = await next(); stream !== undefined; stream = await next()) {
      const carried = this.#carry(connection, kind, stream, datagrams).finally(() => this.#carried.delete(carried))
      this.#carried.add(carried)
    }
  }

  async #carry(
    connection: Connection,
    kind: Kind,
    stream: Stream,
    datagrams: ServedDatagrams | undefined,
  ): Promise<void> {
    const { signal } = this.#closing
    const end = (): void => refuse(stream, 'closing')
    try {
      if (signal.aborted) throw new TunnelError('closing')
      if (this.#carried.size >= MAX_SERVED) throw new TunnelError('busy')
      if (kind !== this.#target.kind) throw new TunnelError('kind')
      signal.addEventListener('abort', end, { once: true })
      if (this.#target.kind === 'bytes') await this.#bytes(connection, stream, this.#target)
      else await this.#flows(connection, stream, datagrams)
    } catch (error) {
      const reason = error instanceof TunnelError ? error.reason : 'reset'
      refuse(stream, reason)
      this.#counters.failed++
      const { cause } = error as Error
      this.#onEvent({ type: 'failed', connection, reason, cause })
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  async #bytes(connection: Connection, stream: Stream, target: ByteTarget): Promise<void> {
    const socket = await this.#connect(connection, target)
    try {
      await stream.write(ANSWER)
    } catch (error) {
      socket.reset()
      throw saidBy(error)
    }
    this.#opened(connection)
    await splice(socket, stream, { counters: this.#counters, signal: this.#closing.signal })
  }

  /** @throws TunnelError */
  async #connect(connection: Connection, target: ByteTarget): Promise<LocalSocket> {
    const ended = new AbortController()
    const end = (): void => ended.abort()
    const off = connection.on('close', end)
    this.#closing.signal.addEventListener('abort', end, { once: true })
    try {
      return await within(this.#runtime, TARGET_TIME, ended.signal, (signal) => target.connect(signal))
    } catch (error) {
      throw new TunnelError(targetFailure(error), { cause: error })
    } finally {
      off()
      this.#closing.signal.removeEventListener('abort', end)
    }
  }

  async #flows(connection: Connection, stream: Stream, datagrams: ServedDatagrams | undefined): Promise<void> {
    await stream.write(ANSWER)
    this.#opened(connection)
    await datagrams?.during(stream)
    await stream.end()
  }

  #opened(connection: Connection): void {
    this.#counters.opened++
    this.#onEvent({ type: 'opened', connection })
  }
}

function refuse(stream: Stream, reason: Reason): void {
  stream.abort(codeFor(reason))
  stream.cancel(codeFor(reason))
}

/**
 * The end of a tunnel that forwards: what connects to a local socket is carried to the target of the
 * remote peer, one stream for each. A connection that is lost is made again.
 */
import { setMaxListeners } from 'node:events'
import type { Connection, ConnectionEnd } from '@showchain/client'
import { nodeRuntime } from '@showchain/client'
import type { Duration } from '@showchain/client/endpoint'
import { ShowchainError } from '@showchain/wire'
import { MAX_LOCAL, WAITING_TIME } from '../core/index.ts'
import { DatagramSender } from './datagram-sender.ts'
import { ForwardedDatagrams } from './forwarded-datagrams.ts'
import { Link } from './link.ts'
import {
  type ByteSource,
  type Dial,
  type LocalSocket,
  noCounts,
  type Source,
  type TunnelCounters,
  type TunnelRuntime,
} from './ports.ts'
import { splice } from './splice.ts'
import { TunnelStream } from './tunnel-stream.ts'
import { within } from './within.ts'

/** What happened at an end that forwards. */
export type ForwarderEvent =
  /** Connected with the remote peer, also again. */
  | { readonly type: 'linked'; readonly connection: Connection }
  | { readonly type: 'lost'; readonly end: ConnectionEnd }
  /** The next attempt comes after `delay` milliseconds. */
  | { readonly type: 'unreachable'; readonly error: unknown; readonly delay: Duration }
  /** The target has accepted a local connection. */
  | { readonly type: 'opened' }
  /** A local connection was not carried, or was reset. */
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'too-large'; readonly bytes: number; readonly most: number }

/** Of `Forwarder.open`. */
export interface ForwarderOptions {
  /** Told of each event. @default nobody */
  readonly onEvent?: ((event: ForwarderEvent) => void) | undefined
  /** @default nodeRuntime */
  readonly runtime?: TunnelRuntime | undefined
}

/** The end that forwards: what connects to a local socket is carried to the target of the remote peer. */
export class Forwarder implements AsyncDisposable {
  /** Where it listens. */
  readonly local: string
  readonly #source: Source
  readonly #runtime: TunnelRuntime
  readonly #onEvent: (event: ForwarderEvent) => void
  readonly #counters: TunnelCounters = noCounts()
  readonly #link: Link
  /** Everything that is carried listens to it. */
  readonly #closing = new AbortController()
  readonly #datagrams: ForwardedDatagrams | undefined
  /** Whether the remote peer takes datagrams of this connection. */
  #began: Promise<void> | undefined
  /** Those that are carried, or wait: at most MAX_LOCAL. */
  readonly #carried = new Set<Promise<void>>()

  private constructor(source: Source, dial: Dial, { onEvent = () => {}, runtime = nodeRuntime }: ForwarderOptions) {
    this.local = source.local
    this.#source = source
    this.#runtime = runtime
    setMaxListeners(0, this.#closing.signal)
    this.#onEvent = onEvent
    const out = new DatagramSender(this.#counters, (bytes, most) => onEvent({ type: 'too-large', bytes, most }))
    this.#datagrams = source.kind === 'datagrams' ? new ForwardedDatagrams(source, runtime.clock, out) : undefined
    this.#link = new Link(dial, runtime, {
      open: (connection) => {
        onEvent({ type: 'linked', connection })
        this.#began = this.#datagrams?.begin(connection, (error) => this.#failed(error))
        this.#began?.catch((error: unknown) => this.#failed(error))
      },
      lost: (end) => onEvent({ type: 'lost', end }),
      failed: (error, delay) => onEvent({ type: 'unreachable', error, delay }),
    })
  }

  /**
   * Connects, then takes what comes at the source; closes that with itself, and when it fails.
   * @param dial gives a handle of a connection, which is the forwarder's then
   * @throws as the dial does; TunnelError when the remote peer takes no datagrams
   */
  static async open(source: Source, dial: Dial, options: ForwarderOptions = {}): Promise<Forwarder> {
    const forwarder = new Forwarder(source, dial, options)
    try {
      await forwarder.#link.open()
      await forwarder.#began
    } catch (error) {
      await forwarder.close()
      throw error
    }
    if (source.kind === 'bytes') forwarder.#start(source)
    return forwarder
  }

  get counters(): Readonly<TunnelCounters> {
    return this.#counters
  }

  /** Local connections that are carried, or wait. */
  get open(): number {
    return this.#carried.size
  }

  /** Resets what is carried, stops listening, and closes the handle of the connection. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#carried)
    await this.#source.close()
    await this.#link.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #start(source: ByteSource): void {
    source.start((socket) => {
      const carried = this.#carry(socket).finally(() => this.#carried.delete(carried))
      this.#carried.add(carried)
    })
  }

  async #carry(socket: LocalSocket): Promise<void> {
    try {
      if (this.#carried.size >= MAX_LOCAL)
        throw new ShowchainError('ERR_BUSY', `${MAX_LOCAL} local connections are open.`)
      const stream = await within(this.#runtime, WAITING_TIME, this.#closing.signal, (signal) => this.#stream(signal))
      stream.answered().then(
        () => this.#opened(),
        () => {},
      )
      await splice(socket, stream, { counters: this.#counters, signal: this.#closing.signal })
    } catch (error) {
      socket.reset()
      this.#failed(error)
    }
  }

  /** @throws ShowchainError `ERR_ABORTED`: it waited too long, or the forwarder is closed */
  async #stream(signal: AbortSignal): Promise<TunnelStream> {
    for (;;) {
      const connection = await this.#link.connection(signal)
      try {
        return await TunnelStream.open(connection, 'bytes', { signal })
      } catch (error) {
        // Nothing of the local connection was taken: the next connection will do.
        if (connection.end === undefined || signal.aborted) throw error
      }
    }
  }

  #opened(): void {
    this.#counters.opened++
    this.#onEvent({ type: 'opened' })
  }

  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return
    this.#counters.failed++
    this.#onEvent({ type: 'failed', error })
  }
}

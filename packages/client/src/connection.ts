/** A connection to a remote peer: streams and datagrams in both directions, on the current path. */
import { type PeerId, quote, ShowchainError } from '@showchain/wire'
import type { AsyncQueue, QueueReader } from './async/async-queue.ts'
import { type WaitOptions, waitFor } from './async/deadline.ts'
import { Listeners } from './async/listeners.ts'
import { abortedBy, type SignalOptions, signalOf, throwIfAborted } from './async/signals.ts'
import { type Bytes, bytesOf } from './bytes-argument.ts'
import {
  type CloseOptions,
  checkCloseOptions,
  checkOpenStreamOptions,
  checkWaitOptions,
  type OpenStreamOptions,
} from './call-options.ts'
import type { ConnectionPort } from './connection-port.ts'
import type { ConnectionEnd, DialAttempt, Goodbye, Path, SecureStatistics } from './core/index.ts'
import type { Clock } from './runtime/index.ts'
import type { Stream } from './stream.ts'

/** Statistics of a connection and its path. Bytes count records; `rtt` is in milliseconds. */
export interface ConnectionStatistics extends SecureStatistics {
  readonly path: Path
  /** Why the connection took this path. */
  readonly why: string
}

/** The answer to a ping. */
export interface Pong {
  /** Milliseconds there and back. */
  readonly rtt: number
  /** The path that the ping took. */
  readonly path: Path
}

export interface TimelineEntry {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
  /** The way to connect that was tried, and how that ended, where the entry is about one. */
  readonly attempt?: DialAttempt | undefined
}

interface ConnectionEvents {
  /** The connection moved to this path. */
  path: [path: Path, reason: string]
  close: [reason: string, end: ConnectionEnd]
}

/** What all handles of one connection have in common. */
export interface Shared {
  readonly remoteId: PeerId
  readonly protected: boolean
  readonly port: ConnectionPort
  readonly clock: Clock
  readonly datagrams: AsyncQueue<Uint8Array>
  readonly streams: AsyncQueue<Stream>
  /** The current path, and why. */
  readonly path: Path
  readonly why: string
  readonly timeline: readonly TimelineEntry[]
  /** Undefined while the remote peer allows no further stream. */
  tryOpen(owner: Connection, priority: number): Stream | undefined
  /**
   * Calls back when another stream may be opened, and when the connection or a handle has ended.
   * @returns ends the wait
   */
  whenOpenable(look: () => void): () => void
  /** The application took a stream that the remote peer opened. */
  own(stream: Stream, owner: Connection): void
  /** The application closes a handle. What others use goes on. */
  release(handle: Connection, goodbye: Goodbye): void
}

/**
 * Streams carry bytes reliably and in order. Datagrams may be lost: `sendDatagram` sends one, and
 * iterating over the connection receives them, each at most once, in the order of arrival. A
 * plaintext connection has no streams; there the remote peer acknowledges each datagram.
 *
 * Two peers have one connection. Each `connect` to the remote peer gives a handle of it, and so does
 * `incoming` when the remote peer called `connect`. Streams and datagrams that arrive go to the
 * handle that asks for them first.
 */
export class Connection implements AsyncDisposable, AsyncIterable<Uint8Array> {
  readonly remoteId: PeerId
  /** Whether the handle came out of `incoming`: the remote peer called `connect`. */
  readonly incoming: boolean
  /** Whether data is encrypted and authenticated end to end. */
  readonly protected: boolean
  readonly #shared: Shared
  readonly #listeners = new Listeners<ConnectionEvents>('path', 'close')
  readonly #datagrams: QueueReader<Uint8Array>
  readonly #streams: QueueReader<Stream>
  #end: ConnectionEnd | undefined
  #earlyStream: Stream | undefined

  /** @internal Connections come from `peer.connect` and `peer.incoming`. */
  constructor(shared: Shared, incoming: boolean) {
    this.remoteId = shared.remoteId
    this.incoming = incoming
    this.protected = shared.protected
    this.#shared = shared
    this.#datagrams = shared.datagrams.reader(() => shared.port.readDatagram())
    this.#streams = shared.streams.reader((stream) => shared.own(stream, this))
  }

  /** Bytes of the largest datagram that the current path takes. */
  get maxDatagramSize(): number {
    return this.#shared.port.maxDatagramSize
  }

  /** Undefined when the connection has ended or is not protected. */
  get statistics(): ConnectionStatistics | undefined {
    const { port, path, why } = this.#shared
    const found = this.#end === undefined ? port.statistics : undefined
    return found && { ...found, path, why }
  }

  /** Streams that the remote peer opened; ends with the connection. */
  get streams(): AsyncIterableIterator<Stream> {
    return this.#streams
  }

  /**
   * The stream that begins with the `early` bytes of `connect`. Its `early` says whether the remote
   * peer took them before it answered; otherwise they were sent when the connection was open. Undefined:
   * there were none; or they left, and no answer tells whether they arrived. They are not sent again
   * then, since they might arrive twice.
   */
  get earlyStream(): Stream | undefined {
    return this.#earlyStream
  }

  /** The current path. */
  get path(): Path {
    return this.#shared.path
  }

  /** Why the connection or this handle ended; undefined while it is open. */
  get closedBecause(): string | undefined {
    return this.#end?.reason
  }

  /** How the connection or this handle ended; undefined while it is open. */
  get end(): ConnectionEnd | undefined {
    return this.#end
  }

  /** Events of the connection so far, oldest first; at most the last 256. */
  get timeline(): readonly TimelineEntry[] {
    return [...this.#shared.timeline]
  }

  /** @returns a function that removes the listener */
  on<Name extends keyof ConnectionEvents>(name: Name, listener: (...args: ConnectionEvents[Name]) => void): () => void {
    return this.#listeners.on(name, listener)
  }

  /**
   * Opens a stream; the remote peer sees it with its first byte. Waits while the remote peer allows
   * no more (256 at a time).
   * @throws ShowchainError `ERR_PLAINTEXT_REFUSED` (not protected), `ERR_CLOSED`, `ERR_TIMEOUT`,
   *   `ERR_ABORTED`, `ERR_BAD_ARGUMENT`
   */
  async openStream(options: OpenStreamOptions = {}): Promise<Stream> {
    const { priority, ...wait } = checkOpenStreamOptions(options)
    throwIfAborted(wait.signal)
    if (!this.protected) throw new ShowchainError('ERR_PLAINTEXT_REFUSED', 'A plaintext connection has no streams.')
    const now = this.#tryOpen(priority)
    if (now !== undefined) return now
    let leave = (): void => {}
    const opened = waitFor<Stream>(
      this.#shared.clock,
      wait,
      () => {},
      ({ resolve, reject }) => {
        leave = this.#shared.whenOpenable(() => {
          if (this.#end !== undefined) return reject(new ShowchainError('ERR_CLOSED', this.#end.reason))
          const stream = this.#tryOpen(priority)
          if (stream === undefined) return
          leave()
          resolve(stream)
        })
      },
    )
    return opened.finally(() => leave())
  }

  /**
   * Sends one datagram. Resolves when it was sent; in plaintext, when the remote peer acknowledged
   * it. Several calls may be pending.
   *
   * @param bytes 1 to `maxDatagramSize` bytes; not to be changed before the promise settles
   * @param options.signal ends the wait; the datagram may still arrive
   * @throws ShowchainError `ERR_TOO_LARGE`, `ERR_TIMEOUT` (not acknowledged), `ERR_BUSY` (the queue
   *   is full), `ERR_NO_DATA_PATH`, `ERR_CLOSED`, `ERR_ABORTED`, `ERR_BAD_ARGUMENT`
   */
  async sendDatagram(given: Bytes, options?: SignalOptions): Promise<void> {
    const bytes = bytesOf(given)
    const signal = signalOf(options)
    if (bytes.length === 0 || bytes.length > this.maxDatagramSize) {
      throw new ShowchainError(
        'ERR_TOO_LARGE',
        `A datagram has 1 to ${this.maxDatagramSize} bytes, not ${quote(bytes.length)}.`,
      )
    }
    if (this.#end !== undefined) throw new ShowchainError('ERR_CLOSED', this.#end.reason)
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => signal && reject(abortedBy(signal))
      signal?.addEventListener('abort', abort, { once: true })
      this.#shared.port.sendDatagram(bytes, (failure) => {
        signal?.removeEventListener('abort', abort)
        if (failure === undefined) resolve()
        else reject(new ShowchainError(failure.code, failure.why))
      })
    })
  }

  /**
   * Measures a round trip on the current path: one record there, and one back, which data does not
   * delay at this end. A ping that is lost is not sent again. At most 16 are under way; one more
   * takes the place of the oldest.
   *
   * @throws ShowchainError `ERR_TIMEOUT` (lost, or no path), `ERR_PLAINTEXT_REFUSED` (not
   *   protected), `ERR_CLOSED`, `ERR_ABORTED`, `ERR_BAD_ARGUMENT`
   */
  async ping(options: WaitOptions = {}): Promise<Pong> {
    const wait = checkWaitOptions(options)
    throwIfAborted(wait.signal)
    if (!this.protected) throw new ShowchainError('ERR_PLAINTEXT_REFUSED', 'A plaintext connection answers no ping.')
    if (this.#end !== undefined) throw new ShowchainError('ERR_CLOSED', this.#end.reason)
    let leave = (): void => {}
    const pong = waitFor<Pong>(
      this.#shared.clock,
      wait,
      () => {},
      ({ resolve, reject }) => {
        leave = this.on('close', (reason) => reject(new ShowchainError('ERR_CLOSED', reason)))
        this.#shared.port.ping((rtt, path) => resolve({ rtt, path }))
      },
    )
    return pong.finally(() => leave())
  }

  /** Datagrams that arrive; ends with the connection. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#datagrams
  }

  /**
   * Ends the connection, if no other handle of it is in use. Otherwise it ends this handle, and its
   * streams with RESET_STREAM and STOP_SENDING of the code. What is not acknowledged by then may be lost, and fails. A protected
   * connection notifies the remote peer at once. In plaintext, and through a relay that implements
   * only the base protocol, the remote peer notices as with a path that died.
   *
   * @throws ShowchainError `ERR_BAD_ARGUMENT`
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const goodbye = checkCloseOptions(options)
    if (this.#end === undefined) this.#shared.release(this, goodbye)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal @param stream that begins with what was said early */
  begin(stream: Stream | undefined): void {
    this.#earlyStream = stream
  }

  /** @internal */
  moved(path: Path, reason: string): void {
    this.#listeners.emit('path', path, reason)
  }

  /** @internal This handle was closed: what arrives is for the others. */
  released(end: ConnectionEnd): void {
    this.#datagrams.close()
    this.#streams.close()
    this.ended(end)
  }

  /** @internal The connection has ended. */
  ended(end: ConnectionEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#listeners.emit('close', end.reason, end)
  }

  #tryOpen(priority: number): Stream | undefined {
    if (this.#end !== undefined) throw new ShowchainError('ERR_CLOSED', this.#end.reason)
    return this.#shared.tryOpen(this, priority)
  }
}

/** A connection to a remote peer: streams and datagrams in both directions, on the current path. */
import { type PeerId, quote, ShowchainError } from '@showchain/wire'
import type { QueueReader } from './async/async-queue.ts'
import { NEVER, type Waiting, type WaitOptions, waitFor } from './async/deadline.ts'
import { Listeners } from './async/listeners.ts'
import { abortedBy, type SignalOptions, signalOf, throwIfAborted } from './async/signals.ts'
import { type Bytes, bytesOf } from './bytes-argument.ts'
import {
  type AcceptStreamOptions,
  type CloseOptions,
  checkAcceptStreamOptions,
  checkCloseOptions,
  checkOpenStreamOptions,
  checkWaitOptions,
  type OpenStreamOptions,
} from './call-options.ts'
import type { ConnectionStatistics, Pong, TimelineEntry } from './connection-reports.ts'
import type { ConnectionEnd, Path, StreamOpening } from './core/index.ts'
import type { Shared } from './shared.ts'
import type { Stream } from './stream.ts'
import { StreamReaders } from './stream-readers.ts'

interface ConnectionEvents {
  /** The connection moved to this path. */
  path: [path: Path, reason: string]
  close: [reason: string, end: ConnectionEnd]
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
  readonly #shared: Shared<Connection>
  readonly #listeners = new Listeners<ConnectionEvents>('path', 'close')
  readonly #datagrams: QueueReader<Uint8Array>
  readonly #streams: StreamReaders<Connection>
  #end: ConnectionEnd | undefined
  #earlyStream: Stream | undefined
  #closed: Promise<ConnectionEnd> | undefined

  /** @internal Connections come from `peer.connect` and `peer.incoming`. */
  constructor(shared: Shared<Connection>, incoming: boolean) {
    this.remoteId = shared.remoteId
    this.incoming = incoming
    this.protected = shared.protected
    this.#shared = shared
    this.#datagrams = shared.datagrams.reader(() => shared.port.readDatagram())
    this.#streams = new StreamReaders(shared, this)
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

  /**
   * Streams that the remote peer opened, but for those of protocols of which `protocols` of the peer
   * or a call of `acceptStream` says that they are taken by name; ends with the connection.
   */
  get streams(): AsyncIterableIterator<Stream> {
    return this.#streams.of(undefined)
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

  /** Resolves with how the connection or this handle ended, when it has; never rejects. */
  get closed(): Promise<ConnectionEnd> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#end === undefined) this.on('close', (_reason, end) => resolve(end))
      else resolve(this.#end)
    })
    return this.#closed
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
   * Opens a stream; the remote peer sees it with its first byte, or at once if it has a protocol.
   * Waits while the remote peer allows no more (256 at a time). A protocol that the remote peer does
   * not take shows at the first `read`, `write` or `end`: `ERR_UNKNOWN_PROTOCOL`.
   * @throws ShowchainError `ERR_UNKNOWN_PROTOCOL` (the remote peer is of a version that knows none),
   *   `ERR_PLAINTEXT_REFUSED` (not protected), `ERR_CLOSED`, `ERR_TIMEOUT`, `ERR_ABORTED`,
   *   `ERR_BAD_ARGUMENT`
   */
  async openStream(options: OpenStreamOptions = {}): Promise<Stream> {
    const { priority, protocol, ...wait } = checkOpenStreamOptions(options)
    throwIfAborted(wait.signal)
    this.#wantStreams()
    const now = this.#tryOpen({ priority, protocol })
    if (now !== undefined) return now
    return await this.#wait<Stream>(wait, ({ resolve, reject }) => {
      const leave = this.#shared.whenOpenable(() => {
        if (this.#end !== undefined) return reject(new ShowchainError('ERR_CLOSED', this.#end.reason))
        const stream = this.#tryOpen({ priority, protocol })
        if (stream === undefined) return
        leave()
        resolve(stream)
      })
      return leave
    })
  }

  /**
   * The next stream that the remote peer opened with a protocol; without one, the next of `streams`.
   * From the first call on, streams of that protocol come out here alone.
   * @throws ShowchainError `ERR_PLAINTEXT_REFUSED` (not protected), `ERR_CLOSED` (and all that came
   *   before is taken), `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_BAD_ARGUMENT`
   */
  async acceptStream(options: AcceptStreamOptions = {}): Promise<Stream> {
    const { protocol, signal, timeout = NEVER } = checkAcceptStreamOptions(options)
    throwIfAborted(signal)
    this.#wantStreams()
    let giveUp = (): void => {}
    let late = false
    const end = (): void => {
      late = true
      giveUp()
    }
    return waitFor<Stream>(this.#shared.clock, { signal, timeout }, end, ({ resolve, reject }) => {
      giveUp = this.#streams.of(protocol).read((stream) => {
        if (stream !== undefined) resolve(stream)
        else if (!late) reject(new ShowchainError('ERR_CLOSED', this.closedBecause))
      })
    })
  }

  /**
   * Sends one datagram. Resolves when it was sent; in plaintext, when the remote peer acknowledged
   * it. Several calls may be pending.
   *
   * @param given 1 to `maxDatagramSize` bytes; not to be changed before the promise settles
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
    return await this.#wait<Pong>(wait, ({ resolve, reject }) => {
      this.#shared.port.ping((rtt, path) => resolve({ rtt, path }))
      return this.on('close', (reason) => reject(new ShowchainError('ERR_CLOSED', reason)))
    })
  }

  /** Datagrams that arrive; ends with the connection. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#datagrams
  }

  /**
   * Ends the connection, if no other handle of it is in use. Otherwise it ends this handle, and its
   * streams with RESET_STREAM and STOP_SENDING of the code. What is not acknowledged by then may be lost,
   * and fails. A protected connection notifies the remote peer at once. In plaintext, and through a relay that implements
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
    this.ended(end)
    this.#datagrams.close()
    this.#streams.close()
  }

  /** @internal The connection has ended. */
  ended(end: ConnectionEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#listeners.emit('close', end.reason, end)
  }

  /** @param start returns what ends the wait */
  #wait<Result>(options: WaitOptions, start: (waiting: Waiting<Result>) => () => void): Promise<Result> {
    let leave = (): void => {}
    const waiting = waitFor<Result>(
      this.#shared.clock,
      options,
      () => {},
      (each) => {
        leave = start(each)
      },
    )
    return waiting.finally(() => leave())
  }

  #wantStreams(): void {
    if (!this.protected) throw new ShowchainError('ERR_PLAINTEXT_REFUSED', 'A plaintext connection has no streams.')
  }

  #tryOpen(how: StreamOpening): Stream | undefined {
    if (this.#end !== undefined) throw new ShowchainError('ERR_CLOSED', this.#end.reason)
    const stream = this.#shared.tryOpen(this, how)
    if (stream === 'no names')
      throw new ShowchainError('ERR_UNKNOWN_PROTOCOL', 'Its version knows no protocols of streams.')
    return stream
  }
}

/** A connection to a remote peer: streams and datagrams in both directions, on the current path. */
import { type PeerId, quote, ShowchainError } from '@showchain/wire'
import { AsyncQueue } from './async/async-queue.ts'
import { type WaitOptions, waitFor } from './async/deadline.ts'
import { Listeners } from './async/listeners.ts'
import { type Bytes, bytesOf } from './bytes-argument.ts'
import { type CloseOptions, checkCloseOptions } from './close-options.ts'
import type { ConnectionPort } from './connection-port.ts'
import type { ConnectionEnd, Path, SecureStatistics, StreamChange, UnreadStream } from './core/index.ts'
import type { Clock } from './runtime/index.ts'
import { Stream } from './stream.ts'

/** Lines of its timeline that a connection keeps. */
export const MAX_TIMELINE = 256

/** Statistics of a connection and its path. Bytes count records; `rtt` is in milliseconds. */
export interface ConnectionStatistics extends SecureStatistics {
  readonly path: Path
  /** Why the connection took this path. */
  readonly why: string
}

export interface TimelineEntry {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
}

/** Properties of a connection when it opens. */
export interface ConnectionTraits {
  readonly remoteId: PeerId
  readonly incoming: boolean
  readonly path: Path
  readonly plaintext: boolean
  readonly timeline: readonly TimelineEntry[]
}

interface ConnectionEvents {
  /** The connection moved to this path. */
  path: [path: Path, reason: string]
  close: [reason: string, end: ConnectionEnd]
}

/** Unread datagrams of a protected connection; further ones are dropped. */
const MAX_UNREAD_DATAGRAMS = 1024

export interface OpenStreamOptions extends WaitOptions {
  /** Data of streams with a lower number is sent first. @default 0 */
  readonly priority?: number | undefined
}

/**
 * Streams carry bytes reliably and in order. Datagrams may be lost: `sendDatagram` sends one, and
 * iterating over the connection receives them, each at most once, in the order of arrival. A
 * plaintext connection has no streams; there the remote peer acknowledges each datagram.
 */
export class Connection implements AsyncDisposable, AsyncIterable<Uint8Array> {
  readonly remoteId: PeerId
  /** Whether the remote peer opened the connection. */
  readonly incoming: boolean
  /** Whether data is encrypted and authenticated end to end. */
  readonly protected: boolean
  readonly #port: ConnectionPort
  readonly #clock: Clock
  readonly #listeners = new Listeners<ConnectionEvents>()
  readonly #datagrams: AsyncQueue<Uint8Array>
  /** By id, until both halves are finished; bounded by the transport's stream limits. */
  readonly #open = new Map<number, Stream>()
  readonly #incomingStreams = new AsyncQueue<Stream>()
  /** Calls of `openStream` that wait for MAX_STREAMS, in order. */
  #openers: (() => void)[] = []
  readonly #timeline: TimelineEntry[]
  #path: Path
  #why = 'initial path'
  #closed: ConnectionEnd | undefined

  /** @internal Connections come from `peer.connect` and `peer.incoming`. */
  constructor({ remoteId, incoming, path, plaintext, timeline }: ConnectionTraits, port: ConnectionPort, clock: Clock) {
    this.remoteId = remoteId
    this.incoming = incoming
    this.protected = !plaintext
    this.#port = port
    this.#clock = clock
    this.#path = path
    this.#timeline = [...timeline]
    this.#datagrams = new AsyncQueue(() => port.readDatagram())
  }

  /** Bytes of the largest datagram that the current path takes. */
  get maxDatagramSize(): number {
    return this.#port.maxDatagramSize
  }

  /** Undefined when the connection has ended or is not protected. */
  get statistics(): ConnectionStatistics | undefined {
    const found = this.#port.statistics
    return found && { ...found, path: this.#path, why: this.#why }
  }

  /** Streams that the remote peer opened; ends with the connection. */
  get streams(): AsyncIterableIterator<Stream> {
    return this.#incomingStreams
  }

  /** The current path. */
  get path(): Path {
    return this.#path
  }

  /** Why the connection ended; undefined while it is open. */
  get closedBecause(): string | undefined {
    return this.#closed?.reason
  }

  /** How the connection ended; undefined while it is open. */
  get end(): ConnectionEnd | undefined {
    return this.#closed
  }

  /** Events of the connection so far, oldest first; at most the last 256. */
  get timeline(): readonly TimelineEntry[] {
    return [...this.#timeline]
  }

  /** @returns a function that removes the listener */
  on<Name extends keyof ConnectionEvents>(name: Name, listener: (...args: ConnectionEvents[Name]) => void): () => void {
    return this.#listeners.on(name, listener)
  }

  /**
   * Opens a stream; the remote peer sees it with its first byte. Waits while the remote peer allows
   * no more (256 at a time).
   * @throws ShowchainError `ERR_PLAINTEXT_REFUSED` (not protected), `ERR_CLOSED`, `ERR_TIMEOUT`,
   *   `ERR_ABORTED`
   */
  async openStream({ priority = 0, ...wait }: OpenStreamOptions = {}): Promise<Stream> {
    if (!this.protected) throw new ShowchainError('ERR_PLAINTEXT_REFUSED', 'A plaintext connection has no streams.')
    if (wait.signal?.aborted) throw new ShowchainError('ERR_ABORTED', undefined, { cause: wait.signal.reason })
    const now = this.#tryOpen(priority)
    if (now !== undefined) return now
    let look = (): void => {}
    const opened = waitFor<Stream>(
      this.#clock,
      wait,
      () => {},
      ({ resolve, reject }) => {
        look = () => {
          if (this.#closed !== undefined) return reject(new ShowchainError('ERR_CLOSED', this.#closed.reason))
          const stream = this.#tryOpen(priority)
          if (stream !== undefined) resolve(stream)
          else this.#openers.push(look)
        }
        this.#openers.push(look)
      },
    )
    return opened.finally(() => {
      this.#openers = this.#openers.filter((each) => each !== look)
    })
  }

  /**
   * Sends one datagram. Resolves when it was sent; in plaintext, when the remote peer acknowledged
   * it. Several calls may be pending.
   *
   * @param bytes 1 to `maxDatagramSize` bytes; not to be changed before the promise settles
   * @param options.signal ends the wait; the datagram may still arrive
   * @throws ShowchainError `ERR_TOO_LARGE`, `ERR_TIMEOUT` (not acknowledged), `ERR_BUSY` (the queue
   *   is
   *   full), `ERR_NO_DATA_PATH`, `ERR_CLOSED`, `ERR_ABORTED`
   */
  async sendDatagram(given: Bytes, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = options
    const bytes = bytesOf(given)
    if (bytes.length === 0 || bytes.length > this.maxDatagramSize) {
      throw new ShowchainError(
        'ERR_TOO_LARGE',
        `A datagram has 1 to ${this.maxDatagramSize} bytes, not ${quote(bytes.length)}.`,
      )
    }
    if (signal?.aborted) throw new ShowchainError('ERR_ABORTED', undefined, { cause: signal.reason })
    if (this.#closed !== undefined) throw new ShowchainError('ERR_CLOSED', this.#closed.reason)
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(new ShowchainError('ERR_ABORTED', undefined, { cause: signal?.reason }))
      signal?.addEventListener('abort', abort, { once: true })
      this.#port.sendDatagram(bytes, (failure) => {
        signal?.removeEventListener('abort', abort)
        if (failure === undefined) resolve()
        else reject(new ShowchainError(failure.code, failure.why))
      })
    })
  }

  /** Datagrams that arrive; ends with the connection. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#datagrams
  }

  /**
   * Ends the connection. What is not acknowledged by then may be lost, and fails. A protected
   * connection notifies the remote peer at once. In plaintext, and through a relay that implements
   * only the base protocol, the remote peer notices as with a path that died.
   *
   * @throws ShowchainError `ERR_BAD_CONFIG`
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const goodbye = checkCloseOptions(options)
    if (this.#closed === undefined) this.#port.close(goodbye)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  receive(bytes: Uint8Array): void {
    if (!this.protected || this.#datagrams.size < MAX_UNREAD_DATAGRAMS) this.#datagrams.push(bytes)
  }

  /** @internal */
  onStream(id: number, what: StreamChange): void {
    if (what === 'opened') this.#incomingStreams.push(this.#add(id))
    else this.#open.get(id)?.on(what)
    if (what === 'finished') this.#forget(id)
  }

  /** @internal */
  onStopped(id: number, code: number): void {
    this.#open.get(id)?.stopped(code)
  }

  /** @internal MAX_STREAMS came. */
  onOpenable(): void {
    for (const look of this.#openers.splice(0)) look()
  }

  /** @internal */
  moved(path: Path, reason: string): void {
    this.#path = path
    this.#why = reason
    this.#listeners.emit('path', path, reason)
  }

  /** @internal */
  note(entry: TimelineEntry): void {
    this.#timeline.push(entry)
    if (this.#timeline.length > MAX_TIMELINE) this.#timeline.shift()
  }

  /** @internal @param unread data that arrived and was not read */
  ended(end: ConnectionEnd, unread: readonly UnreadStream[]): void {
    if (this.#closed !== undefined) return
    const { reason } = end
    this.#closed = end
    this.#datagrams.end()
    this.#incomingStreams.end()
    const rest = new Map(unread.map(({ stream, reads }) => [stream, reads]))
    for (const stream of this.#open.values()) stream.closed(reason, rest.get(stream.id) ?? [])
    this.#open.clear()
    this.onOpenable()
    this.#listeners.emit('close', reason, end)
  }

  #tryOpen(priority: number): Stream | undefined {
    if (this.#closed !== undefined) throw new ShowchainError('ERR_CLOSED', this.#closed.reason)
    const id = this.#port.openStream(priority)
    return id === undefined ? undefined : this.#add(id)
  }

  /** Both halves may be over. */
  #forget(id: number): void {
    if (!this.#port.hasStream(id)) this.#open.delete(id)
  }

  #add(id: number): Stream {
    const port = this.#port
    const stream = new Stream({
      id,
      read: (most) => {
        const found = port.readStream(id, most)
        if (found !== undefined && found.type !== 'data') this.#forget(id)
        return found
      },
      write: (bytes) => port.writeStream(id, bytes),
      end: () => port.endStream(id),
      reset: (code) => port.resetStream(id, code),
      stop: (code) => {
        port.stopStream(id, code)
        this.#forget(id)
      },
    })
    this.#open.set(id, stream)
    return stream
  }
}

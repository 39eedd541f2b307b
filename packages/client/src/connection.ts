/**
 * One connection to another peer: streams and datagrams in both directions, on the best path of the
 * moment.
 */
import { type PeerId, quote, ShowchainError } from '@showchain/wire'
import { AsyncQueue } from './async/async-queue.ts'
import { type WaitOptions, waitFor } from './async/deadline.ts'
import { Listeners } from './async/listeners.ts'
import type { ConnectionPort } from './connection-port.ts'
import type { Path, SecureStatistics, StreamChange, UnreadStream } from './core/index.ts'
import type { Clock } from './runtime/index.ts'
import { Stream } from './stream.ts'

/** Lines of its timeline that a connection keeps. */
export const MAX_TIMELINE = 256

/**
 * What is known of a connection and its path. Bytes are those of records; `rtt` in milliseconds.
 */
export interface ConnectionStatistics extends SecureStatistics {
  readonly path: Path
  /** Why it is on this path. */
  readonly why: string
}

export interface TimelineEntry {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
}

/** What a connection is from its first moment on. */
export interface ConnectionTraits {
  readonly remoteId: PeerId
  readonly incoming: boolean
  readonly path: Path
  readonly plaintext: boolean
  readonly timeline: readonly TimelineEntry[]
}

interface ConnectionEvents {
  /** Messages take another path from now on. */
  path: [path: Path, reason: string]
  close: [reason: string]
}

/**
 * Datagrams of a protected connection that wait for their reader; later ones are lost, as any may
 * be.
 */
const MAX_UNREAD_DATAGRAMS = 1024

export interface OpenStreamOptions extends WaitOptions {
  /** Streams with a lower number are sent first. @default 0 */
  readonly priority?: number | undefined
}

/**
 * Streams carry bytes reliably and in order; `sendDatagram` is for datagrams, which may be lost.
 * Iterate over it for datagrams that come in: each at most once, in the order of arrival. Where
 * data is readable (`plaintext`) there are no streams, and `sendDatagram` is acknowledged.
 */
export class Connection implements AsyncDisposable, AsyncIterable<Uint8Array> {
  readonly remoteId: PeerId
  /** Whether the other end connected to us. */
  readonly incoming: boolean
  /** Whether data is protected end to end: relays can neither read nor alter it. */
  readonly protected: boolean
  readonly #port: ConnectionPort
  readonly #clock: Clock
  readonly #listeners = new Listeners<ConnectionEvents>()
  readonly #datagrams: AsyncQueue<Uint8Array>
  /** By id, until both halves are over; as many as the transport has. */
  readonly #open = new Map<number, Stream>()
  readonly #incomingStreams = new AsyncQueue<Stream>()
  /** Who waits for the other end to allow another stream. */
  #openers: (() => void)[] = []
  readonly #timeline: TimelineEntry[]
  #path: Path
  #why = 'initial path'
  #closed: string | undefined

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

  /** Bytes that one datagram may have on the current path, at most. */
  get maxDatagramSize(): number {
    return this.#port.maxDatagramSize
  }

  /**
   * Round trip, loss, rate and bytes by path; undefined when the connection has ended or is not
   * protected.
   */
  get statistics(): ConnectionStatistics | undefined {
    const found = this.#port.statistics
    return found && { ...found, path: this.#path, why: this.#why }
  }

  /** Streams that the other end opened; ends with the connection. */
  get streams(): AsyncIterableIterator<Stream> {
    return this.#incomingStreams
  }

  /** How messages travel at the moment. */
  get path(): Path {
    return this.#path
  }

  /** Why the connection ended; undefined while it is open. */
  get closedBecause(): string | undefined {
    return this.#closed
  }

  /** What happened to the connection so far, oldest first; at most the last 256 lines. */
  get timeline(): readonly TimelineEntry[] {
    return [...this.#timeline]
  }

  on<Name extends keyof ConnectionEvents>(name: Name, listener: (...args: ConnectionEvents[Name]) => void): () => void {
    return this.#listeners.on(name, listener)
  }

  /**
   * Opens a stream; the other end sees it with its first byte. Waits while the other end allows no
   * more (256 at a time).
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
          if (this.#closed !== undefined) return reject(new ShowchainError('ERR_CLOSED', this.#closed))
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
   * Sends one datagram; resolves when it left, and the other end may or may not get it. In
   * plaintext resolves when the other end acknowledged it. Several may be under way.
   *
   * @param bytes 1 to `maxDatagramSize` bytes; not to be changed before the promise settles.
   * @param options.signal stops the waiting; the message may still arrive.
   * @throws ShowchainError `ERR_TOO_LARGE`, `ERR_TIMEOUT` (not acknowledged),
   *   `ERR_BUSY` (too many wait), `ERR_NO_DATA_PATH`, `ERR_CLOSED`, `ERR_ABORTED`.
   */
  async sendDatagram(bytes: Uint8Array, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = options
    if (bytes.length === 0 || bytes.length > this.maxDatagramSize) {
      throw new ShowchainError(
        'ERR_TOO_LARGE',
        `A datagram has 1 to ${this.maxDatagramSize} bytes, not ${quote(bytes.length)}.`,
      )
    }
    if (signal?.aborted) throw new ShowchainError('ERR_ABORTED', undefined, { cause: signal.reason })
    if (this.#closed !== undefined) throw new ShowchainError('ERR_CLOSED', this.#closed)
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

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#datagrams
  }

  /**
   * Ends the connection. What is not acknowledged by then may be lost, and fails. A protected
   * connection notifies the remote peer at once. In plaintext, and through a relay that implements
   * only the base protocol, the remote peer notices as with a path that died.
   */
  async close(): Promise<void> {
    if (this.#closed === undefined) this.#port.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  receive(bytes: Uint8Array): void {
    if (!this.protected || this.#datagrams.size < MAX_UNREAD_DATAGRAMS) this.#datagrams.push(bytes)
  }

  /** @internal Something happened to a stream. */
  onStream(id: number, what: StreamChange): void {
    if (what === 'opened') this.#incomingStreams.push(this.#add(id))
    else this.#open.get(id)?.on(what)
    if (what === 'finished') this.#forget(id)
  }

  /** @internal */
  onStopped(id: number, code: number): void {
    this.#open.get(id)?.stopped(code)
  }

  /** @internal The other end allows more streams. */
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

  /** @internal @param unread what came and was not read yet */
  ended(reason: string, unread: readonly UnreadStream[]): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#datagrams.end()
    this.#incomingStreams.end()
    const rest = new Map(unread.map(({ stream, reads }) => [stream, reads]))
    for (const stream of this.#open.values()) stream.closed(reason, rest.get(stream.id) ?? [])
    this.#open.clear()
    this.onOpenable()
    this.#listeners.emit('close', reason)
  }

  #tryOpen(priority: number): Stream | undefined {
    if (this.#closed !== undefined) throw new ShowchainError('ERR_CLOSED', this.#closed)
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

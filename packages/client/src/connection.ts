/** One connection to another peer: messages both ways, on whichever path is best at the moment. */
import { type PeerId, ShowchainError } from '@showchain/wire'
import type { Path, SendFailure } from './core/index.ts'
import { Listeners } from './listeners.ts'
import { Mailbox } from './mailbox.ts'

/** Lines of its story that a connection keeps. */
const MAX_TIMELINE = 256

export interface TimelineEntry {
  /** Unix milliseconds. */
  readonly at: number
  readonly what: string
}

/** What a connection asks of its peer. */
export interface ConnectionPort {
  readonly remoteId: PeerId
  readonly incoming: boolean
  readonly path: Path
  readonly maxMessage: number
  readonly plaintext: boolean
  readonly timeline: readonly TimelineEntry[]
  send(bytes: Uint8Array, done: (failure: SendFailure) => void): void
  read(): void
  close(): void
}

interface ConnectionEvents {
  /** Messages take another path from now on. */
  path: [path: Path, reason: string]
  close: [reason: string]
}

/**
 * Iterate over it for what comes in: each message once, in the order of arrival, which may not be the
 * order of sending.
 */
export class Connection implements AsyncDisposable, AsyncIterable<Uint8Array> {
  readonly remoteId: PeerId
  /** Whether the other end connected to us. */
  readonly incoming: boolean
  /** Bytes that one message may have, at most. */
  readonly maxMessage: number
  readonly #port: ConnectionPort
  readonly #listeners = new Listeners<ConnectionEvents>()
  readonly #messages: Mailbox<Uint8Array>
  readonly #timeline: TimelineEntry[]
  #path: Path
  #closed: string | undefined

  /** @internal Connections come from `peer.connect` and `peer.incoming`. */
  constructor(port: ConnectionPort) {
    this.#port = port
    this.remoteId = port.remoteId
    this.incoming = port.incoming
    this.maxMessage = port.maxMessage
    this.#path = port.path
    this.#timeline = [...port.timeline]
    this.#messages = new Mailbox(() => port.read())
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
   * Sends one message; resolves when the other end acknowledged it. Several may be under way.
   *
   * @param bytes 1 to `maxMessage` bytes; not to be changed before the promise settles.
   * @param options.signal stops the waiting; the message may still arrive.
   * @throws ShowchainError `ERR_PLAINTEXT_REFUSED`, `ERR_TOO_LARGE`, `ERR_TIMEOUT` (not acknowledged),
   *   `ERR_BUSY` (too many wait), `ERR_NO_DATA_PATH`, `ERR_CLOSED`, `ERR_ABORTED`.
   */
  async send(bytes: Uint8Array, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = options
    if (!this.#port.plaintext) throw new ShowchainError('ERR_PLAINTEXT_REFUSED', 'Open the peer with plaintext: true.')
    if (bytes.length === 0 || bytes.length > this.maxMessage) {
      throw new ShowchainError('ERR_TOO_LARGE', `A message has 1 to ${this.maxMessage} bytes, not ${bytes.length}.`)
    }
    if (signal?.aborted) throw new ShowchainError('ERR_ABORTED', undefined, { cause: signal.reason })
    if (this.#closed !== undefined) throw new ShowchainError('ERR_CLOSED', this.#closed)
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(new ShowchainError('ERR_ABORTED', undefined, { cause: signal?.reason }))
      signal?.addEventListener('abort', abort, { once: true })
      this.#port.send(bytes, (failure) => {
        signal?.removeEventListener('abort', abort)
        if (failure === undefined) resolve()
        else reject(new ShowchainError(failure.code, failure.why))
      })
    })
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#messages
  }

  /** Ends the connection on this side; messages that are not acknowledged fail. The other end notices when it sends. */
  async close(): Promise<void> {
    if (this.#closed === undefined) this.#port.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  receive(bytes: Uint8Array): void {
    this.#messages.push(bytes)
  }

  /** @internal */
  moved(path: Path, reason: string): void {
    this.#path = path
    this.#listeners.emit('path', path, reason)
  }

  /** @internal */
  note(entry: TimelineEntry): void {
    this.#timeline.push(entry)
    if (this.#timeline.length > MAX_TIMELINE) this.#timeline.shift()
  }

  /** @internal */
  ended(reason: string): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#messages.end()
    this.#listeners.emit('close', reason)
  }
}

/** A bidirectional stream of a connection: reliable, in order; by plain calls or as Web streams. */
import { ShowchainError } from '@showchain/wire'
import { MAX_STREAM_CODE, STREAM_CODE } from '@showchain/wire/end-to-end'
import { Change } from './async/change.ts'
import { type SignalOptions, signalOf } from './async/signals.ts'
import { type Bytes, bytesOf } from './bytes-argument.ts'
import { READ_PIECE, type StreamRead } from './core/index.ts'

/** Code of a RESET_STREAM or STOP_SENDING for which the application gave none. */
const NO_CODE = 0

/** The operations of a connection that a stream uses. */
export interface StreamPort {
  readonly id: number
  readonly early: boolean
  readonly protocol: string | undefined
  /** @param most bytes of a piece, about */
  read(most: number): StreamRead | undefined
  /** False: the send buffer is full, until `on('writable')`. */
  write(bytes: Uint8Array): boolean
  end(): void
  reset(code: number): void
  stop(code: number): void
  /** Both halves are over: the stream waits for nothing more. */
  over(): void
}

/** The `cause` of `ERR_STREAM_RESET`, and a reason that `cancel` and `abort` take. */
export interface StreamReset {
  /** An application's code, 0 to 2^32 − 1. */
  readonly streamCode: number
}

function codeOf(reason: unknown): number {
  const code = typeof reason === 'object' && reason !== null && 'streamCode' in reason ? reason.streamCode : undefined
  return typeof code === 'number' && Number.isInteger(code) && code >= 0 && code <= MAX_STREAM_CODE ? code : NO_CODE
}

/** As the Streams standard has it; the types of Node.js lack it. */
interface WithSignal extends WritableStreamDefaultController {
  readonly signal: AbortSignal
}

/** How a stream ended. */
export interface StreamEnd {
  /**
   * Undefined: the remote peer acknowledged all that was written, and all that it sent was read, to the
   * end of both. Otherwise what ended a half before, which may be this end's own `abort` or `cancel`.
   */
  readonly error: ShowchainError | undefined
}

/** One stream; both halves end on their own. */
export class Stream {
  /** Equal at both ends. */
  readonly id: number
  /**
   * Whether the stream begins with bytes that came before the dialler had an answer: only here, and
   * once, but without forward secrecy until this peer renews its key, and up to a minute late.
   */
  readonly early: boolean
  /** The name that its opener gave; undefined: none. Printable ASCII without spaces. */
  readonly protocol: string | undefined
  readonly #port: StreamPort
  readonly #readable = new Change()
  readonly #writable = new Change()
  #writeBlocked = false
  #finished = false
  /** `end` was called. */
  #ending = false
  #readFailure: ShowchainError | undefined
  #closed: ShowchainError | undefined
  #ended = false
  /** Unread data of a connection that has ended. */
  #rest: StreamRead[] = []
  #writeFailure: ShowchainError | undefined
  #readableStream: ReadableStream<Uint8Array> | undefined
  #writableStream: WritableStream<Uint8Array> | undefined
  #end: StreamEnd | undefined
  #whenEnded: Promise<StreamEnd> | undefined
  #tellEnd: (end: StreamEnd) => void = () => {}

  /** @internal Streams come from `connection.openStream` and `connection.streams`. */
  constructor(port: StreamPort) {
    this.#port = port
    this.id = port.id
    this.early = port.early
    this.protocol = port.protocol
  }

  /** Cancelling it sends STOP_SENDING; the reason may be `{ streamCode }`. */
  get readable(): ReadableStream<Uint8Array> {
    this.#readableStream ??= new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const bytes = await this.read()
          if (bytes === undefined) controller.close()
          else controller.enqueue(bytes)
        },
        cancel: (reason) => this.cancel(reason),
      },
      { highWaterMark: 0 },
    )
    return this.#readableStream
  }

  /**
   * A chunk must not be changed after it was written. Closing it resolves when the remote peer has
   * acknowledged everything. Aborting it sends RESET_STREAM; the reason may be `{ streamCode }`.
   *
   * `pipeTo(writable, { signal })` first waits for the write under way, as the Streams standard has
   * it, so perhaps for the remote peer. `abort()` ends that wait.
   */
  get writable(): WritableStream<Uint8Array> {
    this.#writableStream ??= new WritableStream<Uint8Array>({
      // An abort must not wait for a write that waits for the remote peer.
      start: (controller) => {
        const { signal } = controller as WithSignal
        signal.addEventListener('abort', () => this.abort(signal.reason), { once: true })
      },
      write: (chunk) => this.write(chunk),
      close: () => this.end(),
      abort: (reason) => this.abort(reason),
    })
    return this.#writableStream
  }

  /**
   * The next data; undefined at the end of the stream.
   * @param options.signal ends the wait; what comes is there for the next call
   * @throws ShowchainError `ERR_STREAM_RESET`, `ERR_UNKNOWN_PROTOCOL`, `ERR_CLOSED` (also after
   *   `cancel`), `ERR_ABORTED`, `ERR_BAD_ARGUMENT`
   */
  async read(options?: SignalOptions): Promise<Uint8Array | undefined> {
    const signal = signalOf(options)
    while (!this.#ended) {
      if (this.#readFailure !== undefined) throw this.#readFailure
      const found = this.#closed === undefined ? this.#port.read(READ_PIECE) : this.#rest.shift()
      if (found?.type === 'data') return found.bytes
      if (found === undefined) {
        if (this.#closed !== undefined) throw this.#closed
        await this.#readable.wait(signal)
      } else {
        if (found.type === 'end') this.#ended = true
        else this.#readFailure = this.#resetError(found.code)
        this.#halfOver()
      }
    }
    return undefined
  }

  /**
   * Resolves when the send buffer takes more.
   * @param bytes not to be changed afterwards; of a view, the bytes that it covers
   * @param options.signal ends the wait; the bytes are sent all the same, unless it was aborted
   *   before the call
   * @throws ShowchainError `ERR_STREAM_RESET` (the remote peer sent STOP_SENDING),
   *   `ERR_UNKNOWN_PROTOCOL`, `ERR_CLOSED` (also after `end` and `abort`), `ERR_ABORTED`,
   *   `ERR_BAD_ARGUMENT`; the stream goes on after the last two
   */
  async write(bytes: Bytes, options?: SignalOptions): Promise<void> {
    const data = bytesOf(bytes)
    const signal = signalOf(options)
    if (this.#writeFailure !== undefined) throw this.#writeFailure
    if (this.#ending) throw new ShowchainError('ERR_CLOSED', 'Writing has ended.')
    this.#writeBlocked = !this.#port.write(data)
    while (this.#writeBlocked) {
      await this.#writable.wait(signal)
      if (this.#writeFailure !== undefined) throw this.#writeFailure
    }
  }

  /**
   * Ends the writing half; resolves when the remote peer has acknowledged everything.
   * @param options.signal ends the wait; the half ends all the same, unless it was aborted before
   *   the call
   * @throws ShowchainError as `write`
   */
  async end(options?: SignalOptions): Promise<void> {
    const signal = signalOf(options)
    if (this.#writeFailure !== undefined) throw this.#writeFailure
    this.#ending = true
    this.#port.end()
    while (!this.#finished) {
      await this.#writable.wait(signal)
      if (this.#writeFailure !== undefined) throw this.#writeFailure
    }
  }

  /**
   * Abandons writing: sends RESET_STREAM. Writes and ends that wait fail.
   * @param reason `{ streamCode }`; otherwise the code is 0
   */
  abort(reason?: unknown): void {
    this.#port.reset(codeOf(reason))
    if (!this.#finished) this.#writeFailure ??= new ShowchainError('ERR_CLOSED', 'Writing was abandoned.')
    this.#halfOver()
    this.#writable.happened()
  }

  /**
   * Abandons reading: sends STOP_SENDING. A read that waits fails.
   * @param reason `{ streamCode }`; otherwise the code is 0
   */
  cancel(reason?: unknown): void {
    this.#port.stop(codeOf(reason))
    if (!this.#ended) this.#readFailure ??= new ShowchainError('ERR_CLOSED', 'Reading was abandoned.')
    this.#halfOver()
    this.#readable.happened()
  }

  /**
   * Resolves with how it ended, when both halves are over or the connection is; never rejects. The
   * reading half is over when its end was read, or it was cancelled or reset.
   */
  get closed(): Promise<StreamEnd> {
    this.#whenEnded ??= new Promise((resolve) => {
      if (this.#end === undefined) this.#tellEnd = resolve
      else resolve(this.#end)
    })
    return this.#whenEnded
  }

  /** @internal */
  on(what: 'readable' | 'writable' | 'finished'): void {
    if (what === 'readable') return this.#readable.happened()
    this.#writeBlocked = false
    if (what === 'finished') {
      this.#finished = true
      this.#halfOver()
    }
    this.#writable.happened()
  }

  /** @internal STOP_SENDING came. */
  stopped(code: number): void {
    this.#writeFailure ??= this.#resetError(code)
    this.#halfOver()
    this.#writable.happened()
  }

  /**
   * @internal The connection has ended.
   * @param rest data that arrived and was not read, and the stream's end if it arrived
   */
  connectionEnded(why: string, rest: readonly StreamRead[]): void {
    const failure = new ShowchainError('ERR_CLOSED', why)
    this.#rest = [...rest]
    this.#closed = failure
    if (!this.#finished) this.#writeFailure ??= failure
    this.#over(this.#writeFailure ?? this.#readFailure ?? (this.#ended ? undefined : failure))
    this.#readable.happened()
    this.#writable.happened()
  }

  #resetError(streamCode: number): ShowchainError {
    const { protocol } = this
    if (protocol !== undefined && streamCode === STREAM_CODE.unknownProtocol)
      return new ShowchainError('ERR_UNKNOWN_PROTOCOL', `It is ${protocol}.`)
    const cause: StreamReset = { streamCode }
    return new ShowchainError('ERR_STREAM_RESET', `Stream code ${streamCode}.`, { cause })
  }

  #halfOver(): void {
    const written = this.#finished || this.#writeFailure !== undefined
    if (!written || (!this.#ended && this.#readFailure === undefined)) return
    this.#port.over()
    this.#over(this.#writeFailure ?? this.#readFailure)
  }

  #over(error: ShowchainError | undefined): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    this.#tellEnd(this.#end)
  }
}

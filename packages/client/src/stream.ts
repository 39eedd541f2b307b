/**
 * One stream of a connection: bytes both ways, in order, each once. As Web streams, or through
 * `toDuplex` as a stream of Node's. Closing the writing side resolves when the other end has
 * acknowledged everything.
 */
import { ReadableStream, WritableStream } from 'node:stream/web'
import { ShowchainError } from '@showchain/wire'
import type { StreamRead } from './core/index.ts'

/** Bytes that are handed on in one piece, where so many are there. */
export const PIECE: number = 64 * 1024
/** What the other end gets of an end that was given up without a code. */
const NO_CODE = 0

/** What a stream asks of its connection. */
export interface StreamPort {
  readonly id: number
  /** @param most bytes of a piece */
  read(most: number): StreamRead | undefined
  /** False: there is no more room, until `on('writable')`. */
  write(bytes: Uint8Array): boolean
  end(): void
  reset(code: number): void
  stop(code: number): void
}

/** In the `cause` of `ERR_STREAM_RESET`, and understood in the reason of `cancel` and `abort`. */
export interface StreamReset {
  readonly streamCode: number
}

const resetError = (streamCode: number): ShowchainError =>
  new ShowchainError('ERR_STREAM_RESET', `Stream code ${streamCode}.`, { cause: { streamCode } satisfies StreamReset })

function codeOf(reason: unknown): number {
  const code = typeof reason === 'object' && reason !== null && 'streamCode' in reason ? reason.streamCode : undefined
  return typeof code === 'number' && Number.isSafeInteger(code) && code >= 0 ? code : NO_CODE
}

/** Something that is waited for: every waiter looks again when it may have come. */
class Change {
  #waiters: (() => void)[] = []

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  happened(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }
}

export class Stream {
  /** The same at both ends. */
  readonly id: number
  readonly #port: StreamPort
  readonly #readable = new Change()
  readonly #writable = new Change()
  #room = true
  #finished = false
  #readFailure: ShowchainError | undefined
  #closed: ShowchainError | undefined
  #ended = false
  /** What is left to read of a connection that has ended. */
  #rest: StreamRead[] = []
  #writeFailure: ShowchainError | undefined
  #readableStream: ReadableStream<Uint8Array> | undefined
  #writableStream: WritableStream<Uint8Array> | undefined

  /** @internal Streams come from `connection.openStream` and `connection.streams`. */
  constructor(port: StreamPort) {
    this.#port = port
    this.id = port.id
  }

  /** Cancelling it asks the other end to stop; `{ streamCode }` as the reason tells it why. */
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
   * A chunk must not be changed after it was written. Aborting it gives the stream up; `{
   * streamCode }` as the reason tells why.
   */
  get writable(): WritableStream<Uint8Array> {
    this.#writableStream ??= new WritableStream<Uint8Array>({
      write: (chunk) => this.write(chunk),
      close: () => this.end(),
      abort: (reason) => this.abort(reason),
    })
    return this.#writableStream
  }

  /**
   * The next piece; undefined at the end.
   * @throws ShowchainError `ERR_STREAM_RESET`, `ERR_CLOSED`
   */
  async read(): Promise<Uint8Array | undefined> {
    while (!this.#ended) {
      if (this.#readFailure !== undefined) throw this.#readFailure
      const found = this.#closed === undefined ? this.#port.read(PIECE) : this.#rest.shift()
      if (found?.type === 'data') return found.bytes
      if (found?.type === 'end') this.#ended = true
      if (found?.type === 'reset') this.#readFailure = resetError(found.code)
      else if (this.#closed !== undefined && !this.#ended) throw this.#closed
      else if (!this.#ended) await this.#readable.wait()
    }
    return undefined
  }

  /**
   * Resolves when there is room for more.
   * @param bytes not to be changed any more
   * @throws ShowchainError `ERR_STREAM_RESET` (the other end does not want the rest), `ERR_CLOSED`
   */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#writeFailure !== undefined) throw this.#writeFailure
    this.#room = this.#port.write(bytes)
    while (!this.#room) {
      await this.#writable.wait()
      if (this.#writeFailure !== undefined) throw this.#writeFailure
    }
  }

  /**
   * Ends the writing side; resolves when the other end has everything.
   * @throws ShowchainError as `write`
   */
  async end(): Promise<void> {
    if (this.#writeFailure !== undefined) throw this.#writeFailure
    this.#port.end()
    while (!this.#finished) {
      await this.#writable.wait()
      if (this.#writeFailure !== undefined) throw this.#writeFailure
    }
  }

  /** Gives writing up. @param reason `{ streamCode }`: what the other end gets */
  abort(reason?: unknown): void {
    this.#port.reset(codeOf(reason))
  }

  /** Gives reading up. @param reason `{ streamCode }`: what the other end gets */
  cancel(reason?: unknown): void {
    this.#port.stop(codeOf(reason))
  }

  /** @internal */
  on(what: 'readable' | 'writable' | 'finished'): void {
    if (what === 'readable') return this.#readable.happened()
    this.#room = true
    if (what === 'finished') this.#finished = true
    this.#writable.happened()
  }

  /** @internal The other end does not want the rest. */
  stopped(code: number): void {
    this.#writeFailure ??= resetError(code)
    this.#writable.happened()
  }

  /**
   * @internal The connection has ended.
   * @param rest what came and was not read yet, and the stream's end if it came
   */
  closed(why: string, rest: readonly StreamRead[]): void {
    const failure = new ShowchainError('ERR_CLOSED', why)
    this.#rest = [...rest]
    this.#closed = failure
    if (!this.#finished) this.#writeFailure ??= failure
    this.#readable.happened()
    this.#writable.happened()
  }
}

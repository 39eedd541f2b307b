/** A stream through a tunnel at the end that opened it: what the target says begins behind the answer. */
import type { Connection, SignalOptions, Stream, StreamReset } from '@showchain/client'
import { behindAnswer, type Kind, PROTOCOLS } from '../core/index.ts'
import { codeFor, saidBy, TunnelError } from './errors.ts'
import type { ByteStream } from './ports.ts'

/** One connection to the target of the remote peer, at the end that opened it. */
export class TunnelStream implements ByteStream {
  readonly #stream: Stream
  #answered: Promise<void> | undefined
  /** What came with the answer. */
  #rest: Uint8Array | undefined

  private constructor(stream: Stream) {
    this.#stream = stream
  }

  /**
   * Bytes may be written at once; they wait at the remote peer until its target is there.
   * @throws ShowchainError as `connection.openStream`
   */
  static async open(connection: Connection, kind: Kind, options: SignalOptions = {}): Promise<TunnelStream> {
    return new TunnelStream(await connection.openStream({ ...options, protocol: PROTOCOLS[kind] }))
  }

  /**
   * Resolves when the target has accepted the connection.
   * @throws TunnelError; ShowchainError `ERR_CLOSED`
   */
  answered(): Promise<void> {
    this.#answered ??= this.#readAnswer()
    return this.#answered
  }

  /** @throws TunnelError; ShowchainError as `stream.read` */
  async read(options?: SignalOptions): Promise<Uint8Array | undefined> {
    await this.answered()
    const rest = this.#rest
    this.#rest = undefined
    return rest ?? this.#saying(this.#stream.read(options))
  }

  write(bytes: Uint8Array, options?: SignalOptions): Promise<void> {
    return this.#saying(this.#stream.write(bytes, options))
  }

  end(options?: SignalOptions): Promise<void> {
    return this.#saying(this.#stream.end(options))
  }

  abort(reason: StreamReset): void {
    this.#stream.abort(reason)
  }

  cancel(reason: StreamReset): void {
    this.#stream.cancel(reason)
  }

  async #readAnswer(): Promise<void> {
    const bytes = await this.#saying(this.#stream.read())
    const rest = bytes && behindAnswer(bytes)
    if (rest === undefined) {
      this.abort(codeFor('malformed'))
      this.cancel(codeFor('malformed'))
      throw new TunnelError('malformed')
    }
    if (rest.length > 0) this.#rest = rest
  }

  async #saying<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw saidBy(error)
    }
  }
}

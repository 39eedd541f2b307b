/** Two ends of a stream in memory, with a send buffer that fills up, and that can break. */
import { ShowchainError } from '@showchain/wire'
import type { ByteStream } from '../src/index.ts'

/** Bytes that an end takes before its `write` waits. */
const BUFFER = 200_000

class Half {
  #pieces: Uint8Array[] = []
  #length = 0
  #ended = false
  #failure: Error | undefined
  #looks = new Set<() => void>()
  /** Bytes that were written. */
  written = 0
  /** Breaks both ends after so many bytes. */
  limit = Number.POSITIVE_INFINITY
  onLimit = (): void => {}

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.written += bytes.length
    this.#pieces.push(bytes)
    this.#length += bytes.length
    this.#happened()
    if (this.written > this.limit) this.onLimit()
    await this.#until(() => this.#length < BUFFER)
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    await this.#until(() => this.#pieces.length > 0 || this.#ended, signal)
    const piece = this.#pieces.shift()
    this.#length -= piece?.length ?? 0
    this.#happened()
    return piece
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#happened()
    await this.#until(() => this.#length === 0)
  }

  fail(why: string): void {
    this.#failure ??= new ShowchainError('ERR_CLOSED', why)
    this.#happened()
  }

  #happened(): void {
    for (const look of [...this.#looks]) look()
  }

  async #until(ready: () => boolean, signal?: AbortSignal): Promise<void> {
    const abort = (): void => this.#happened()
    signal?.addEventListener('abort', abort)
    try {
      while (!ready()) {
        if (this.#failure !== undefined) throw this.#failure
        if (signal?.aborted) throw new ShowchainError('ERR_ABORTED', undefined, { cause: signal.reason })
        await new Promise<void>((resolve) => {
          const look = (): void => {
            this.#looks.delete(look)
            resolve()
          }
          this.#looks.add(look)
        })
      }
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}

export interface Pair {
  readonly sender: ByteStream
  readonly receiver: ByteStream
  /** Bytes that the sender wrote. */
  readonly written: () => number
}

/** @param limit of bytes that the sender writes, after which the stream is broken */
export function pair(limit: number = Number.POSITIVE_INFINITY): Pair {
  const [forth, back] = [new Half(), new Half()]
  forth.limit = limit
  forth.onLimit = () => {
    forth.fail('the connection broke')
    back.fail('the connection broke')
  }
  const end = (out: Half, into: Half): ByteStream => ({
    read: (options) => into.read(options?.signal),
    write: (bytes) => out.write(new Uint8Array(bytes as Uint8Array)),
    end: () => out.end(),
    abort: () => out.fail('abandoned'),
    cancel: () => into.fail('abandoned'),
  })
  return { sender: end(forth, back), receiver: end(back, forth), written: () => forth.written }
}

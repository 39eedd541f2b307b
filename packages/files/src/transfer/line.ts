/** A stream as the transfer uses it: writes in large pieces, reads with a deadline, and a last word. */
import { ShowchainError } from '@showchain/wire'
import { TransferError } from './errors.ts'
import type { ByteStream, TransferOptions } from './ports.ts'

/** Milliseconds in which something must go on. An end that hashes what it has of a large file says nothing. */
const SILENCE = 600_000
/** Milliseconds that the last word of an end has to arrive. */
const LAST_WORD = 2000
/** Milliseconds in which a sender ends its half when it was told that everything arrived. */
const CONFIRMATION = 10_000
/** Bytes that are written at once: small frames wait for each other. */
const PIECE = 65_536

/** What both machines have in common. */
interface Machine<Event> {
  receive(bytes: Uint8Array): void
  next(): Event | undefined
  ended(): Event | undefined
}

export class Line {
  readonly #stream: ByteStream
  readonly #over = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #leave: () => void
  #waiting: Uint8Array[] = []
  #length = 0

  constructor(stream: ByteStream, { signal, silence = SILENCE }: TransferOptions) {
    this.#stream = stream
    const abort = (): void => this.#over.abort(signal?.reason)
    const nothing = `nothing went on for ${Math.round(silence / 1000)} s`
    this.#timer = setTimeout(() => this.#over.abort(new TransferError('failed', nothing)), silence)
    signal?.addEventListener('abort', abort, { once: true })
    this.#leave = () => signal?.removeEventListener('abort', abort)
    if (signal?.aborted) abort()
  }

  /** Something goes on. */
  alive(): void {
    this.#timer.refresh()
  }

  /** @throws ShowchainError when the transfer ended from outside */
  check(): void {
    const { aborted, reason } = this.#over.signal
    if (aborted) throw new ShowchainError('ERR_ABORTED', undefined, { cause: reason })
  }

  /** What the other end says; ends when its stream does. */
  async *events<Event>(machine: Machine<Event>): AsyncGenerator<Event> {
    for (;;) {
      for (let event = machine.next(); event !== undefined; event = machine.next()) yield event
      // The other end may wait for what waits here.
      await this.flush()
      const bytes = await this.#stream.read({ signal: this.#over.signal })
      this.alive()
      if (bytes === undefined) break
      machine.receive(bytes)
    }
    const last = machine.ended()
    if (last !== undefined) yield last
  }

  /** Written by the next `flush` at the latest, and before the next bytes are waited for. */
  async put(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes)
    this.#length += bytes.length
    if (this.#length >= PIECE) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#length === 0) return
    const bytes = this.#waiting.length === 1 ? (this.#waiting[0] as Uint8Array) : Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#length = 0
    await this.#stream.write(bytes, { signal: this.#over.signal })
    this.alive()
  }

  /** Why the transfer ended from outside, when it did. */
  reasonOf(error: unknown): unknown {
    const { aborted, reason } = this.#over.signal
    return aborted && reason instanceof TransferError ? reason : error
  }

  /** Whether the other end has ended its half, or does in some seconds. */
  async confirmed(): Promise<boolean> {
    const read = async (): Promise<boolean> => {
      while ((await this.#stream.read()) !== undefined);
      return true
    }
    return await orIn(CONFIRMATION, read(), false)
  }

  /** The stream's end, with a last word before it; resolves when that arrived, or in 2 s. */
  async end(lastWord?: Uint8Array): Promise<void> {
    const said = async (): Promise<void> => {
      if (lastWord !== undefined) await this.#stream.write(lastWord)
      await this.#stream.end()
    }
    await orIn(LAST_WORD, said(), undefined)
  }

  /** Whatever is under way on the stream is over. */
  close(): void {
    clearTimeout(this.#timer)
    this.#leave()
    this.#stream.abort()
    this.#stream.cancel()
  }
}

/** What the work gives in that time; otherwise, also when it fails, the other thing. */
async function orIn<T>(time: number, work: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, time, otherwise)
  })
  const found = await Promise.race([work.catch(() => otherwise), late])
  clearTimeout(timer)
  return found
}

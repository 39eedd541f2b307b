/** Sends files, or a text, on a stream. */

import { equalBytes, ShowchainError, utf8 } from '@showchain/wire'
import {
  type Entry,
  encode,
  FRAME,
  frameHeader,
  MAX_FRAME,
  type Offer,
  offerOf,
  type SenderEvent,
  SenderMachine,
  shownPath,
  type Want,
} from '../core/index.ts'
import { stoppedBy, TransferError } from './errors.ts'
import { Line } from './line.ts'
import type { ByteStream, Source, SourceFile, TransferOptions } from './ports.ts'
import { isZeros, newSha256, type Sha256 } from './sha256.ts'

/** Bytes that are read of a file at once: some frames. */
const READ = 4 * MAX_FRAME

/** Options of the sending end. */
export interface SendOptions extends TransferOptions {
  /** The receiver accepted. */
  readonly onAccepted?: () => void
}

/**
 * Resolves when the receiver has everything and has checked it.
 * @throws ShowchainError `ERR_TRANSFER_DECLINED`, `ERR_TRANSFER_REFUSED`, `ERR_TRANSFER_STOPPED`, and
 *   as the stream does
 */
export async function sendFiles(stream: ByteStream, source: Source, options: SendOptions = {}): Promise<Offer> {
  const offer = offerOf(source.entries, source.names, newSha256)
  const sending = new Sending(new Line(stream, options), source, offer, options)
  await sending.run(sending.machine.offer(offer))
  return offer
}

/**
 * @param text at most 64 KiB of UTF-8
 * @throws ShowchainError as `sendFiles`, and `ERR_BAD_ARGUMENT`
 */
export async function sendText(stream: ByteStream, text: string, options: TransferOptions = {}): Promise<void> {
  if (utf8(text).length > MAX_FRAME)
    throw new ShowchainError('ERR_BAD_ARGUMENT', `A text has at most ${MAX_FRAME} bytes: send a longer one as a file.`)
  const nothing: Source = { entries: [], names: [], open: () => Promise.reject(new Error('a text has no files')) }
  const sending = new Sending(new Line(stream, options), nothing, offerOf([], [], newSha256), options)
  await sending.run(sending.machine.text(text))
}

class Sending {
  readonly machine = new SenderMachine()
  readonly #line: Line
  readonly #source: Source
  readonly #offer: Offer
  readonly #options: SendOptions
  readonly #wants: { readonly entry: Entry; readonly want: Want }[] = []
  #accepted = false
  #over = false
  /** Wakes the writer. */
  #look = (): void => {}
  #bytes = 0
  #before = 0
  #files = 0

  constructor(line: Line, source: Source, offer: Offer, options: SendOptions) {
    this.#line = line
    this.#source = source
    this.#offer = offer
    this.#options = options
  }

  async run(first: Uint8Array): Promise<void> {
    const listening = this.#listen()
    const writing = this.#write(first)
    writing.catch(() => {})
    try {
      // Who listens knows more than who writes: the receiver's reason, not that it takes no more.
      await Promise.race([
        listening,
        writing.then(
          () => listening,
          (error) => this.#unlessStopped(error, listening),
        ),
      ])
      await this.#line.end()
    } catch (thrown) {
      const error = this.#line.reasonOf(thrown)
      if (error instanceof TransferError) await this.#line.end(encode.stop(error.reason, error.said))
      throw error
    } finally {
      this.#over = true
      this.#look()
      this.#line.close()
    }
  }

  /** A receiver that stops also takes no more: its last word may come a little later. */
  async #unlessStopped(error: unknown, listening: Promise<void>): Promise<void> {
    if (error instanceof TransferError) throw error
    await listening
    throw error
  }

  async #listen(): Promise<void> {
    for await (const event of this.#line.events<SenderEvent>(this.machine)) {
      if (event.type === 'done') return
      if (event.type === 'stopped') throw stoppedBy(event)
      if (event.type === 'fault') throw new TransferError('refused', `The receiver: ${event.why}`, event.why)
      if (event.type === 'want') this.#wants.push(event)
      else {
        this.#accepted = true
        this.#options.onAccepted?.()
      }
      this.#look()
    }
  }

  async #until(ready: () => boolean): Promise<void> {
    if (!ready()) await this.#line.flush()
    while (!ready() && !this.#over)
      await new Promise<void>((resolve) => {
        this.#look = resolve
      })
  }

  async #write(first: Uint8Array): Promise<void> {
    const { entries } = this.#source
    let [announced, left] = [0, this.#offer.files]
    await this.#line.put(first)
    await this.#until(() => this.#accepted)
    while (!this.#over && (announced < entries.length || left > 0)) {
      for (; announced < entries.length && this.machine.mayAnnounce; announced++)
        await this.#line.put(this.machine.announce(entries[announced] as Entry))
      if (left === 0) continue
      await this.#until(() => this.#wants.length > 0)
      const next = this.#wants.shift()
      if (next === undefined) return
      await this.#send(next.entry, next.want)
      left -= 1
    }
    if (this.#over) return
    await this.#line.put(this.machine.end())
    await this.#line.flush()
  }

  async #send(entry: Entry, want: Want): Promise<void> {
    const file = await this.#source.open(entry)
    try {
      const { hash, position } = await this.#agreed(file, entry, want)
      await this.#line.put(encode.content(position))
      this.#before += position
      this.#progress(entry, position)
      await this.#content(file, entry, position, hash)
      await file.unchanged()
      await this.#line.put(this.machine.sent(hash.digest()))
      this.#files += 1
      this.#progress(entry, 0)
    } finally {
      await file.close()
    }
  }

  /** Where to go on: what the receiver has must be the beginning of the file. */
  async #agreed(
    file: SourceFile,
    entry: Entry,
    want: Want,
  ): Promise<{ readonly hash: Sha256; readonly position: number }> {
    const hash = newSha256()
    if (want.hash === undefined) return { hash, position: 0 }
    for (let at = 0; at < want.position; ) {
      at += hashed(hash, await file.read(at, Math.min(READ, want.position - at)))
      this.#line.alive()
      this.#progress(entry, 0, true)
    }
    if (equalBytes(hash.soFar(), want.hash)) return { hash, position: want.position }
    return { hash: newSha256(), position: 0 }
  }

  async #content(file: SourceFile, entry: Entry, begin: number, hash: Sha256): Promise<void> {
    let zeros = 0
    for (let at = begin; at < entry.size; ) {
      const bytes = await file.read(at, Math.min(READ, entry.size - at))
      this.#line.alive()
      at += hashed(hash, bytes)
      for (let from = 0; from < bytes.length; from += MAX_FRAME) {
        const piece = bytes.subarray(from, from + MAX_FRAME)
        if (isZeros(piece)) {
          zeros += piece.length
          continue
        }
        if (zeros > 0) await this.#line.put(encode.zeros(zeros))
        zeros = 0
        await this.#line.put(frameHeader(FRAME.data, piece.length))
        await this.#line.put(piece)
      }
      this.#progress(entry, bytes.length)
    }
    if (zeros > 0) await this.#line.put(encode.zeros(zeros))
  }

  #progress({ path }: Entry, more: number, checking = false): void {
    this.#bytes += more
    this.#options.onProgress?.({
      checking,
      path: shownPath(path),
      bytes: this.#bytes,
      bytesBefore: this.#before,
      totalBytes: this.#offer.bytes,
      files: this.#files,
      totalFiles: this.#offer.files,
    })
  }
}

/** @throws TransferError at the end of the file: it became shorter */
function hashed(hash: Sha256, bytes: Uint8Array): number {
  if (bytes.length === 0) throw new TransferError('failed', 'A file changed while it was sent.')
  hash.update(bytes)
  return bytes.length
}

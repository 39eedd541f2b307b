/** Receives files, or a text, on a stream. */

import { equalBytes } from '@showchain/wire'
import {
  type Entry,
  MAX_FRAME,
  type Offer,
  type ReceiverEvent,
  ReceiverMachine,
  shownPath,
  type Want,
} from '../core/index.ts'
import { stoppedBy, TransferError } from './errors.ts'
import { Line } from './line.ts'
import type { ByteStream, Found, Part, Target, TargetFile, TransferOptions } from './ports.ts'
import { newSha256, type Sha256, ZERO_PIECE } from './sha256.ts'

/** Bytes that are read of a part at once. */
const READ = 4 * MAX_FRAME
/** Zeros that are hashed in one turn of the event loop: some milliseconds. */
const ZEROS_A_TURN = 64 * ZERO_PIECE

/** Options of the receiving end. */
export interface ReceiveOptions extends TransferOptions {
  /** Whether the offer is taken. @param found `part`: the transfer goes on where it was interrupted */
  readonly accept: (offer: Offer, found: Exclude<Found, 'whole'>) => boolean | Promise<boolean>
}

/** What came: files, or a text. */
export type Received =
  | { readonly type: 'text'; readonly text: string }
  /** Where `found` is `whole`, nothing was left to do. */
  | { readonly type: 'files'; readonly offer: Offer; readonly found: Found }

/**
 * Resolves when everything is there, was checked, and the sender knows.
 * @throws ShowchainError `ERR_TRANSFER_DECLINED`, `ERR_TRANSFER_REFUSED`, `ERR_TRANSFER_STOPPED`, and
 *   as the stream does
 */
export async function receiveFiles(stream: ByteStream, target: Target, options: ReceiveOptions): Promise<Received> {
  return await new Receiving(new Line(stream, options), target, options).run()
}

class Receiving {
  readonly #machine = new ReceiverMachine(newSha256)
  readonly #line: Line
  readonly #target: Target
  readonly #options: ReceiveOptions
  /** Of what there is of the files that were asked for. */
  readonly #hashes: (Sha256 | undefined)[] = []
  #offer: Offer | undefined
  #found: Found = 'nothing'
  #file: TargetFile | undefined
  #entry: Entry | undefined
  #hash = newSha256()
  #bytes = 0
  #before = 0
  #files = 0

  constructor(line: Line, target: Target, options: ReceiveOptions) {
    this.#line = line
    this.#target = target
    this.#options = options
  }

  async run(): Promise<Received> {
    try {
      for await (const event of this.#line.events<ReceiverEvent>(this.#machine)) {
        const received = await this.#take(event)
        this.#line.alive()
        if (received === undefined) continue
        await this.#line.end(this.#machine.done())
        // Until the sender knows it, the same offer must find that everything is there.
        if ((await this.#line.confirmed()) && received.type === 'files') await this.#target.forget()
        return received
      }
      throw new TransferError('failed', 'the stream ended')
    } catch (thrown) {
      const error = this.#line.reasonOf(thrown)
      if (error instanceof TransferError) await this.#line.end(this.#machine.stop(error.reason, error.said))
      throw error
    } finally {
      await this.#file?.close()
      this.#line.close()
    }
  }

  /** @returns what was received, at the end */
  async #take(event: ReceiverEvent): Promise<Received | undefined> {
    switch (event.type) {
      case 'stopped':
        throw stoppedBy(event)
      case 'fault':
        throw new TransferError('refused', event.why)
      case 'text':
        return event
      case 'offer':
        return await this.#answer(event.offer)
      case 'end':
        await this.#target.finish()
        return this.#received()
      case 'folder':
        await this.#target.folder(event.entry)
        break
      case 'file':
        await this.#line.put(this.#machine.want(await this.#wanted(event.entry)))
        break
      case 'content':
        await this.#begin(event.entry, event.position)
        break
      case 'data':
        await this.#data(event.bytes)
        break
      case 'zeros':
        await this.#zeros(event.count)
        break
      case 'complete':
        await this.#complete(event.entry, event.hash)
        break
      case 'link':
        await this.#target.link(event.entry)
        break
      case 'left':
        await this.#target.left(event.entry)
        break
    }
    return undefined
  }

  #received(): Received {
    return { type: 'files', offer: this.#offer as Offer, found: this.#found }
  }

  async #answer(offer: Offer): Promise<Received | undefined> {
    this.#offer = offer
    this.#found = await this.#target.look(offer)
    if (this.#found === 'whole') {
      await this.#target.finish()
      return this.#received()
    }
    if (!(await this.#options.accept(offer, this.#found))) throw new TransferError('declined', 'It was declined.')
    await this.#target.begin()
    await this.#line.put(this.#machine.accept())
    return undefined
  }

  /** What there is of the file, with its hash. */
  async #wanted(entry: Entry): Promise<Want> {
    const nothing: Want = { position: 0, hash: undefined }
    const part = await this.#target.part(entry)
    const hash = part && (await this.#hashOf(part, entry))
    this.#hashes.push(hash)
    return part === undefined || hash === undefined ? nothing : { position: part.size, hash: hash.soFar() }
  }

  /** Undefined when it cannot be read to its end: then all of it is asked for. */
  async #hashOf(part: Part, entry: Entry): Promise<Sha256 | undefined> {
    const hash = newSha256()
    try {
      for (let at = 0; at < part.size; ) {
        const bytes = await part.read(at, Math.min(READ, part.size - at))
        if (bytes.length === 0) return undefined
        hash.update(bytes)
        at += bytes.length
        this.#line.alive()
        this.#progress(0, entry)
      }
    } finally {
      await part.close()
    }
    return hash
  }

  async #begin(entry: Entry, position: number): Promise<void> {
    const before = this.#hashes.shift()
    this.#hash = position > 0 && before !== undefined ? before : newSha256()
    this.#entry = entry
    this.#file = await this.#target.open(entry, position)
    this.#before += position
    this.#progress(position)
  }

  /** Hashed while it is written. */
  async #data(bytes: Uint8Array): Promise<void> {
    const written = this.#file?.write(bytes)
    this.#hash.update(bytes)
    await written
    this.#progress(bytes.length)
  }

  async #zeros(count: number): Promise<void> {
    await this.#file?.skip(count)
    for (let left = count; left > 0; ) {
      left -= this.#hash.zeros(left)
      // A frame of few bytes may stand for very many: others have their turn meanwhile.
      if (left % ZEROS_A_TURN < ZERO_PIECE) await this.#turn()
    }
    this.#progress(count)
  }

  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#line.check()
    this.#line.alive()
  }

  async #complete(entry: Entry, hash: Uint8Array): Promise<void> {
    const file = this.#file as TargetFile
    if (!equalBytes(this.#hash.digest(), hash)) {
      await file.discard()
      throw new TransferError('failed', `${shownPath(entry.path)}: its hash is not that of what was sent.`)
    }
    await file.complete()
    this.#file = undefined
    this.#files += 1
    this.#progress(0)
  }

  /** @param checked whose part is hashed */
  #progress(more: number, checked?: Entry): void {
    this.#bytes += more
    const { bytes: totalBytes, files: totalFiles } = this.#offer as Offer
    const entry = checked ?? this.#entry
    this.#options.onProgress?.({
      checking: checked !== undefined,
      path: entry === undefined ? '' : shownPath(entry.path),
      bytes: this.#bytes,
      bytesBefore: this.#before,
      totalBytes,
      files: this.#files,
      totalFiles,
    })
  }
}

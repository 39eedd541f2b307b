/**
 * The receiving end's side of a transfer: which frames may come when, and that nothing comes that was
 * not offered. Paths, links, sizes and counts are checked here, before anything of a file system is.
 */

import { equalBytes } from '@showchain/wire'
import { joined } from './bytes.ts'
import { FolderStack } from './folder-stack.ts'
import { FrameReader } from './frame-reader.ts'
import { type Entry, encode, FIRST_BYTE, type Frame, type Offer, type StopReason, type Want } from './frames.ts'
import type { Hash, NewHash } from './hash.ts'
import { MAX_ANNOUNCED, MAX_ENTRIES } from './limits.ts'
import { keyOf, linkFault, namesOf, pathFault, shownPath } from './names.ts'

export type ReceiverEvent =
  | { readonly type: 'offer'; readonly offer: Offer }
  | { readonly type: 'text'; readonly text: string }
  /** A folder is announced: it must be there before what is in it. */
  | { readonly type: 'folder'; readonly entry: Entry }
  /** A file is announced: to be answered by `want`. */
  | { readonly type: 'file'; readonly entry: Entry }
  /** Its content comes now, from what it was asked for or from the beginning. */
  | { readonly type: 'content'; readonly entry: Entry; readonly position: number }
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  | { readonly type: 'zeros'; readonly count: number }
  /** All of it came; this is its hash. */
  | { readonly type: 'complete'; readonly entry: Entry; readonly hash: Uint8Array }
  | { readonly type: 'link'; readonly entry: Entry }
  /** Everything in the folder is complete. */
  | { readonly type: 'left'; readonly entry: Entry }
  /** To be answered by `done`. */
  | { readonly type: 'end' }
  | { readonly type: 'stopped'; readonly reason: StopReason; readonly text: string }
  /** The sender sent what it must not send. */
  | { readonly type: 'fault'; readonly why: string }

interface Announced {
  readonly entry: Entry
  /** Of a file: what was asked for. */
  position?: number
}

export class ReceiverMachine {
  readonly #frames = new FrameReader()
  readonly #described: Hash
  /** Folders of what is announced, and of what is complete. */
  readonly #announcing = new FolderStack()
  readonly #completing = new FolderStack()
  /** Announced and not complete, in order. The first one is a file, except while events wait. */
  readonly #announced: Announced[] = []
  /** Announced files that were not asked for yet. */
  readonly #unasked: Announced[] = []
  readonly #events: ReceiverEvent[] = []
  #state: 'waiting' | 'asked' | 'accepted' | 'ended' | 'over' = 'waiting'
  #answered = false
  #offer: Offer | undefined
  /** Names of the offer that came. */
  #names = 0
  readonly #came = { entries: 0, files: 0, bytes: 0 }
  /** Bytes of the first announced file that came, with what was there; undefined before its content. */
  #position: number | undefined

  constructor(newHash: NewHash) {
    this.#described = newHash()
  }

  accept(): Uint8Array {
    this.#state = 'accepted'
    return this.#answer(encode.accept())
  }

  /** Files are asked for in the order of their announcements. */
  want(want: Want): Uint8Array {
    const file = this.#unasked.shift()
    if (file !== undefined) file.position = want.position
    return encode.want(want)
  }

  /** At the end; at once for a text, and for an offer of which everything is there. */
  done(): Uint8Array {
    this.#state = 'over'
    return this.#answer(encode.done())
  }

  /** Ends it, whatever its state is. */
  stop(reason: StopReason, text: string): Uint8Array {
    this.#state = 'over'
    return this.#answer(encode.stop(reason, text))
  }

  receive(bytes: Uint8Array): void {
    this.#frames.push(bytes)
  }

  /** The sender's stream has ended. */
  ended(): ReceiverEvent | undefined {
    return this.#state === 'over' ? undefined : this.#over(fault('the stream ended before the transfer'))
  }

  /** Undefined when it takes more bytes. */
  next(): ReceiverEvent | undefined {
    while (this.#state !== 'over') {
      const waiting = this.#events.shift()
      if (waiting !== undefined) return waiting
      const frame = this.#frames.next()
      if (frame === undefined)
        return this.#frames.fault === undefined ? undefined : this.#over(fault(this.#frames.fault))
      const found = this.#take(frame)
      if (found?.type === 'fault' || found?.type === 'stopped') return this.#over(found)
      if (found !== undefined) return found
    }
    return undefined
  }

  #over(event: ReceiverEvent): ReceiverEvent {
    this.#state = 'over'
    return event
  }

  #answer(frame: Uint8Array): Uint8Array {
    if (this.#answered) return frame
    this.#answered = true
    return joined([FIRST_BYTE, frame])
  }

  #take(frame: Frame): ReceiverEvent | undefined {
    if (frame.type === 'stop') return { type: 'stopped', reason: frame.reason, text: frame.text }
    if (this.#state === 'waiting') {
      this.#state = 'asked'
      if (frame.type === 'text') return { type: 'text', text: frame.text }
      if (frame.type === 'offer') return this.#takeOffer(frame.offer)
    }
    if (this.#state === 'accepted') {
      if (frame.type === 'entry') return this.#takeEntry(frame.entry, frame.described)
      if (frame.type === 'end') return this.#takeEnd()
      const [first] = this.#announced
      if (first?.position !== undefined) return this.#takeContent(frame, first.entry, first.position)
    }
    return fault(`it sent ${frame.type}, which is not its turn`)
  }

  #takeOffer(offer: Offer): ReceiverEvent {
    if (offer.entries > MAX_ENTRIES) return fault(`it offers more than ${MAX_ENTRIES} files and folders`)
    if (offer.files > offer.entries || offer.names.length > offer.entries || offer.names.length === 0)
      return fault('it offers what cannot be')
    for (const name of offer.names) {
      const why = namesOf(name).length === 1 ? pathFault(name) : 'it has a folder in it'
      if (why !== undefined) return unsafe(name, why)
    }
    if (new Set(offer.names.map(keyOf)).size < offer.names.length) return fault('it offers one name twice')
    this.#offer = offer
    return { type: 'offer', offer }
  }

  #takeEntry(entry: Entry, described: Uint8Array): ReceiverEvent | undefined {
    const { kind, path, target, size } = entry
    const why = pathFault(path) ?? (kind === 'link' ? linkFault(path, target) : undefined)
    if (why !== undefined) return unsafe(path, why)
    this.#announcing.leave(path)
    if (!this.#announcing.takes(path)) return unsafe(path, 'it does not come behind its folder')
    if (!this.#isOffered(path)) return unsafe(path, 'it was not offered')
    if (this.#announced.length >= MAX_ANNOUNCED) return fault('it announces too much before its content')
    const { entries, files, bytes } = this.#offer as Offer
    this.#came.entries += 1
    this.#came.files += kind === 'file' ? 1 : 0
    this.#came.bytes += size
    if (this.#came.entries > entries || this.#came.files > files || this.#came.bytes > bytes)
      return unsafe(path, 'more comes than was offered')
    this.#described.update(described)
    const announced: Announced = { entry }
    this.#announced.push(announced)
    if (kind === 'folder') this.#announcing.enter(entry)
    if (kind === 'file') this.#unasked.push(announced)
    if (kind !== 'link') this.#events.push({ type: kind, entry })
    if (kind !== 'file' || this.#announced.length === 1) this.#complete()
    return undefined
  }

  /** What is not in a folder is the next name of the offer. */
  #isOffered(path: Uint8Array): boolean {
    if (namesOf(path).length > 1) return true
    const name = this.#offer?.names[this.#names]
    this.#names += 1
    return name !== undefined && equalBytes(name, path)
  }

  #takeContent(frame: Frame, entry: Entry, asked: number): ReceiverEvent {
    if (this.#position === undefined) {
      if (frame.type !== 'content') return fault(`it sent ${frame.type} before the content of a file`)
      if (frame.position !== asked && frame.position !== 0) return fault('it begins where it was not asked to')
      this.#position = frame.position
      return { type: 'content', entry, position: frame.position }
    }
    if (frame.type === 'hash') {
      if (this.#position !== entry.size) return unsafe(entry.path, 'it is shorter than announced')
      this.#position = undefined
      this.#announced.shift()
      this.#events.push({ type: 'complete', entry, hash: frame.hash })
      this.#complete()
      return this.#events.shift() as ReceiverEvent
    }
    if (frame.type !== 'data' && frame.type !== 'zeros') return fault(`it sent ${frame.type} in a file`)
    this.#position += frame.type === 'data' ? frame.bytes.length : frame.count
    return this.#position > entry.size ? unsafe(entry.path, 'it is longer than announced') : frame
  }

  /** Links and folders have no content: they are complete when what comes before them is. */
  #complete(): void {
    for (let first = this.#announced[0]; first !== undefined; first = this.#announced[0]) {
      const { entry } = first
      for (const left of this.#completing.leave(entry.path)) this.#events.push({ type: 'left', entry: left })
      if (entry.kind === 'file') return
      if (entry.kind === 'folder') this.#completing.enter(entry)
      else this.#events.push({ type: 'link', entry })
      this.#announced.shift()
    }
  }

  #takeEnd(): ReceiverEvent | undefined {
    const { entries, files, bytes, description, names } = this.#offer as Offer
    if (this.#announced.length > 0) return fault('it ended before the content of a file')
    const came = this.#came
    const all = came.entries === entries && came.files === files && came.bytes === bytes
    if (!all || this.#names !== names.length || !equalBytes(this.#described.digest(), description))
      return fault('not everything that was offered came')
    this.#state = 'ended'
    for (const left of this.#completing.end()) this.#events.push({ type: 'left', entry: left })
    this.#events.push({ type: 'end' })
    return undefined
  }
}

const fault = (why: string): ReceiverEvent => ({ type: 'fault', why })
const unsafe = (path: Uint8Array, why: string): ReceiverEvent => fault(`${shownPath(path)}: ${why}`)

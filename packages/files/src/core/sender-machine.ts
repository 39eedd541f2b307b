/**
 * The sending end's side of a transfer: what the receiver said, and whether it may say so. What is
 * written is for the driver, in this order: the offer; entries, at most MAX_ANNOUNCED before their
 * content; the content of each file that was asked for; the end.
 */

import { joined } from './bytes.ts'
import { FrameReader } from './frame-reader.ts'
import { describedBytes, type Entry, encode, FIRST_BYTE, type Offer, type StopReason, type Want } from './frames.ts'
import type { NewHash } from './hash.ts'
import { MAX_ANNOUNCED } from './limits.ts'

export type SenderEvent =
  | { readonly type: 'accepted' }
  /** The receiver tells what it has of the first announced file that it has not told it of. */
  | { readonly type: 'want'; readonly entry: Entry; readonly want: Want }
  /** The receiver has everything, and has checked it. */
  | { readonly type: 'done' }
  | { readonly type: 'stopped'; readonly reason: StopReason; readonly text: string }
  /** The receiver said what it must not say. */
  | { readonly type: 'fault'; readonly why: string }

/** How many, how much, and a hash of what: asks for the entries in the order in which they are sent. */
export function offerOf(entries: Iterable<Entry>, names: readonly Uint8Array[], newHash: NewHash): Offer {
  const hash = newHash()
  let [count, files, bytes] = [0, 0, 0]
  for (const entry of entries) {
    count += 1
    if (entry.kind === 'file') files += 1
    bytes += entry.size
    hash.update(describedBytes(entry))
  }
  return { entries: count, files, bytes, description: hash.digest(), names }
}

export class SenderMachine {
  readonly #frames = new FrameReader()
  /** Files that the receiver has not yet told anything of. */
  readonly #unasked: Entry[] = []
  /** Announced and not complete, as the receiver has them. */
  readonly #announced: Entry[] = []
  #state: 'offered' | 'text' | 'accepted' | 'ended' | 'over' = 'offered'

  /** The first bytes. */
  offer(offer: Offer): Uint8Array {
    return joined([FIRST_BYTE, encode.offer(offer)])
  }

  /** The first bytes, when a text is sent instead. */
  text(text: string): Uint8Array {
    this.#state = 'text'
    return joined([FIRST_BYTE, encode.text(text)])
  }

  /** Whether another entry may be announced. */
  get mayAnnounce(): boolean {
    return this.#announced.length < MAX_ANNOUNCED
  }

  announce(entry: Entry): Uint8Array {
    if (entry.kind === 'file') this.#unasked.push(entry)
    this.#announced.push(entry)
    this.#complete()
    return encode.entry(entry)
  }

  /** The whole content of the oldest file is written. */
  sent(hash: Uint8Array): Uint8Array {
    this.#announced.shift()
    this.#complete()
    return encode.hash(hash)
  }

  /** Folders and links have no content. */
  #complete(): void {
    while (this.#announced.length > 0 && this.#announced[0]?.kind !== 'file') this.#announced.shift()
  }

  end(): Uint8Array {
    this.#state = 'ended'
    return encode.end()
  }

  receive(bytes: Uint8Array): void {
    this.#frames.push(bytes)
  }

  /** The receiver's stream has ended. */
  ended(): SenderEvent | undefined {
    return this.#state === 'over' ? undefined : this.#fault('the stream ended before the transfer')
  }

  /** Undefined when it takes more bytes. */
  next(): SenderEvent | undefined {
    if (this.#state === 'over') return undefined
    const frame = this.#frames.next()
    if (frame === undefined) return this.#frames.fault === undefined ? undefined : this.#fault(this.#frames.fault)
    switch (frame.type) {
      case 'stop':
        this.#state = 'over'
        return { type: 'stopped', reason: frame.reason, text: frame.text }
      case 'accept':
        if (this.#state !== 'offered') break
        this.#state = 'accepted'
        return { type: 'accepted' }
      case 'want': {
        const entry = this.#unasked.shift()
        if (entry === undefined) return this.#fault('it asked for a file that was not announced')
        if (frame.want.position > entry.size) return this.#fault('it has more of a file than there is')
        return { type: 'want', entry, want: frame.want }
      }
      case 'done':
        // Also at once: it has all that is offered.
        if (this.#state === 'accepted') return this.#fault('it is done before the end')
        this.#state = 'over'
        return { type: 'done' }
    }
    return this.#fault(`it sent ${frame.type}, which is not its turn`)
  }

  #fault(why: string): SenderEvent {
    this.#state = 'over'
    return { type: 'fault', why }
  }
}

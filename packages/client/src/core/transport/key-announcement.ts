/**
 * STATIC_KEY: this end tells its static key once, and again when the record that had it is lost. It is
 * in no hurry: it goes with another record, or with the first acknowledgement.
 */
import type { FrameWriter } from '@showchain/wire/end-to-end'
import { type Instant, later } from '../endpoint/machine.ts'
import { ACK_DELAY } from './limits.ts'
import type { SentFrame } from './recovery/sent-frame.ts'

export interface StaticKey {
  readonly key: Uint8Array
  readonly lifetimeS: number
}

export class KeyAnnouncement {
  #told: StaticKey | undefined
  #pending = false
  #due: Instant | undefined

  /** When it leaves by itself. */
  get due(): Instant | undefined {
    return this.#pending ? this.#due : undefined
  }

  tell(key: StaticKey, now: Instant): void {
    this.#told = key
    this.#pending = true
    this.#due = later(now, ACK_DELAY.prompt)
  }

  /**
   * Whether it asks for a record.
   * @param ackDue when an acknowledgement leaves by itself
   */
  wants(ackDue: Instant | undefined, now: Instant): boolean {
    if (!this.#pending) return false
    // Once it is due it waits for the window as other frames do, and for no time.
    if (this.#due !== undefined && this.#due <= now) this.#due = undefined
    return this.#due === undefined || (ackDue !== undefined && ackDue <= now)
  }

  /** It may have been sent twice, and have come once. */
  acked(): void {
    this.#told = undefined
    this.#pending = false
  }

  lost(): void {
    this.#pending = this.#told !== undefined
  }

  write(writer: FrameWriter, frames: SentFrame[]): void {
    if (!this.#pending || this.#told === undefined) return
    if (!writer.staticKey(this.#told.key, this.#told.lifetimeS)) return
    this.#pending = false
    frames.push({ type: 'staticKey' })
  }
}

/** STATIC_KEY: this end tells its static key once, and again when the record that had it is lost. */
import type { FrameWriter } from '@showchain/wire/end-to-end'
import type { SentFrame } from './recovery/sent-frame.ts'

export interface StaticKey {
  readonly key: Uint8Array
  readonly lifetimeS: number
}

export class KeyAnnouncement {
  #told: StaticKey | undefined
  #pending = false

  get pending(): boolean {
    return this.#pending
  }

  tell(key: StaticKey): void {
    this.#told = key
    this.#pending = true
  }

  lost(): void {
    this.#pending = true
  }

  write(writer: FrameWriter, frames: SentFrame[]): void {
    if (!this.#pending || this.#told === undefined) return
    if (!writer.staticKey(this.#told.key, this.#told.lifetimeS)) return
    this.#pending = false
    frames.push({ type: 'staticKey' })
  }
}

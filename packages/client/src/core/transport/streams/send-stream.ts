/** The sending half of a stream (RFC 9000 §3.1): bytes that wait, that are under way, that were lost, until all are acknowledged. */
import { Ranges } from '../recovery/ranges.ts'

/** A part of a stream that goes into one frame. */
export interface Part {
  readonly from: number
  readonly to: number
  readonly fin: boolean
  /** Whether it was sent before. */
  readonly again: boolean
}

export class SendStream {
  readonly id: number
  /** Lower goes first. */
  priority = 0
  /** What the application wrote and is not acknowledged, in order; bounded by SEND_BUFFER and one write. */
  #chunks: { readonly at: number; readonly bytes: Uint8Array }[] = []
  #head = 0
  /** Offsets: all before is acknowledged; the next that was never sent; the end of what was written. */
  #acked = 0
  #next = 0
  #end = 0
  readonly #ackedRanges = new Ranges()
  readonly #lost = new Ranges()
  #limit: number
  #fin: 'open' | 'wanted' | 'sent' | 'acked' = 'open'
  #reset: { readonly code: number; state: 'wanted' | 'sent' | 'acked' } | undefined

  constructor(id: number, limit: number) {
    this.id = id
    this.#limit = limit
  }

  /** Bytes that were written and are not acknowledged. */
  get buffered(): number {
    return this.#end - this.#acked
  }

  /** The end of what was sent: counts for the connection's limit. */
  get sentTo(): number {
    return this.#next
  }

  get ended(): boolean {
    return this.#fin !== 'open' || this.#reset !== undefined
  }

  /** Everything arrived, or the other end knows that nothing more comes. */
  get done(): boolean {
    return this.#reset === undefined
      ? this.#fin === 'acked' && this.#acked === this.#end
      : this.#reset.state === 'acked'
  }

  get wasReset(): boolean {
    return this.#reset !== undefined
  }

  /** The RESET_STREAM that has to be said: its code, and the final size. */
  get resetToSend(): { readonly code: number; readonly size: number } | undefined {
    return this.#reset?.state === 'wanted' ? { code: this.#reset.code, size: this.#next } : undefined
  }

  /** Whether there is anything to send within the limits. @param allowed new bytes that the connection's limit allows */
  wants(allowed: number): boolean {
    if (this.#reset !== undefined) return false
    if (!this.#lost.isEmpty) return true
    if (this.#next < this.#end) return this.#next < this.#limit && allowed > 0
    return this.#fin === 'wanted'
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push({ at: this.#end, bytes })
    this.#end += bytes.length
  }

  end(): void {
    if (this.#fin === 'open') this.#fin = 'wanted'
  }

  /** Nothing more is sent, not again either. */
  reset(code: number): void {
    if (this.#reset !== undefined || this.done) return
    this.#reset = { code, state: 'wanted' }
    this.#chunks = []
    this.#head = 0
  }

  resetSent(): void {
    if (this.#reset?.state === 'wanted') this.#reset.state = 'sent'
  }

  resetLost(): void {
    if (this.#reset?.state === 'sent') this.#reset.state = 'wanted'
  }

  resetAcked(): void {
    if (this.#reset !== undefined) this.#reset.state = 'acked'
  }

  /** The other end allows bytes up to here. */
  allow(limit: number): void {
    this.#limit = Math.max(this.#limit, limit)
  }

  /** Where the next part begins; what was lost goes first. */
  get nextOffset(): number {
    return this.#lost.first ?? this.#next
  }

  /** Takes the next part. @param room bytes that a frame has for it. @param allowed new bytes that the connection's limit allows */
  take(room: number, allowed: number): Part | undefined {
    if (this.#reset !== undefined) return undefined
    const lost = this.#lost.first
    if (lost !== undefined) {
      const to = Math.min(this.#lost.firstEnd as number, lost + room)
      // The offset beyond the last byte stands for the end of the stream.
      const last = Math.min(to, this.#end)
      if (last === lost && to === lost) return undefined
      const fin = this.#fin !== 'open' && last === this.#end && (to > this.#end || this.#lost.end === this.#end + 1)
      this.#lost.remove(lost, fin ? this.#end + 1 : last)
      return { from: lost, to: last, fin, again: true }
    }
    const to = Math.min(this.#end, this.#limit, this.#next + Math.min(room, allowed))
    const fin = this.#fin === 'wanted' && to === this.#end
    if (to === this.#next && !fin) return undefined
    const part = { from: this.#next, to, fin, again: false }
    this.#next = to
    if (fin) this.#fin = 'sent'
    return part
  }

  /** Copies bytes of the stream. */
  copy(from: number, into: Uint8Array): void {
    let done = 0
    for (let index = this.#chunkOf(from); done < into.length; index++) {
      const chunk = this.#chunks[index]
      if (chunk === undefined) throw new Error(`Stream ${this.id} has no byte ${from + done}.`)
      const start = from + done - chunk.at
      const part = chunk.bytes.subarray(start, start + into.length - done)
      into.set(part, done)
      done += part.length
    }
  }

  acked(from: number, to: number, fin: boolean): void {
    if (this.#reset !== undefined) return
    if (fin) this.#fin = 'acked'
    if (from < to) this.#ackedRanges.add(Math.max(from, this.#acked), to)
    // It may have been taken for lost.
    if (!this.#lost.isEmpty) this.#lost.remove(from, fin ? to + 1 : to)
    if (this.#ackedRanges.first !== this.#acked) return
    this.#acked = this.#ackedRanges.firstEnd as number
    this.#ackedRanges.remove(0, this.#acked)
    this.#release()
  }

  lost(from: number, to: number, fin: boolean): void {
    if (this.#reset !== undefined) return
    for (const [low, high] of this.#ackedRanges.gaps(Math.max(from, this.#acked), to)) this.#lost.add(low, high)
    if (fin && this.#fin === 'sent') this.#lost.add(this.#end, this.#end + 1)
  }

  #release(): void {
    for (let chunk = this.#chunks[this.#head]; chunk !== undefined; chunk = this.#chunks[this.#head]) {
      if (chunk.at + chunk.bytes.length > this.#acked) break
      this.#head++
    }
    if (this.#head > 64 && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head)
      this.#head = 0
    }
  }

  /** The chunk that has a byte: nearly always near the end of those that are under way. */
  #chunkOf(offset: number): number {
    let [low, high] = [this.#head, this.#chunks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#chunks[middle] as { at: number }).at <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

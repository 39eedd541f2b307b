/** The sending half of a stream (RFC 9000 §3.1): its data until all of it is acknowledged. */
import { Ranges } from '../recovery/ranges.ts'

/** A range of a stream for one STREAM frame. */
export interface Part {
  readonly from: number
  readonly to: number
  readonly fin: boolean
  /** Whether it was sent before: then it counts for no limit. */
  readonly retransmission: boolean
}

export class SendStream {
  readonly id: number
  /** Streams of a lower number are sent first. */
  priority = 0
  /** Written and not acknowledged, in order; bounded by the send buffer and one write. */
  #chunks: { readonly at: number; readonly bytes: Uint8Array }[] = []
  #head = 0
  /** Offsets: acknowledged below; never sent from; written below. */
  #acked = 0
  #next = 0
  #end = 0
  readonly #ackedRanges = new Ranges()
  readonly #lost = new Ranges()
  #limit: number
  #fin: 'open' | 'pending' | 'sent' | 'acked' = 'open'
  #reset: { readonly code: number; state: 'pending' | 'sent' | 'acked' } | undefined

  constructor(id: number, limit: number) {
    this.id = id
    this.#limit = limit
  }

  /** Bytes written and not acknowledged. */
  get buffered(): number {
    return this.#end - this.#acked
  }

  /** Whether the application writes no more. */
  get ended(): boolean {
    return this.#fin !== 'open' || this.#reset !== undefined
  }

  /** All data and FIN, or RESET_STREAM, is acknowledged. */
  get done(): boolean {
    return this.#reset === undefined
      ? this.#fin === 'acked' && this.#acked === this.#end
      : this.#reset.state === 'acked'
  }

  get wasReset(): boolean {
    return this.#reset !== undefined
  }

  /** Fields of a pending RESET_STREAM. */
  get resetToSend(): { readonly code: number; readonly size: number } | undefined {
    return this.#reset?.state === 'pending' ? { code: this.#reset.code, size: this.#next } : undefined
  }

  /**
   * Whether a STREAM frame can be sent within the limits.
   * @param credit new bytes that the connection's flow control allows
   */
  canSend(credit: number): boolean {
    if (this.#reset !== undefined) return false
    if (!this.#lost.isEmpty) return true
    if (this.#next < this.#end) return this.#next < this.#limit && credit > 0
    return this.#fin === 'pending'
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push({ at: this.#end, bytes })
    this.#end += bytes.length
  }

  end(): void {
    if (this.#fin === 'open') this.#fin = 'pending'
  }

  /** Data is neither sent nor retransmitted any more. */
  reset(code: number): void {
    if (this.#reset !== undefined || this.done) return
    this.#reset = { code, state: 'pending' }
    this.#chunks = []
    this.#head = 0
  }

  resetSent(): void {
    if (this.#reset?.state === 'pending') this.#reset.state = 'sent'
  }

  resetLost(): void {
    if (this.#reset?.state === 'sent') this.#reset.state = 'pending'
  }

  resetAcked(): void {
    if (this.#reset !== undefined) this.#reset.state = 'acked'
  }

  /** MAX_STREAM_DATA came. */
  onMaxStreamData(limit: number): void {
    this.#limit = Math.max(this.#limit, limit)
  }

  /** Offset of the next part; lost data goes first. */
  get nextOffset(): number {
    return this.#lost.first ?? this.#next
  }

  /**
   * Takes the next part.
   * @param space bytes of data that the frame has room for
   * @param credit new bytes that the connection's flow control allows
   */
  take(space: number, credit: number): Part | undefined {
    if (this.#reset !== undefined) return undefined
    const lost = this.#lost.first
    if (lost !== undefined) {
      const to = Math.min(this.#lost.firstEnd as number, lost + space)
      // The offset beyond the last byte stands for FIN.
      const last = Math.min(to, this.#end)
      if (last === lost && to === lost) return undefined
      const fin = this.#fin !== 'open' && last === this.#end && (to > this.#end || this.#lost.end === this.#end + 1)
      this.#lost.remove(lost, fin ? this.#end + 1 : last)
      return { from: lost, to: last, fin, retransmission: true }
    }
    const to = Math.min(this.#end, this.#limit, this.#next + Math.min(space, credit))
    const fin = this.#fin === 'pending' && to === this.#end
    if (to === this.#next && !fin) return undefined
    const part = { from: this.#next, to, fin, retransmission: false }
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
    // It may have been declared lost.
    if (!this.#lost.isEmpty) this.#lost.remove(from, fin ? to + 1 : to)
    // Nearly always it follows what was acknowledged before.
    if (from <= this.#acked && this.#ackedRanges.isEmpty) this.#acked = Math.max(this.#acked, to)
    else {
      this.#ackedRanges.add(Math.max(from, this.#acked), to)
      if (this.#ackedRanges.first !== this.#acked) return
      this.#acked = this.#ackedRanges.firstEnd as number
      this.#ackedRanges.remove(0, this.#acked)
    }
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

  /** Index of the chunk with the byte at an offset. */
  #chunkOf(offset: number): number {
    let low = this.#head
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#chunks[middle] as { at: number }).at <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

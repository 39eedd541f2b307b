/** Ack-eliciting records in flight, by number. */
import type { DeliverySnapshot } from './delivery-rate.ts'
import type { PathState } from './path-state.ts'
import type { SentFrame } from './sent-frame.ts'

export interface SentPacket extends DeliverySnapshot {
  readonly number: number
  readonly bytes: number
  readonly path: PathState
  readonly frames: readonly SentFrame[]
  /** A path MTU probe, whose loss tells of no congestion (RFC 9000 §14.4). */
  readonly mtuProbe: boolean
  /** Whether the application limited the rate when it was sent. */
  readonly appLimited: boolean
}

/** The front is cut off when it is longer than this, and longer than the rest. */
const SETTLED_FRONT = 64

export class SentPackets {
  /** From number `#first` on at index `#head`; bounded by the congestion windows. */
  #packets: (SentPacket | undefined)[] = []
  #head = 0
  #first = 0
  #next = 0
  #outstanding = 0

  /** No packet below this number is outstanding. */
  get first(): number {
    return this.#first
  }

  /** One more than the highest number. */
  get next(): number {
    return this.#next
  }

  /** Packets that are neither acknowledged nor lost. */
  get outstanding(): number {
    return this.#outstanding
  }

  get(number: number): SentPacket | undefined {
    return number < this.#first ? undefined : this.#packets[this.#head + number - this.#first]
  }

  /** Numbers that were left out carried nothing that has to be acknowledged. */
  add(packet: SentPacket): void {
    for (; this.#next < packet.number; this.#next++) this.#packets.push(undefined)
    this.#packets.push(packet)
    this.#next++
    this.#outstanding++
  }

  /** Takes a packet out: it is acknowledged or lost. */
  take(number: number): SentPacket | undefined {
    const packet = this.get(number)
    if (packet === undefined) return undefined
    this.#packets[this.#head + number - this.#first] = undefined
    this.#outstanding--
    return packet
  }

  /** Forgets the front in which nothing is outstanding. */
  trim(): void {
    while (this.#head < this.#packets.length && this.#packets[this.#head] === undefined) {
      this.#head++
      this.#first++
    }
    if (this.#head > SETTLED_FRONT && this.#head * 2 > this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head)
      this.#head = 0
    }
  }
}

/**
 * Ack-eliciting records in flight, by number. Numbers of other records are not among them, so that
 * a remote peer which makes this end acknowledge a lot, and acknowledges nothing, costs nothing here.
 */
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
  /** Whether it is acknowledged or lost. */
  settled: boolean
}

/** Settled ones are dropped when they are more than this, and more than the others. */
const MAX_SETTLED = 64

export class SentPackets {
  /** Ascending; bounded by the congestion windows. Those in front of `#head` are dropped. */
  #packets: SentPacket[] = []
  #head = 0
  #outstanding = 0

  /** Packets that are neither acknowledged nor lost. */
  get outstanding(): number {
    return this.#outstanding
  }

  /** The number of the last one was lower. */
  add(packet: SentPacket): void {
    this.#packets.push(packet)
    this.#outstanding++
  }

  /** The oldest that this holds for. */
  find(holds: (packet: SentPacket) => boolean): SentPacket | undefined {
    for (let index = this.#head; index < this.#packets.length; index++) {
      const packet = this.#packets[index] as SentPacket
      if (!packet.settled && holds(packet)) return packet
    }
    return undefined
  }

  /** Takes those out that are acknowledged, from ≤ number ≤ to, the oldest first. */
  acknowledge(from: number, to: number, taken: (packet: SentPacket) => void): void {
    for (let index = this.#indexAfter(from - 1); index < this.#packets.length; index++) {
      const packet = this.#packets[index] as SentPacket
      if (packet.number > to) return
      if (!packet.settled) taken(this.#settle(packet))
    }
  }

  /** Takes those out that are lost, number ≤ to, the oldest first. */
  lose(to: number, isLost: (packet: SentPacket) => boolean, taken: (packet: SentPacket) => void): void {
    for (let index = this.#head; index < this.#packets.length; index++) {
      const packet = this.#packets[index] as SentPacket
      if (packet.number > to) return
      if (!packet.settled && isLost(packet)) taken(this.#settle(packet))
    }
  }

  /** Forgets what is settled, in front and where it is most of the rest. */
  trim(): void {
    while (this.#packets[this.#head]?.settled === true) this.#head++
    const settled = this.#packets.length - this.#outstanding
    if (settled <= MAX_SETTLED || settled <= this.#outstanding) return
    // Nearly always all of them are in front.
    if (this.#packets.length - this.#head === this.#outstanding) this.#packets = this.#packets.slice(this.#head)
    else this.#packets = this.#packets.filter((packet) => !packet.settled)
    this.#head = 0
  }

  #settle(packet: SentPacket): SentPacket {
    packet.settled = true
    this.#outstanding--
    return packet
  }

  /** Index of the first one of a higher number. */
  #indexAfter(number: number): number {
    let low = this.#head
    let high = this.#packets.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#packets[middle] as SentPacket).number <= number) low = middle + 1
      else high = middle
    }
    return low
  }
}

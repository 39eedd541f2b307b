/**
 * What was sent and has not been heard of: acknowledged, lost, or asked about (RFC 9002). Numbers are those of the records.
 * The delivery rate is sampled as in draft-ietf-ccwg-bbr §4.1.
 *
 * A path has its own round trip, controller, packet size and flight. After a move, what is still under way on the path before is
 * acknowledged or lost like everything else, but teaches the new path nothing (RFC 9000 §9.4).
 */
import { type Duration, duration, type Instant, later } from '../../endpoint/machine.ts'
import type { Congestion, CongestionFactory } from '../congestion/controller.ts'
import { ACK_DELAY } from '../limits.ts'
import { MtuDiscovery } from './mtu-discovery.ts'
import type { PathTraits } from './path-traits.ts'
import { GRANULARITY, Rtt } from './rtt.ts'
import type { SentFrame } from './sent-frame.ts'

/** RFC 9002 §6.1.1. */
const PACKET_THRESHOLD = 3
/** RFC 9002 §6.1.2. */
const TIME_THRESHOLD = 9 / 8
/** RFC 9002 §7.6.1. */
const PERSISTENT_THRESHOLD = 3
/** Probes go out less and less often, but never less than this. */
const MAX_BACKOFF = 6

/** One record that was sent and has to be acknowledged. */
export interface SentPacket {
  readonly number: number
  readonly sentAt: Instant
  readonly bytes: number
  readonly path: number
  readonly frames: readonly SentFrame[]
  /** Carries nothing but its size, which the path may be too narrow for: its loss tells of no congestion (RFC 9000 §14.4). */
  readonly sizeProbe: boolean
  /** For the delivery rate: what had been delivered when it was sent, and when. */
  readonly delivered: number
  readonly deliveredAt: Instant
  readonly firstSentAt: Instant
  readonly appLimited: boolean
}

export interface LossRecoveryHooks {
  acked(frame: SentFrame, now: Instant): void
  lost(frame: SentFrame, now: Instant): void
  lostPackets(count: number): void
}

export class LossRecovery {
  readonly #hooks: LossRecoveryHooks
  readonly #makeCongestion: CongestionFactory
  /** By number from #first on; bounded by the windows of the paths. */
  #packets: (SentPacket | undefined)[] = []
  #head = 0
  #first = 0
  #next = 0
  #largestAcked = -1
  /** Of this path, for the packet threshold: packets on another path are overtaken, not lost. */
  #largestAckedOfPath = -1
  #inFlight = 0
  /** All packets, of every path, that are not acknowledged or lost. */
  #outstanding = 0
  #path = 0
  #rtt = new Rtt()
  /** The other end may gather for so long before it acknowledges. */
  #ackDelay: Duration
  #mtu: MtuDiscovery
  /** Counts in packets of the size that every path takes: a little less bold than it might be on others. */
  #congestion: Congestion
  #delivered = 0
  #deliveredAt: Instant | undefined
  #firstSentAt: Instant | undefined
  /** `delivered` at which a time without enough to send is over; 0: there was none. */
  #appLimitedUntil = 0
  #lossTime: Instant | undefined
  #lastSent: Instant | undefined
  #backoff = 0
  #firstRttAt: Instant | undefined
  /** When the newest packet of this path was sent that is acknowledged. */
  #newestAckedSentAt: Instant | undefined

  constructor(hooks: LossRecoveryHooks, makeCongestion: CongestionFactory, traits: PathTraits) {
    this.#hooks = hooks
    this.#makeCongestion = makeCongestion
    this.#ackDelay = ACK_DELAY[traits.acks]
    this.#mtu = new MtuDiscovery(traits)
    this.#congestion = makeCongestion(traits.base)
  }

  get rtt(): Rtt {
    return this.#rtt
  }

  get mtu(): MtuDiscovery {
    return this.#mtu
  }

  get congestion(): Congestion {
    return this.#congestion
  }

  /** Times in a row that nothing came back in time. */
  get silence(): number {
    return this.#backoff
  }

  /** The highest number that was acknowledged; −1: none. */
  get largestAcked(): number {
    return this.#largestAcked
  }

  /** Bytes under way on this path. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Whether anything is under way, on whichever path. */
  get waits(): boolean {
    return this.#outstanding > 0
  }

  /** Bytes that may leave now. */
  get room(): number {
    return this.#congestion.window - this.#inFlight
  }

  /** How long nothing may come back before something is sent to ask. */
  get probeTimeout(): number {
    return this.#rtt.probeTimeout(this.#ackDelay) * 2 ** Math.min(this.#backoff, MAX_BACKOFF)
  }

  /** When something is lost, or has to be asked about. */
  get deadline(): Instant | undefined {
    if (this.#lossTime !== undefined) return this.#lossTime
    if (this.#outstanding === 0 || this.#lastSent === undefined) return undefined
    return later(this.#lastSent, duration(this.probeTimeout))
  }

  /** The application had less to say than the path could carry. */
  limitedByApplication(): void {
    this.#appLimitedUntil = Math.max(this.#delivered + this.#inFlight, 1)
  }

  /** A record that has to be acknowledged left. */
  sent(number: number, bytes: number, frames: readonly SentFrame[], now: Instant, sizeProbe = false): void {
    if (sizeProbe) this.#mtu.probeSent()
    if (this.#inFlight === 0) {
      this.#firstSentAt = now
      this.#deliveredAt = now
    }
    while (this.#next < number) this.#push(undefined)
    // One literal without a spread: there is one of these for each packet.
    this.#push({
      number,
      sentAt: now,
      bytes,
      path: this.#path,
      frames,
      sizeProbe,
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt ?? now,
      firstSentAt: this.#firstSentAt ?? now,
      appLimited: this.#appLimitedUntil > 0,
    })
    this.#inFlight += bytes
    this.#outstanding++
    this.#lastSent = now
  }

  /** An ACK frame. False when it acknowledges what was never sent (`upTo` and beyond). */
  acked(ranges: readonly number[], ackDelay: number, upTo: number, now: Instant): boolean {
    const largest = ranges[1] ?? -1
    if (largest >= upTo) return false
    const before = this.#inFlight
    const alreadyAcked = this.#newestAckedSentAt
    let newest: SentPacket | undefined
    let oldest: SentPacket | undefined
    let bytes = 0
    let largestIsNew = false
    for (let index = 0; index + 1 < ranges.length; index += 2) {
      const [from, to] = [Math.max(ranges[index] as number, this.#first), ranges[index + 1] as number]
      // Everything older is settled.
      if (to < this.#first) break
      for (let number = to; number >= from; number--) {
        const packet = this.#take(number)
        if (packet === undefined) continue
        if (number === largest) largestIsNew = true
        for (const frame of packet.frames) this.#hooks.acked(frame, now)
        if (packet.path !== this.#path) continue
        this.#mtu.acked(packet.number, packet.bytes, packet.sizeProbe)
        newest ??= packet
        oldest = packet
        bytes += packet.bytes
        this.#inFlight -= packet.bytes
      }
    }
    this.#largestAcked = Math.max(this.#largestAcked, largest)
    if (newest !== undefined) {
      this.#largestAckedOfPath = Math.max(this.#largestAckedOfPath, newest.number)
      if (alreadyAcked === undefined || newest.sentAt > alreadyAcked) this.#newestAckedSentAt = newest.sentAt
      this.#learn(newest, bytes, before, largestIsNew && newest.number === largest ? ackDelay : undefined, now)
    }
    this.#detect(now, alreadyAcked, oldest?.sentAt)
    this.#trim()
    return true
  }

  /** The deadline has come. @returns whether something has to be sent to ask */
  wake(now: Instant): 'probe' | undefined {
    const { deadline } = this
    if (deadline === undefined || deadline > now) return undefined
    if (this.#lossTime !== undefined) {
      this.#detect(now)
      this.#trim()
      return undefined
    }
    this.#backoff++
    // Until the probe leaves, which may take a while when there is no path.
    this.#lastSent = now
    return 'probe'
  }

  /** The frames of the oldest packet that waits, to be sent once more without waiting any longer. */
  oldest(): readonly SentFrame[] {
    for (let index = this.#head; index < this.#packets.length; index++) {
      const packet = this.#packets[index]
      if (packet !== undefined && packet.frames.length > 0) return packet.frames
    }
    return []
  }

  /** Another path from now on. @param dead nothing more comes back from the one before: all that is under way is lost */
  move(traits: PathTraits, dead: boolean, now: Instant): void {
    this.#path++
    this.#rtt = new Rtt()
    this.#ackDelay = ACK_DELAY[traits.acks]
    this.#mtu = new MtuDiscovery(traits)
    this.#congestion = this.#makeCongestion(traits.base)
    this.#inFlight = 0
    this.#backoff = 0
    this.#largestAckedOfPath = -1
    this.#firstRttAt = undefined
    this.#newestAckedSentAt = undefined
    this.#appLimitedUntil = 0
    this.#lossTime = undefined
    if (!dead) return
    for (let index = this.#head; index < this.#packets.length; index++) {
      const packet = this.#packets[index]
      if (packet !== undefined) this.#lose(packet, now)
    }
    this.#trim()
  }

  /** What an acknowledgement teaches of the path. @param ackDelay undefined when the round trip cannot be told by it */
  #learn(newest: SentPacket, bytes: number, before: number, ackDelay: number | undefined, now: Instant): void {
    this.#backoff = 0
    let rtt: number | undefined
    if (ackDelay !== undefined) {
      rtt = now - newest.sentAt
      this.#rtt.update(rtt, ackDelay, this.#ackDelay)
      this.#firstRttAt ??= now
    }
    this.#delivered += bytes
    this.#deliveredAt = now
    this.#firstSentAt = newest.sentAt
    if (this.#appLimitedUntil > 0 && this.#delivered > this.#appLimitedUntil) this.#appLimitedUntil = 0
    const interval = Math.max(newest.sentAt - newest.firstSentAt, now - newest.deliveredAt)
    // Shorter than the shortest round trip it is a burst, which tells nothing.
    const usable = interval > 0 && interval >= this.#rtt.min * 0.999
    this.#congestion.acked({
      ...{ now, rtt, acked: bytes, sentAt: newest.sentAt, newest: newest.number, next: this.#next },
      minRtt: this.#rtt.min,
      smoothedRtt: this.#rtt.smoothed,
      rate: usable ? (this.#delivered - newest.delivered) / interval : undefined,
      appLimited: newest.appLimited,
      delivered: this.#delivered,
      deliveredAtSend: newest.delivered,
      inFlightBefore: before,
      inFlight: this.#inFlight,
    })
  }

  /** RFC 9002 §6.1. @param acked when the newest packet that was acknowledged before was sent. @param ackedNow the oldest that is now */
  #detect(now: Instant, acked = this.#newestAckedSentAt, ackedNow?: Instant): void {
    const delay = Math.max(TIME_THRESHOLD * Math.max(this.#rtt.latest, this.#rtt.smoothed), GRANULARITY)
    this.#lossTime = undefined
    let bytes = 0
    let oldest: SentPacket | undefined
    let newest: SentPacket | undefined
    for (let index = this.#head; index < this.#packets.length; index++) {
      const packet = this.#packets[index]
      if (packet === undefined) continue
      if (packet.number > this.#largestAcked) break
      const ofPath = packet.path === this.#path
      const overtaken = ofPath && packet.number + PACKET_THRESHOLD <= this.#largestAckedOfPath
      const at = later(packet.sentAt, duration(delay))
      if (overtaken || at <= now) {
        if (ofPath && !packet.sizeProbe) {
          bytes += packet.bytes
          oldest ??= packet
          newest = packet
        }
        this.#lose(packet, now)
      } else if (this.#lossTime === undefined || at < this.#lossTime) this.#lossTime = at
    }
    if (newest === undefined || oldest === undefined) return
    const span = PERSISTENT_THRESHOLD * this.#rtt.probeTimeout(this.#ackDelay)
    const known = this.#firstRttAt !== undefined && oldest.sentAt > this.#firstRttAt
    // Nothing in between may have arrived.
    const arrived =
      (acked !== undefined && acked >= oldest.sentAt) || (ackedNow !== undefined && ackedNow <= newest.sentAt)
    this.#congestion.lost({
      ...{ now, lost: bytes, sentAt: newest.sentAt, inFlight: this.#inFlight },
      persistent: known && newest.sentAt - oldest.sentAt > span && !arrived,
    })
  }

  #lose(packet: SentPacket, now: Instant): void {
    this.#take(packet.number)
    if (packet.path === this.#path) {
      this.#inFlight -= packet.bytes
      this.#mtu.lost(packet.number, packet.bytes, packet.sizeProbe, now)
    }
    if (!packet.sizeProbe) this.#hooks.lostPackets(1)
    for (const frame of packet.frames) this.#hooks.lost(frame, now)
  }

  #push(packet: SentPacket | undefined): void {
    this.#packets.push(packet)
    this.#next++
  }

  #take(number: number): SentPacket | undefined {
    const index = this.#head + number - this.#first
    const packet = number < this.#first ? undefined : this.#packets[index]
    if (packet === undefined) return undefined
    this.#packets[index] = undefined
    this.#outstanding--
    return packet
  }

  /** Forgets the settled front; the array is cut when half of it is settled. */
  #trim(): void {
    while (this.#head < this.#packets.length && this.#packets[this.#head] === undefined) {
      this.#head++
      this.#first++
    }
    if (this.#head > 64 && this.#head * 2 > this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head)
      this.#head = 0
    }
  }
}

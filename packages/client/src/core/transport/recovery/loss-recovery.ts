/**
 * Loss detection (RFC 9002 §6): which records are acknowledged, which are lost, and when a probe
 * has to be sent. Numbers are those of the records. After a migration, what is in flight on the
 * former path is acknowledged or lost like everything else, but teaches the new path nothing (RFC
 * 9000 §9.4).
 */
import { EventQueue } from '../../endpoint/event-queue.ts'
import { duration, type Instant, later } from '../../endpoint/machine.ts'
import type { CongestionFactory } from '../congestion/controller.ts'
import { PathState } from './path-state.ts'
import type { PathTraits } from './path-traits.ts'
import { GRANULARITY } from './rtt.ts'
import type { SentFrame } from './sent-frame.ts'
import { type SentPacket, SentPackets } from './sent-packets.ts'

/** RFC 9002 §6.1.1, kPacketThreshold. */
const PACKET_THRESHOLD = 3
/** RFC 9002 §6.1.2, kTimeThreshold. */
const TIME_THRESHOLD = 9 / 8
/** RFC 9002 §7.6.1, kPersistentCongestionThreshold. */
const PERSISTENT_CONGESTION_THRESHOLD = 3

export class LossRecovery {
  /** Polled by the owner after each call that may add to them. */
  readonly acked: EventQueue<SentPacket> = new EventQueue()
  readonly lost: EventQueue<SentPacket> = new EventQueue()
  readonly #makeCongestion: CongestionFactory
  readonly #packets = new SentPackets()
  #path: PathState
  #largestAcked = -1
  /** The same of records that ask for it: what was sent before it may be lost. */
  #newestAcked = -1
  #nextNumber = 0
  /** When the next packet is lost by the time threshold. */
  #lossTime: Instant | undefined
  /**
   * When the first packet left that nothing has answered: the clock of the probe timeout. RFC 9002
   * §6.2.1 starts it anew with each packet that is sent. Then one that is sent every few
   * milliseconds hides a dead path until the congestion window is full.
   */
  #unansweredSince: Instant | undefined
  #sentCount = 0
  #lostCount = 0

  constructor(makeCongestion: CongestionFactory, traits: PathTraits) {
    this.#makeCongestion = makeCongestion
    this.#path = new PathState(traits, makeCongestion)
  }

  /** The path of the next record. */
  get path(): PathState {
    return this.#path
  }

  /** The highest acknowledged number, on any path; −1: none. */
  get largestAcked(): number {
    return this.#largestAcked
  }

  /** Whether anything is in flight, on any path. */
  get hasOutstanding(): boolean {
    return this.#packets.outstanding > 0
  }

  /** Ack-eliciting records so far, and those of them that were lost, path MTU probes left out. */
  get sentCount(): number {
    return this.#sentCount
  }

  get lostCount(): number {
    return this.#lostCount
  }

  /** Next loss-detection or probe-timeout deadline (RFC 9002 §6.1.2, §6.2). */
  get deadline(): Instant | undefined {
    if (this.#lossTime !== undefined) return this.#lossTime
    if (!this.hasOutstanding || this.#unansweredSince === undefined) return undefined
    return later(this.#unansweredSince, this.#path.probeTimeout)
  }

  /** The frames of the oldest packets in flight, to be sent again with a probe (RFC 9002 §6.2.4). */
  oldestFrames(packets: number): readonly SentFrame[] {
    const oldest: SentFrame[] = []
    let left = packets
    this.#packets.find(({ frames }) => {
      oldest.push(...frames)
      return frames.length > 0 && --left === 0
    })
    return oldest
  }

  /** An ack-eliciting record left. */
  onPacketSent(number: number, bytes: number, frames: readonly SentFrame[], now: Instant): void {
    this.#add(number, bytes, frames, false, now)
  }

  /** A path MTU probe left. */
  onMtuProbeSent(number: number, bytes: number, now: Instant): void {
    this.#path.mtu.probeSent()
    this.#add(number, bytes, [], true, now)
  }

  /**
   * An ACK frame came.
   * @param ranges lowest, highest, lowest, highest, …: the newest range first
   * @param nextNumber of this end's records: one more than the highest that was sent
   * @returns false when it acknowledges what was never sent
   */
  onAckReceived(ranges: readonly number[], ackDelay: number, nextNumber: number, now: Instant): boolean {
    const largest = ranges[1] ?? -1
    if (largest >= nextNumber) return false
    const path = this.#path
    const { bytesInFlight, newestAckedSentAt } = path
    let newest: SentPacket | undefined
    let oldest: SentPacket | undefined
    let largestIsNew = false
    let anyIsNew = false
    const taken = (packet: SentPacket): void => {
      anyIsNew = true
      if (packet.number === largest) largestIsNew = true
      this.#newestAcked = Math.max(this.#newestAcked, packet.number)
      this.acked.push(packet)
      if (packet.path !== path) return
      path.mtu.acked(packet.number, packet.bytes, packet.mtuProbe)
      path.bytesInFlight -= packet.bytes
      oldest ??= packet
      newest = packet
    }
    // The oldest first: what a stream sent in a row is acknowledged in a row.
    for (let index = (ranges.length & ~1) - 2; index >= 0; index -= 2)
      this.#packets.acknowledge(ranges[index] as number, ranges[index + 1] as number, taken)
    this.#largestAcked = Math.max(this.#largestAcked, largest)
    // RFC 9002 A.7: what acknowledges nothing new tells nothing.
    if (!anyIsNew) return true
    if (newest !== undefined) {
      path.largestAcked = Math.max(path.largestAcked, newest.number)
      if (newestAckedSentAt === undefined || newest.sentAt > newestAckedSentAt) path.newestAckedSentAt = newest.sentAt
      // The largest may be of a record that asked for no acknowledgement. Its time is not known; for
      // the first sample of a path the time of the newest one that is known will do.
      const measures = (largestIsNew && newest.number === largest) || !path.rtt.measured
      this.#update(newest, bytesInFlight, measures ? ackDelay : undefined, now)
    }
    this.#detectLosses(now, newestAckedSentAt, oldest?.sentAt)
    this.#packets.trim()
    return true
  }

  /**
   * The deadline has come (RFC 9002 §6.2).
   * @returns whether the owner has to send a probe
   */
  onTimeout(now: Instant): 'probe' | undefined {
    const { deadline } = this
    if (deadline === undefined || deadline > now) return undefined
    if (this.#lossTime !== undefined) {
      this.#detectLosses(now, this.#path.newestAckedSentAt)
      this.#packets.trim()
      return undefined
    }
    this.#path.ptoCount++
    this.#unansweredSince = now
    return 'probe'
  }

  /** Another path from now on. `abandonInFlight`: what is in flight on the former one is lost. */
  migrate(traits: PathTraits, { abandonInFlight }: { readonly abandonInFlight: boolean }): void {
    this.#path = new PathState(traits, this.#makeCongestion)
    this.#lossTime = undefined
    this.#unansweredSince = undefined
    if (!abandonInFlight) return
    this.#packets.lose(
      Number.POSITIVE_INFINITY,
      () => true,
      (packet) => this.#onLost(packet),
    )
    this.#packets.trim()
  }

  #add(number: number, bytes: number, frames: readonly SentFrame[], mtuProbe: boolean, now: Instant): void {
    const path = this.#path
    const { deliveryRate } = path
    if (path.bytesInFlight === 0) deliveryRate.restart(now)
    if (!this.hasOutstanding) this.#unansweredSince = undefined
    this.#unansweredSince ??= now
    // One literal without a spread: there is one of these for each packet.
    this.#packets.add({
      number,
      sentAt: now,
      bytes,
      path,
      frames,
      mtuProbe,
      delivered: deliveryRate.delivered,
      deliveredAt: deliveryRate.deliveredAt(now),
      firstSentAt: deliveryRate.firstSentAt(now),
      appLimited: deliveryRate.appLimited,
      settled: false,
    })
    this.#nextNumber = number + 1
    path.bytesInFlight += bytes
    path.pacer.sent(bytes)
    this.#sentCount++
  }

  /**
   * What an acknowledgement tells of the path.
   * @param ackDelay undefined when it measures no round trip
   */
  #update(newest: SentPacket, bytesInFlightBefore: number, ackDelay: number | undefined, now: Instant): void {
    const path = this.#path
    const { rtt, congestion, deliveryRate, bytesInFlight } = path
    const bytes = bytesInFlightBefore - bytesInFlight
    path.ptoCount = 0
    this.#unansweredSince = now
    let sample: number | undefined
    if (ackDelay !== undefined) {
      sample = now - newest.sentAt
      rtt.update(sample, ackDelay, path.maxAckDelay)
      path.firstRttSampleAt ??= now
    }
    const rate = deliveryRate.sample(bytes, newest, rtt.min, now)
    congestion.acked({
      now,
      acked: bytes,
      sentAt: newest.sentAt,
      newest: newest.number,
      next: this.#nextNumber,
      rtt: sample,
      minRtt: rtt.min,
      smoothedRtt: rtt.smoothed,
      rate,
      appLimited: newest.appLimited,
      delivered: deliveryRate.delivered,
      deliveredAtSend: newest.delivered,
      inFlightBefore: bytesInFlightBefore,
      inFlight: bytesInFlight,
    })
  }

  /**
   * RFC 9002 §6.1.
   * @param ackedBefore when the newest packet was sent that was acknowledged before this time
   * @param ackedNow when the oldest packet was sent that is acknowledged now
   */
  #detectLosses(now: Instant, ackedBefore: Instant | undefined, ackedNow?: Instant): void {
    const path = this.#path
    const delay = duration(Math.max(TIME_THRESHOLD * Math.max(path.rtt.latest, path.rtt.smoothed), GRANULARITY))
    this.#lossTime = undefined
    let bytes = 0
    let oldest: SentPacket | undefined
    let newest: SentPacket | undefined
    const isLost = ({ number, path: sentOn, sentAt }: SentPacket): boolean => {
      const lossTime = later(sentAt, delay)
      if ((sentOn === path && number + PACKET_THRESHOLD <= path.largestAcked) || lossTime <= now) return true
      if (this.#lossTime === undefined || lossTime < this.#lossTime) this.#lossTime = lossTime
      return false
    }
    this.#packets.lose(this.#newestAcked, isLost, (packet) => {
      this.#onLost(packet)
      if (packet.path !== path) return
      path.bytesInFlight -= packet.bytes
      path.mtu.lost(packet.number, packet.bytes, packet.mtuProbe, now)
      if (packet.mtuProbe) return
      bytes += packet.bytes
      oldest ??= packet
      newest = packet
    })
    if (newest === undefined || oldest === undefined) return
    // Persistent congestion (RFC 9002 §7.6.2): nothing in between was acknowledged.
    const span = PERSISTENT_CONGESTION_THRESHOLD * path.rtt.probeTimeout(path.maxAckDelay)
    const measured = path.firstRttSampleAt !== undefined && oldest.sentAt > path.firstRttSampleAt
    const acked =
      (ackedBefore !== undefined && ackedBefore >= oldest.sentAt) ||
      (ackedNow !== undefined && ackedNow <= newest.sentAt)
    path.congestion.lost({
      ...{ now, lost: bytes, sentAt: newest.sentAt, inFlight: path.bytesInFlight },
      persistent: measured && newest.sentAt - oldest.sentAt > span && !acked,
    })
  }

  #onLost(packet: SentPacket): void {
    if (!packet.mtuProbe) this.#lostCount++
    this.lost.push(packet)
  }
}

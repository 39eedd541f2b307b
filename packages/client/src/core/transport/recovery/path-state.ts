/**
 * What is known of one path: its round trip, congestion window, pace and packet size. Migration
 * replaces the whole (RFC 9000 §9.4); packets in flight keep the state of the path that they were
 * sent on, and teach no other.
 */
import { type Duration, duration, type Instant } from '../../endpoint/machine.ts'
import type { Congestion, CongestionFactory } from '../congestion/controller.ts'
import type { RecoveryMetrics } from '../events.ts'
import { ACK_DELAY } from '../limits.ts'
import { DeliveryRate } from './delivery-rate.ts'
import { MtuDiscovery } from './mtu-discovery.ts'
import { Pacer } from './pacer.ts'
import type { Acks, PathTraits } from './path-traits.ts'
import { Rtt } from './rtt.ts'

/** The probe timeout doubles at most this often. */
const MAX_BACKOFF = 6

export class PathState {
  readonly acks: Acks
  readonly rtt: Rtt = new Rtt()
  readonly mtu: MtuDiscovery
  /**
   * Counts in packets of the base size: a little less bold than it might be on a path that takes
   * larger ones.
   */
  readonly congestion: Congestion
  readonly pacer: Pacer
  readonly deliveryRate: DeliveryRate = new DeliveryRate()
  /** max_ack_delay of the remote peer (RFC 9000 §18.2). */
  readonly maxAckDelay: Duration
  bytesInFlight = 0
  /** Probe timeouts in a row without an acknowledgement. */
  ptoCount = 0
  /** Highest acknowledged number; −1: none. Packets of another path are overtaken, not lost. */
  largestAcked = -1
  firstRttSampleAt: Instant | undefined
  /** When the newest acknowledged packet was sent. */
  newestAckedSentAt: Instant | undefined

  constructor(traits: PathTraits, makeCongestion: CongestionFactory) {
    this.acks = traits.acks
    this.maxAckDelay = ACK_DELAY[traits.acks]
    this.mtu = new MtuDiscovery(traits)
    this.congestion = makeCongestion(traits.base)
    this.pacer = new Pacer(traits.base)
  }

  /** Bytes that the congestion window has left: it always has room for one full record. */
  get availableWindow(): number {
    return Math.max(this.congestion.window, this.mtu.size) - this.bytesInFlight
  }

  get metrics(): RecoveryMetrics {
    const { rtt, congestion, ptoCount, bytesInFlight } = this
    const { measured } = rtt
    return {
      minRtt: measured ? rtt.min : undefined,
      smoothedRtt: measured ? rtt.smoothed : undefined,
      latestRtt: measured ? rtt.latest : undefined,
      rttVariation: measured ? rtt.variation : undefined,
      ...{ ptoCount, bytesInFlight, congestionWindow: congestion.window },
      pacingRate: congestion.pacingRate === undefined ? undefined : congestion.pacingRate * 1000,
    }
  }

  /** How long the first unanswered record has been unanswered, after `ptoCount` probe timeouts. */
  get silence(): Duration {
    const doubled = 2 ** Math.min(this.ptoCount, MAX_BACKOFF) - 1
    return duration(this.rtt.probeTimeout(this.maxAckDelay) * doubled)
  }

  /** Probe timeout with exponential backoff (RFC 9002 §6.2.1). */
  get probeTimeout(): Duration {
    return duration(this.rtt.probeTimeout(this.maxAckDelay) * 2 ** Math.min(this.ptoCount, MAX_BACKOFF))
  }
}

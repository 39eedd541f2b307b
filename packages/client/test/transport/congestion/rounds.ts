/** Acknowledgements of whole round trips, as a controller is told of them. */
import { duration, type Instant, instant, later } from '../../../src/core/index.ts'
import type { AckSample, Congestion } from '../../../src/core/transport/congestion/controller.ts'

export const PACKET = 1200

export interface Round {
  /** In ms. */
  readonly rtt: number
  /** Bytes per ms that arrive. @default what the window allows in a round trip */
  readonly rate?: number
  /** @default the window */
  readonly inFlightBefore?: number
  /** After each ACK. @default the same: as much is sent again */
  readonly inFlight?: number
  /** @default false */
  readonly appLimited?: boolean
  /** ACK frames in the round. @default 1 */
  readonly acks?: number
}

export class Rounds {
  readonly congestion: Congestion
  now: Instant = instant(1000)
  #delivered = 0
  #number = 0
  #minRtt = Number.POSITIVE_INFINITY

  constructor(congestion: Congestion) {
    this.congestion = congestion
  }

  /** One round trip in which a whole flight is acknowledged. @returns the window afterwards */
  round({ rtt, rate, appLimited = false, acks = 1, ...flight }: Round): number {
    const { window } = this.congestion
    const bytes = rate === undefined ? window : rate * rtt
    const { inFlightBefore = window } = flight
    const sentAt = this.now
    const deliveredAtSend = this.#delivered
    const first = this.#number
    this.#number += acks
    this.#minRtt = Math.min(this.#minRtt, rtt)
    this.now = later(this.now, duration(rtt))
    for (let ack = 0; ack < acks; ack++) {
      const acked = bytes / acks
      this.#delivered += acked
      const sample: AckSample = {
        now: this.now,
        acked,
        sentAt,
        newest: first + ack,
        next: this.#number,
        rtt,
        minRtt: this.#minRtt,
        smoothedRtt: rtt,
        rate: bytes / rtt,
        appLimited,
        delivered: this.#delivered,
        deliveredAtSend,
        inFlightBefore,
        inFlight: flight.inFlight ?? inFlightBefore,
      }
      this.congestion.acked(sample)
    }
    return this.congestion.window
  }

  /** Nothing is sent for so many ms. */
  pause(ms: number): void {
    this.now = later(this.now, duration(ms))
  }

  /** Packets are lost; the newest of them was sent so long ago. */
  lose({ ago = 0, persistent = false }: { readonly ago?: number; readonly persistent?: boolean } = {}): number {
    const sentAt = instant(this.now - ago)
    this.congestion.lost({ now: this.now, lost: PACKET, sentAt, inFlight: 0, persistent })
    return this.congestion.window
  }
}

/** Sends datagrams of flows, and counts those that are not sent. */
import type { Connection } from '@showchain/client'
import { datagram, FLOW_BYTES } from '../core/index.ts'
import type { TunnelCounters } from './ports.ts'

/** Told once: the path takes no more than `most` bytes of payload. */
export type TooLarge = (bytes: number, most: number) => void

export class DatagramSender {
  readonly counters: TunnelCounters
  readonly #tooLarge: TooLarge

  constructor(counters: TunnelCounters, tooLarge: TooLarge) {
    this.counters = counters
    this.#tooLarge = tooLarge
  }

  send(connection: Connection, flow: number, payload: Uint8Array): void {
    const { counters } = this
    const most = connection.maxDatagramSize - FLOW_BYTES
    if (payload.length > most) {
      if (counters.tooLarge++ === 0) this.#tooLarge(payload.length, most)
      return
    }
    connection.sendDatagram(datagram({ flow, payload })).then(
      () => {
        counters.sent += payload.length
      },
      // The queue is full, or the connection has ended.
      () => {
        counters.dropped++
      },
    )
  }
}

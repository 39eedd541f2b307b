/** A datagram on a simulated network. */
import type { Endpoint } from '@showchain/wire'

/** A UDP datagram with its addresses. */
export interface Packet {
  readonly source: Endpoint
  readonly destination: Endpoint
  readonly bytes: Uint8Array
}

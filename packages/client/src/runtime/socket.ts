/** A UDP socket as a port: Node's own, the simulator's, or either with injected faults. */
import type { Endpoint } from '@showchain/wire'
import type { Datagram } from '../core/endpoint/machine.ts'

export interface DatagramSocket {
  /** Sends or loses the datagram; never throws. What cannot be sent is counted by the binding. */
  send(to: Endpoint, bytes: Uint8Array): void
  /** Sets the one receiver; what comes in before there is one is lost. */
  onDatagram(receive: (datagram: Datagram) => void): void
  /** What the socket is bound to, with the ports it got; wildcard addresses as they are. */
  readonly localEndpoints: readonly Endpoint[]
  /** Nothing is sent or delivered after it. Closing twice is closing once. */
  close(): Promise<void>
}

/** Any socket, with a bad line in front of it: works on Node's sockets and on the simulator's. */
import { duration, later } from '@showchain/client/core'
import type { Clock, DatagramSocket } from '@showchain/client/runtime'
import type { Random } from '@showchain/crypto/core'
import { arrivals, type Conditions, GOOD_CONDITIONS } from './conditions.ts'

export interface Faults extends Partial<Conditions> {
  readonly clock: Clock
  /** Decides each datagram's fate: seeded, the same datagrams meet the same fate. */
  readonly random: Random
  /** @default 'both' */
  readonly direction?: 'sent' | 'received' | 'both' | undefined
}

/** @param faults conditions that are not given are perfect. */
export function faultySocket(socket: DatagramSocket, faults: Faults): DatagramSocket {
  const { clock, random, direction = 'both', ...given } = faults
  const conditions: Conditions = { ...GOOD_CONDITIONS, latency: duration(0), ...given }
  let closed = false
  const through = (deliver: () => void): void => {
    for (const delay of arrivals(conditions, random)) {
      if (delay === 0) deliver()
      else clock.schedule(later(clock.now(), delay), () => !closed && deliver())
    }
  }
  return {
    get localEndpoints() {
      return socket.localEndpoints
    },
    send(to, bytes) {
      if (direction === 'received') socket.send(to, bytes)
      // A copy: the sender may use its buffer again before a late one leaves.
      else through(() => socket.send(to, bytes.slice()))
    },
    onDatagram(receive) {
      socket.onDatagram((datagram) => {
        if (direction === 'sent') receive(datagram)
        else through(() => receive({ ...datagram, bytes: datagram.bytes.slice() }))
      })
    },
    close() {
      closed = true
      return socket.close()
    },
  }
}

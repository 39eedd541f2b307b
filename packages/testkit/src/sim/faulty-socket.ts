/** Any socket, with a bad line in front of it: works on Node's sockets and on the simulator's. */
import { duration, later } from '@showchain/client/core'
import type { Clock, DatagramSocket } from '@showchain/client/runtime'
import type { Random } from '@showchain/crypto/core'
import { type Endpoint, ipFamily } from '@showchain/wire'
import { type Conditions, GOOD_CONDITIONS } from './conditions.ts'
import { Line } from './line.ts'

/** What happens to a socket's datagrams. */
export interface Faults extends Partial<Conditions> {
  readonly clock: Clock
  /** Decides each datagram's fate: seeded, the same datagrams meet the same fate. */
  readonly random: Random
  /** @default 'both' */
  readonly direction?: 'sent' | 'received' | 'both' | undefined
}

/**
 * A socket whose datagrams meet these conditions.
 * @param faults conditions that are not given are perfect
 */
export function faultySocket(socket: DatagramSocket, faults: Faults): DatagramSocket {
  const { clock, random, direction = 'both', ...given } = faults
  const conditions: Conditions = { ...GOOD_CONDITIONS, latency: duration(0), ...given }
  let closed = false
  const [out, back] = [new Line(random), new Line(random)]
  const through = (line: Line, remote: Endpoint, bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void => {
    const carriage = line.carry(bytes, ipFamily(remote.ip) ?? 4, conditions, clock.now())
    for (const delay of carriage.delays) {
      // A copy: the sender may reuse the buffer before a delayed datagram leaves.
      const copy = carriage.bytes.slice()
      if (delay === 0) deliver(copy)
      else clock.schedule(later(clock.now(), delay), () => !closed && deliver(copy))
    }
  }
  return {
    get localEndpoints() {
      return socket.localEndpoints
    },
    send(to, bytes) {
      if (direction === 'received') socket.send(to, bytes)
      else through(out, to, bytes, (copy) => socket.send(to, copy))
    },
    unfragmented: (to) => socket.unfragmented?.(to),
    onDatagrams(receive) {
      if (direction === 'sent') return socket.onDatagrams(receive)
      socket.onDatagrams((batch) => {
        for (const { source, bytes } of batch)
          through(back, source, bytes, (copy) => receive([{ source, bytes: copy }]))
      })
    },
    close() {
      closed = true
      return socket.close()
    },
  }
}

/** A socket of node:dgram that takes part in mDNS on one link (RFC 6762 §11). */
import { createSocket } from 'node:dgram'
import { type Endpoint, ipFamily } from '@showchain/wire'
import type { Datagram } from '../../core/endpoint/machine.ts'
import type { LanLink } from '../../core/lan/link.ts'
import { MDNS_GROUP } from '../../core/lan/mdns.ts'
import { plain } from '../dgram-socket.ts'
import type { DatagramSocket } from '../socket.ts'

/** RFC 6762 §11: what came through a router has less. */
const HOPS = 255

/**
 * Beside those of other programs on this host, at the port of mDNS.
 * @throws Error of the system, when it cannot be bound, or the link is gone
 */
export function openMulticast(link: LanLink): Promise<DatagramSocket> {
  const own = link.subnets.find(({ ip }) => ipFamily(ip) === 4)?.ip
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  let receive: ((batch: readonly Datagram[]) => void) | undefined
  let closed = false
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      if (closed) return resolve()
      closed = true
      socket.close(() => resolve())
    })
  socket.on('message', (bytes, { address, port }) =>
    receive?.([{ bytes: plain(bytes), source: { ip: address, port } }]),
  )
  const opened: DatagramSocket = {
    localEndpoints: own === undefined ? [] : [{ ip: own, port: MDNS_GROUP.port }],
    // What the link does not take is lost, as on the way.
    send: (to: Endpoint, bytes) => void (closed || socket.send(bytes, to.port, to.ip, () => {})),
    onDatagrams: (next) => {
      receive = next
    },
    close,
  }
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => void close().then(() => reject(error))
    socket.once('error', failed)
    // Multicast comes to a socket that is bound to the wildcard address alone.
    socket.bind({ address: '0.0.0.0', port: MDNS_GROUP.port }, () => {
      try {
        socket.setMulticastTTL(HOPS)
        if (own !== undefined) socket.setMulticastInterface(own)
        socket.addMembership(MDNS_GROUP.ip, own)
      } catch (error) {
        return failed(error)
      }
      socket.off('error', failed)
      // The link may go away: then nothing comes.
      socket.on('error', () => {})
      resolve(opened)
    })
  })
}

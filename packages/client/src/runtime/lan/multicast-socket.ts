/** A socket of node:dgram that takes part in mDNS on one link (RFC 6762 §11). */
import { createSocket } from 'node:dgram'
import type { Endpoint } from '@showchain/wire'
import type { Datagram } from '../../core/endpoint/machine.ts'
import { scopeOf, socketOnLink } from '../../core/endpoint/route.ts'
import type { LanLink } from '../../core/lan/link.ts'
import { MDNS_GROUPS } from '../../core/lan/mdns.ts'
import { plain } from '../dgram-socket.ts'
import type { DatagramSocket } from '../socket.ts'
import { routeFrom, zoned } from '../zones.ts'

/** RFC 6762 §11: what came through a router has less. */
const HOPS = 255

/**
 * Beside those of other programs on this host, at the port of mDNS.
 * @throws Error of the system, when it cannot be bound, or the link is gone
 */
export function openMulticast(link: LanLink): Promise<DatagramSocket> {
  const { family, subnets, scope } = link
  const group = MDNS_GROUPS[family]
  const ip = subnets[0]?.ip
  // IPv4 names an interface by its address, IPv6 by its zone.
  const own = family === 4 ? ip : zoned({ ip: '::', port: group.port, socket: socketOnLink(scope) })
  const socket = createSocket(
    family === 4 ? { type: 'udp4', reuseAddr: true } : { type: 'udp6', reuseAddr: true, ipv6Only: true },
  )
  let receive: ((batch: readonly Datagram[]) => void) | undefined
  let closed = false
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      if (closed) return resolve()
      closed = true
      socket.close(() => resolve())
    })
  socket.on('message', (bytes, { address, port }) =>
    receive?.([{ bytes: plain(bytes), source: { ip: sourceOn(link, address, port), port } }]),
  )
  const opened: DatagramSocket = {
    localEndpoints: ip === undefined ? [] : [{ ip, port: group.port }],
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
    socket.bind({ address: family === 4 ? '0.0.0.0' : '::', port: group.port }, () => {
      try {
        socket.setMulticastTTL(HOPS)
        if (own !== undefined) socket.setMulticastInterface(own)
        socket.addMembership(group.ip, own)
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

/** The source without its zone, if that is the link's; else as it is, which is no address of the link. */
function sourceOn({ scope }: LanLink, address: string, port: number): string {
  const route = routeFrom(address, port)
  return route !== undefined && (scopeOf(route) === 0 || scopeOf(route) === scope) ? route.ip : address
}

/**
 * Looks for the description of a router (UPnP Device Architecture 1.1 §1.3): asks the router itself and
 * the network, and listens to the router alone.
 */
import { createSocket } from 'node:dgram'
import { routerUrl, UnusableRouter } from './router-url.ts'

/** UDA 1.1 §1.3.2. */
export const SSDP_PORT = 1900
const SSDP_GROUP = '239.255.255.250'
/** UDA 1.1 §1.1.2: of multicast. */
const SSDP_TTL = 2
const SEARCH_TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANIPConnection:2',
]
/** Milliseconds until a router is silent, which may wait for MX, a second. */
export const SEARCH_TIME = 1500
/** Bytes of an answer that are read; and answers of the router, of which most are of its other services. */
const MAX_ANSWER = 2048
const MAX_SSDP_ANSWERS = 32

const searchFor = (target: string, host: string): string =>
  `M-SEARCH * HTTP/1.1\r\nHOST: ${host}\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ${target}\r\n\r\n`

export interface Search {
  /** Address of the router. */
  readonly gateway: string
  /** Address of this host. */
  readonly local: string
  /** Of SSDP. */
  readonly port: number
  /** Milliseconds; at a third of it the router is asked once more, since datagrams are lost. */
  readonly time: number
}

/**
 * @returns where the description is; undefined: the router does not answer
 * @throws UnusableRouter when it answers that it is elsewhere
 */
export function findDescription({ gateway, local, port, time }: Search, signal: AbortSignal): Promise<URL | undefined> {
  const socket = createSocket('udp4')
  const timers: NodeJS.Timeout[] = []
  return new Promise<URL | undefined>((resolve, reject) => {
    let answers = 0
    let elsewhere = false
    const silent = (): void =>
      elsewhere ? reject(new UnusableRouter('its description is elsewhere')) : resolve(undefined)
    const search = (): void => {
      // A network without multicast has no way there; the router itself may answer yet.
      for (const ip of [gateway, SSDP_GROUP])
        for (const target of SEARCH_TARGETS) socket.send(searchFor(target, `${ip}:${port}`), port, ip, () => {})
    }
    signal.addEventListener('abort', silent, { once: true })
    socket.on('error', silent)
    socket.on('message', (bytes, { address }) => {
      if (address !== gateway || ++answers > MAX_SSDP_ANSWERS) return
      const location = locationOf(bytes.toString('latin1', 0, MAX_ANSWER))
      if (location === undefined) return
      const url = routerUrl(location, gateway)
      if (url === undefined) elsewhere = true
      else resolve(url)
    })
    socket.bind({ address: local, port: 0 }, () => {
      if (signal.aborted) return silent()
      socket.setMulticastTTL(SSDP_TTL)
      socket.setMulticastInterface(local)
      search()
      timers.push(setTimeout(search, time / 3), setTimeout(silent, time))
    })
  }).finally(() => {
    for (const timer of timers) clearTimeout(timer)
    socket.close()
  })
}

const locationOf = (answer: string): string | undefined =>
  /^HTTP\/1\.[01] 200 /.test(answer) ? /^location:[ \t]*(\S+)[ \t]*\r?$/im.exec(answer)?.[1] : undefined

/** A router that speaks UPnP, on loopback, as a test has it answer. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'

/** Of the router, and of this host. */
export const LOOPBACK = '127.0.0.1'

export const WAN_IP = 'urn:schemas-upnp-org:service:WANIPConnection:1'

/** Where it says that its control is. */
export const described = (control: string, { service = WAN_IP, base = '' } = {}): string =>
  `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major></specVersion>${base}
<device><serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
<controlURL>/other</controlURL></service></serviceList><deviceList><device><serviceList><service>
<serviceType>${service}</serviceType><controlURL>${control}</controlURL></service></serviceList></device>
</deviceList></device></root>`

const soap = (inside: string): string => `<?xml version="1.0"?><s:Envelope><s:Body>${inside}</s:Body></s:Envelope>`
export const outside = (ip: string): string =>
  soap(
    `<u:GetExternalIPAddressResponse xmlns:u="${WAN_IP}"><NewExternalIPAddress>${ip}</NewExternalIPAddress></u:GetExternalIPAddressResponse>`,
  )
const fault = (code: number): string =>
  soap(`<s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault>`)

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface FakeIgdOptions {
  /** What it says in place of where its description is. @param port of its HTTP */
  readonly location?: (port: number) => string
  /** In place of its description. */
  readonly description?: string | Handler
  /** In place of its outside address. */
  readonly address?: string
  /** The codes of its next answers to AddPortMapping: 0 is success. @default 0 */
  readonly codes?: readonly number[]
  /** Milliseconds until it answers, by HTTP. @default 0 */
  readonly slow?: number
  /** Does not answer AddPortMapping. */
  readonly hangs?: boolean
  /** Says something else than HTTP. */
  readonly raw?: (socket: Socket) => void
  /** Address that answers of SSDP come from. @default the router's */
  readonly source?: string
}

/** Who asks may leave while an answer is made: no fault of the router's. */
function unlessLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ECONNRESET') throw error
}

export class FakeIgd {
  /** Of SSDP. */
  readonly port: number
  /** Searches that came. */
  searches = 0
  /** What was asked for by HTTP, in order. */
  readonly asked: string[] = []
  /** Arguments of each AddPortMapping and DeletePortMapping. */
  readonly calls: Readonly<Record<string, string>>[] = []
  readonly #options: FakeIgdOptions
  readonly #udp: readonly UdpSocket[]
  readonly #http: Server
  readonly #open = new Set<Socket>()
  readonly #codes: number[]
  #onCall: (() => void) | undefined

  static async open(options: FakeIgdOptions = {}): Promise<FakeIgd> {
    const udp = [LOOPBACK, options.source ?? LOOPBACK].map((address) => {
      const socket = createSocket('udp4')
      socket.bind({ address, port: 0 })
      return socket
    })
    await Promise.all(udp.map((socket) => once(socket, 'listening')))
    let igd: FakeIgd | undefined
    const http = options.raw
      ? createTcpServer(options.raw)
      : createServer((...both) => void igd?.answer(...both).catch(unlessLeft))
    http.listen(0, LOOPBACK)
    await once(http, 'listening')
    igd = new FakeIgd(options, udp, http)
    return igd
  }

  private constructor(options: FakeIgdOptions, udp: readonly UdpSocket[], http: Server) {
    this.#options = options
    this.#codes = [...(options.codes ?? [])]
    this.#udp = udp
    this.#http = http
    http.on('connection', (socket) => this.#open.add(socket.on('error', () => {})))
    this.port = udp[0]?.address().port ?? 0
    udp[0]?.on('message', (bytes, { address, port }) => {
      if (!bytes.toString().startsWith('M-SEARCH * HTTP/1.1\r\n')) return
      this.searches++
      const { port: own } = http.address() as AddressInfo
      const location = options.location?.(own) ?? `http://${LOOPBACK}:${own}/root.xml`
      udp[1]?.send(`HTTP/1.1 200 OK\r\nST: ${WAN_IP}\r\nLocation: ${location}\r\n\r\n`, port, address)
    })
  }

  /** Resolves with the next AddPortMapping. */
  called(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCall = resolve
    })
  }

  async close(): Promise<void> {
    for (const socket of new Set(this.#udp)) socket.close()
    for (const socket of this.#open) socket.destroy()
    this.#http.close()
    await once(this.#http, 'close')
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { description = described('/control'), address = outside('81.2.0.7') } = this.#options
    const { hangs = false, slow = 0 } = this.#options
    this.asked.push(`${request.method} ${request.url}`)
    if (slow > 0) await setTimeout(slow)
    if (request.method === 'GET')
      return typeof description === 'string' ? void response.end(description) : description(request, response)
    const body = await text(request)
    const action = /#(\w+)"$/.exec(String(request.headers.soapaction))?.[1] ?? ''
    if (action === 'GetExternalIPAddress') return void response.end(address)
    const args = [...body.matchAll(/<(New\w+)>([^<]*)</g)].map(([, name = '', value = '']) => [name, value] as const)
    this.calls.push({ action, ...Object.fromEntries(args) })
    this.#onCall?.()
    if (action === 'AddPortMapping' && hangs) return
    const code = action === 'AddPortMapping' ? (this.#codes.shift() ?? 0) : 0
    if (code === 0) return void response.end(soap(`<u:${action}Response xmlns:u="${WAN_IP}"/>`))
    response.writeHead(500).end(fault(code))
  }
}

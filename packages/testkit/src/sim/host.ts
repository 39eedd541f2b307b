/** A host on a network: a name, addresses, and sockets on ports, as the operating system would give them. */
import type { Datagram } from '@showchain/client/core'
import type { DatagramSocket } from '@showchain/client/runtime'
import { type Endpoint, ipFamily, ShowchainError } from '@showchain/wire'
import type { Network, Packet, Station } from './network.ts'

/** Dynamic ports start here (RFC 6335 §6). */
const FIRST_DYNAMIC_PORT = 49_152

export class Host implements Station {
  readonly name: string
  readonly #network: Network
  /** By port; bounded by what the scenario opens. */
  readonly #sockets = new Map<number, VirtualSocket>()
  #ips: readonly string[]
  #nextPort = FIRST_DYNAMIC_PORT

  /** @param ips in canonical form, the preferred one of each family first. */
  constructor(network: Network, name: string, ips: readonly string[]) {
    this.#network = network
    this.name = name
    this.#ips = ips
    network.attach(this)
  }

  get ips(): readonly string[] {
    return this.#ips
  }

  /** Gives the host other addresses, as a phone gets them that leaves the house. Its sockets stay open. */
  moveTo(...ips: readonly string[]): void {
    this.#network.detach(this)
    this.#ips = ips
    this.#network.attach(this)
  }

  /** Opens a socket on all addresses of the host. @param port 0 for any. @throws ShowchainError `ERR_ADDRESS_IN_USE` */
  socket(port = 0): DatagramSocket {
    const bound = port === 0 ? this.#freePort() : port
    if (this.#sockets.has(bound)) throw new ShowchainError('ERR_ADDRESS_IN_USE', `Got ${this.name}:${bound}.`)
    const socket = new VirtualSocket(this, bound, {
      send: (packet) => this.#network.carry(packet, this),
      closed: () => this.#sockets.delete(bound),
    })
    this.#sockets.set(bound, socket)
    return socket
  }

  deliver(packet: Packet): void {
    const socket = this.#sockets.get(packet.destination.port)
    if (socket !== undefined) return socket.deliver(packet)
    const { clock, timeline } = this.#network
    const entry = { type: 'packet', from: packet.source.ip, to: this.name, fate: 'unbound', arrivals: [] } as const
    timeline.add({ ...entry, at: clock.now(), packet })
  }

  #freePort(): number {
    while (this.#sockets.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }
}

class VirtualSocket implements DatagramSocket {
  readonly #host: Host
  readonly #port: number
  readonly #to: { send(packet: Packet): void; closed(): void }
  #receive: ((datagram: Datagram) => void) | undefined
  #closed = false

  constructor(host: Host, port: number, to: { send(packet: Packet): void; closed(): void }) {
    this.#host = host
    this.#port = port
    this.#to = to
  }

  get localEndpoints(): readonly Endpoint[] {
    return this.#host.ips.map((ip) => ({ ip, port: this.#port }))
  }

  /** From the preferred address of the destination's family; without one the datagram is lost, as on a real host. */
  send(to: Endpoint, bytes: Uint8Array): void {
    const ip = this.#host.ips.find((own) => ipFamily(own) === ipFamily(to.ip))
    if (ip === undefined || this.#closed) return
    this.#to.send({ source: { ip, port: this.#port }, destination: to, bytes: bytes.slice() })
  }

  onDatagram(receive: (datagram: Datagram) => void): void {
    this.#receive = receive
  }

  deliver({ source, bytes }: Packet): void {
    this.#receive?.({ source, bytes })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#to.closed()
  }
}

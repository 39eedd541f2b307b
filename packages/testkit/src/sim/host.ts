/**
 * A host on a network: a name, addresses, and sockets on ports, as the operating system would give
 * them.
 */

import { BufferSlab, type Datagram, type Duration, later, type Subnet } from '@showchain/client/core'
import type { DatagramSocket, Scheduled } from '@showchain/client/runtime'
import { type Endpoint, ipFamily, ShowchainError, UDP_HEADERS } from '@showchain/wire'
import { carriesRecord } from '@showchain/wire/end-to-end'
import { type DgramType, virtualDgram } from './dgram.ts'
import type { Network, Station } from './network.ts'
import type { Packet } from './packet.ts'
import { runProgram } from './program.ts'

const datagrams = new BufferSlab()

/** In place of a record, when its batch is over. */
const USED_AGAIN = 0xee
/** Dynamic ports start here (RFC 6335 §6). */
const FIRST_DYNAMIC_PORT = 49_152

interface Interface extends Station {
  readonly network: Network
}

/** A host: addresses, and sockets with the interface of node:dgram. */
export class Host {
  readonly name: string
  /**
   * How long after a datagram the program on it has its turn: what came by then comes together.
   * Undefined: each datagram comes by itself, at once.
   */
  gathers: Duration | undefined
  /** Nothing of UDP goes in or out, as behind many a firewall of an office. */
  blocksUdp = false
  /** By port; bounded by what the scenario opens. */
  readonly #sockets = new Map<number, VirtualSocket>()
  /** The first one is the way to everywhere that no other is on. */
  #interfaces: readonly Interface[] = []
  /**
   * Bytes of the largest IP packet of its links, if its sockets are to say that they send no
   * fragments. @default undefined: they say nothing
   */
  linkMtu: number | undefined
  #nextPort = FIRST_DYNAMIC_PORT
  #multicasts = 0

  /** @param ips in canonical form, the preferred one of each family first. */
  constructor(network: Network, name: string, ips: readonly string[]) {
    this.name = name
    this.join(network, ...ips)
  }

  /** Addresses of all its interfaces. */
  get ips(): readonly string[] {
    return this.#interfaces.flatMap(({ ips }) => ips)
  }

  /** The network of its first interface. */
  get network(): Network {
    return (this.#interfaces[0] as Interface).network
  }

  get openSockets(): number {
    return this.#sockets.size + this.#multicasts
  }

  /** Adds an interface on another network. */
  join(network: Network, ...ips: readonly string[]): void {
    const added = { name: this.name, network, ips, deliver: (packet: Packet) => this.#deliver(packet) }
    network.attach(added)
    this.#interfaces = [...this.#interfaces, added]
  }

  /**
   * Gives the host other addresses, as a phone gets them that leaves the house. Its sockets stay
   * open.
   */
  moveTo(...ips: readonly string[]): void {
    this.moveToNetwork(this.network, ...ips)
  }

  /** Takes the host to another network, from the office to a café. Its sockets stay open. */
  moveToNetwork(network: Network, ...ips: readonly string[]): void {
    for (const each of this.#interfaces) each.network.detach(each)
    this.#interfaces = []
    this.join(network, ...ips)
  }

  /**
   * Opens a socket on all addresses of the host.
   * @param port 0 for any.
   * @throws ShowchainError `ERR_ADDRESS_IN_USE`
   */
  socket(port = 0): DatagramSocket {
    const bound = port === 0 ? this.#freePort() : port
    if (this.#sockets.has(bound)) throw new ShowchainError('ERR_ADDRESS_IN_USE', `Got ${this.name}:${bound}.`)
    const socket = new VirtualSocket(this, bound, {
      send: (port, to, bytes) => this.#send(port, to, bytes),
      closed: () => this.#sockets.delete(bound),
    })
    this.#sockets.set(bound, socket)
    return socket
  }

  /** The addresses of its first interface. */
  get subnets(): readonly Subnet[] {
    return (this.#interfaces[0] as Interface).ips.map((ip) => ({ ip, prefix: ipFamily(ip) === 4 ? 24 : 64 }))
  }

  /** A socket for multicast on the network of its first interface; gone with that, as on a real host. */
  multicast(port: number): DatagramSocket {
    const here = this.#interfaces[0] as Interface
    const [ip = ''] = here.ips
    const source = { ip, port }
    let receive: ((batch: readonly Datagram[]) => void) | undefined
    const station = { ...here, deliver: (packet: Packet) => this.blocksUdp || receive?.([packet]) }
    const leave = here.network.join(station)
    this.#multicasts++
    let closed = false
    return {
      localEndpoints: [source],
      send: (destination, bytes) => {
        if (!closed && !this.blocksUdp && this.#interfaces[0] === here)
          here.network.carryToAll({ source, destination, bytes: datagrams.copy(bytes) }, here)
      },
      onDatagrams: (next) => {
        receive = next
      },
      close: async () => {
        if (!closed) this.#multicasts--
        closed = true
        leave()
      },
    }
  }

  /** A socket for a program that is written for `node:dgram` (dgram.ts says what it has). */
  dgram(type: DgramType = 'udp4'): ReturnType<typeof virtualDgram> {
    return virtualDgram({ type, clock: this.network.clock, open: (port) => this.socket(port) })
  }

  /**
   * Runs a program that is written for Node, as it is: what it takes from `node:dgram`, timers,
   * `Date` and `performance` from now on is that of this host, until the scenario ends. Then its
   * sockets and timers are gone. The scenario fails when it starts a real timer or UDP socket.
   */
  run<Result>(program: () => Result): Result {
    const { clock } = this.network
    return runProgram({ name: this.name, clock, socket: (port) => this.socket(port) }, program)
  }

  /**
   * By the interface whose network has the destination, else by the first; without an address of
   * its family the datagram is lost, as on a real host.
   */
  #send(port: number, destination: Endpoint, bytes: Uint8Array): void {
    if (this.blocksUdp) return
    const family = ipFamily(destination.ip)
    const able = this.#interfaces.filter(({ ips }) => ips.some((ip) => ipFamily(ip) === family))
    const chosen = able.length > 1 ? (able.find(({ network }) => network.has(destination.ip)) ?? able[0]) : able[0]
    const ip = chosen?.ips.find((own) => ipFamily(own) === family)
    if (chosen !== undefined && ip !== undefined)
      chosen.network.carry({ source: { ip, port }, destination, bytes: datagrams.copy(bytes) }, chosen)
  }

  #deliver(packet: Packet): void {
    if (this.blocksUdp) return
    const socket = this.#sockets.get(packet.destination.port)
    if (socket !== undefined) return socket.deliver(packet)
    const { clock, timeline } = this.network
    const entry = { type: 'packet', from: packet.source.ip, to: this.name, fate: 'unbound', arrivals: [] } as const
    timeline.add({ ...entry, at: clock.now(), packet })
  }

  #freePort(): number {
    while (this.#sockets.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }
}

interface SocketPort {
  send(port: number, to: Endpoint, bytes: Uint8Array): void
  closed(): void
}

class VirtualSocket implements DatagramSocket {
  readonly #host: Host
  readonly #port: number
  readonly #to: SocketPort
  #receive: ((batch: readonly Datagram[]) => void) | undefined
  /** What came and is not delivered yet, and when it will be. */
  #batch: Datagram[] = []
  #delivery: Scheduled | undefined
  #closed = false

  constructor(host: Host, port: number, to: SocketPort) {
    this.#host = host
    this.#port = port
    this.#to = to
  }

  get localEndpoints(): readonly Endpoint[] {
    return this.#host.ips.map((ip) => ({ ip, port: this.#port }))
  }

  send(to: Endpoint, bytes: Uint8Array): void {
    if (!this.#closed) this.#to.send(this.#port, to, bytes)
  }

  unfragmented({ ip }: Endpoint): number | undefined {
    const { linkMtu } = this.#host
    return linkMtu && linkMtu - UDP_HEADERS[ipFamily(ip) ?? 4]
  }

  onDatagrams(receive: (batch: readonly Datagram[]) => void): void {
    this.#receive = receive
  }

  deliver({ source, bytes }: Packet): void {
    const { gathers, network } = this.#host
    if (gathers === undefined) return this.#handUp([{ source, bytes }])
    this.#batch.push({ source, bytes })
    if (this.#batch.length > 1) return
    const { clock } = network
    this.#delivery = clock.schedule(later(clock.now(), gathers), () => {
      const batch = this.#batch
      this.#batch = []
      this.#handUp(batch)
    })
  }

  /** As a socket may that lends its memory, it uses that of records again. */
  #handUp(batch: readonly Datagram[]): void {
    this.#receive?.(batch)
    for (const { bytes } of batch) if (carriesRecord(bytes)) bytes.fill(USED_AGAIN)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#delivery?.cancel()
    this.#to.closed()
  }
}

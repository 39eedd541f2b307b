/**
 * UDP on Node: one socket per address family behind one port of ours. Nothing that the network does
 * makes it throw: errors of sending are counted.
 */
import { canonicalIp, type Endpoint, ipFamily, quote, ShowchainError } from '@showchain/wire'
import type { Datagram, Route } from '../core/endpoint/machine.ts'
import { scopeOf } from '../core/endpoint/route.ts'
import { bindAll } from './bind.ts'
import type { BoundSocket } from './bound-socket.ts'
import { checkBuffers, RECEIVE_BUFFER } from './receive-buffer.ts'
import type { CountedSocket, SocketCounters, SocketImplementation, Unsent } from './socket.ts'
import { type ChosenSocket, chooseSocket, onlyBatched } from './socket-kind.ts'
import { LISTEN_EVERYWHERE, type ListenAddress, type UdpOptions } from './udp-options.ts'

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG` */
export async function openUdp(options: UdpOptions = {}): Promise<UdpSocket> {
  const { sockets, skipped, chosen } =
    options.descriptors === undefined ? await bound(options) : await adopted(options.descriptors)
  for (const { buffers } of sockets) checkBuffers(buffers, options.receiveBuffer ?? RECEIVE_BUFFER, options.onWarning)
  if (options.messagesOnly === true) for (const socket of sockets) socket.messagesOnly?.()
  return new UdpSocket(sockets, skipped, chosen, options)
}

interface Opened {
  readonly sockets: readonly BoundSocket[]
  readonly skipped: readonly ListenAddress[]
  readonly chosen: Pick<ChosenSocket, 'kind' | 'reason'>
}

async function adopted(descriptors: readonly number[]): Promise<Opened> {
  const { adopt } = await onlyBatched()
  return { sockets: descriptors.map(adopt), skipped: [], chosen: { kind: 'batched', reason: 'it is shared' } }
}

async function bound(options: UdpOptions): Promise<Opened> {
  const listen = (options.listen ?? LISTEN_EVERYWHERE).map(checked)
  const families = new Set(listen.map(({ host }) => ipFamily(host)))
  if (listen.length === 0 || families.size < listen.length)
    throw new ShowchainError('ERR_BAD_CONFIG', 'Listen on one address of each family, IPv4 or IPv6 or both.')
  const chosen = await chooseSocket(options.kind)
  return { ...(await bindAll(listen, chosen.bind)), chosen }
}

export class UdpSocket implements CountedSocket {
  readonly counters: SocketCounters = {
    sendFailed: 0,
    sendTooLarge: 0,
    sendBufferFull: 0,
    noSocket: 0,
    linkLocalSource: 0,
    socketErrors: 0,
  }
  readonly localEndpoints: readonly Endpoint[]
  /**
   * What was asked for and this host does not have: `::` beside `0.0.0.0` where there is no IPv6.
   */
  readonly skipped: readonly ListenAddress[]
  readonly implementation: SocketImplementation
  readonly #sockets: readonly BoundSocket[]
  readonly #linkLocal: boolean
  readonly #ipv4: BoundSocket | undefined
  readonly #ipv6: BoundSocket | undefined
  /** What came since the last batch ended; bounded by what a socket reads at once. */
  #batch: Datagram[] = []
  #receive: ((batch: readonly Datagram[]) => void) | undefined
  #closed: Promise<void> | undefined

  /** @param sockets at most one of each family. */
  constructor(
    sockets: readonly BoundSocket[],
    skipped: readonly ListenAddress[],
    { kind, reason }: Opened['chosen'],
    { borrows, linkLocal = false }: Pick<UdpOptions, 'borrows' | 'linkLocal'> = {},
  ) {
    this.#sockets = sockets
    this.skipped = skipped
    this.#linkLocal = linkLocal
    this.implementation = { kind, reason }
    this.localEndpoints = sockets.map(({ local }) => local)
    this.#ipv4 = sockets.find(({ local }) => ipFamily(local.ip) === 4)
    this.#ipv6 = sockets.find(({ local }) => ipFamily(local.ip) === 6)
    const { counters } = this
    const receiver = {
      borrows,
      datagram: (bytes: Uint8Array, source: Route | undefined) => this.#gather(bytes, source),
      batchEnded: () => this.#deliver(),
      unsent(why: Unsent, count: number) {
        counters[why] += count
      },
      failed() {
        counters.socketErrors++
      },
    }
    for (const socket of sockets) socket.receive(receiver)
  }

  send(to: Route, bytes: Uint8Array): void {
    if (this.#closed !== undefined) return
    const socket = this.#socketOf(to)
    if (socket === undefined) this.counters.noSocket++
    else socket.send(to, bytes)
  }

  flush(): void {
    for (const socket of this.#sockets) socket.flush?.()
  }

  unfragmented(to: Route): number | undefined {
    return this.#closed === undefined ? this.#socketOf(to)?.unfragmented?.(to) : undefined
  }

  onDatagrams(receive: (batch: readonly Datagram[]) => void): void {
    this.#receive = receive
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all(this.#sockets.map((socket) => socket.close())).then(() => {})
    return this.#closed
  }

  #socketOf({ ip }: Endpoint): BoundSocket | undefined {
    return ipFamily(ip) === 6 ? this.#ipv6 : this.#ipv4
  }

  #gather(bytes: Uint8Array, source: Route | undefined): void {
    if (this.#closed !== undefined) return
    if (source === undefined || (!this.#linkLocal && scopeOf(source) !== 0)) this.counters.linkLocalSource++
    // A source port of 0 means that no answer is possible (RFC 768): nothing that a protocol here
    // can use.
    else if (source.port !== 0) this.#batch.push({ bytes, source })
  }

  #deliver(): void {
    const batch = this.#batch
    if (batch.length === 0) return
    this.#batch = []
    if (this.#closed === undefined) this.#receive?.(batch)
  }
}

function checked({ host, port }: ListenAddress): ListenAddress {
  const ip = canonicalIp(host)
  if (ip === undefined)
    throw new ShowchainError('ERR_BAD_CONFIG', `Cannot listen on ${quote(host)}: not an IP address.`)
  return { host: ip, port }
}

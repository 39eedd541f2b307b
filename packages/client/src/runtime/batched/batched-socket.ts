/**
 * A socket of our own system calls: what the kernel has is read sixteen datagrams or trains at a
 * time, and what is sent while that is handled, or in one go, leaves in one call.
 */
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { type Endpoint, ipFamily, UDP_HEADERS } from '@showchain/wire'
import type { Route } from '../../core/endpoint/machine.ts'
import { type Bind, BindError, type BoundSocket, type SocketBuffers, type SocketReceiver } from '../bound-socket.ts'
import { unsent } from '../dgram-socket.ts'
import type { ListenAddress } from '../udp-options.ts'
import { keepDoor } from './doorkeeper.ts'
import { keepFreedMemory } from './kept-memory.ts'
import {
  AF_INET,
  AF_INET6,
  DATAGRAM_SOCKET,
  IP_MTU,
  IP_MTU_DISCOVER,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_V6ONLY,
  type Libc,
  PMTUDISC_PROBE,
  type PollCallback,
  type PollHandle,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOL_SOCKET,
  SOL_UDP,
  UDP_GRO,
} from './libc.ts'
import { ReceiveRing } from './receive-ring.ts'
import { MAX_WAITING, SendRing } from './send-ring.ts'
import { ADDRESS_ROOM, decodeAddress, encodeAddress } from './socket-address.ts'

/**
 * Datagrams that are handled before others have their turn, and before the answers leave: as many as
 * can wait to be sent. What goes to one place meets there.
 */
const DATAGRAMS_AT_ONCE = MAX_WAITING

const { EAGAIN, EBADF, EINTR } = constants.errno

/** Where batched sockets come from. */
export interface BatchedSockets {
  readonly bind: Bind
  /** One that is bound already, by a process that this one has it from. */
  readonly adopt: (descriptor: number) => BoundSocket
}

/** All sockets of it read through one ring: each read is over before the next one. */
export function batchedSockets(libc: Libc): BatchedSockets {
  keepFreedMemory()
  const incoming = new ReceiveRing(libc)
  return {
    bind: async (address) => new BatchedSocket(libc, openDescriptor(libc, address), incoming),
    adopt: (descriptor) => new BatchedSocket(libc, descriptor, incoming),
  }
}

/**
 * @param shared whether others of this user may be bound there, too: the kernel spreads what comes over
 *   them, by the addresses of both ends
 * @throws BindError
 */
export function openDescriptor(libc: Libc, address: ListenAddress, shared = false): number {
  const failed = (): BindError => {
    const code = getSystemErrorName(-libc.errno())
    return new BindError(address, Object.assign(new Error(`bind ${code}`), { code }))
  }
  const isIpv6 = ipFamily(address.host) === 6
  const descriptor = libc.socket(isIpv6 ? AF_INET6 : AF_INET, DATAGRAM_SOCKET, 0)
  if (descriptor < 0) throw failed()
  // An IPv4-mapped source must not occur: IPv4 has a socket of its own.
  if (isIpv6) setOption(libc, descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1)
  if (shared) setOption(libc, descriptor, SOL_SOCKET, SO_REUSEPORT, 1)
  const bytes = encodeAddress({ ip: address.host, port: address.port })
  if (libc.bind(descriptor, bytes, bytes.length) === 0) return descriptor
  const error = failed()
  libc.close(descriptor)
  throw error
}

function setOption(libc: Libc, descriptor: number, level: number, name: number, value: number): boolean {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return libc.setsockopt(descriptor, level, name, bytes, bytes.length) === 0
}

function getOption(libc: Libc, descriptor: number, level: number, name: number): number | undefined {
  const [value, length] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32LE(value.length)
  return libc.getsockopt(descriptor, level, name, value, length) === 0 ? value.readInt32LE() : undefined
}

/**
 * No datagram is fragmented: of a socket that does it, a probe that is too large for the path seems
 * to arrive. @returns whether the system can
 */
function neverFragment(libc: Libc, descriptor: number, family: 4 | 6): boolean {
  return family === 6
    ? setOption(libc, descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
    : setOption(libc, descriptor, IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)
}

/** The MTU of the link on the way from an address to another; undefined: there is no way. */
function linkMtu(libc: Libc, from: Endpoint, to: Route): number | undefined {
  const isIpv6 = ipFamily(to.ip) === 6
  const [descriptor, bytes] = [openDescriptor(libc, { host: from.ip, port: 0 }), encodeAddress(to)]
  try {
    if (libc.connect(descriptor, bytes, bytes.length) !== 0) return undefined
    const [level, name] = isIpv6 ? [IPPROTO_IPV6, IPV6_MTU] : [IPPROTO_IP, IP_MTU]
    return getOption(libc, descriptor, level, name)
  } finally {
    libc.close(descriptor)
  }
}

/** `then` of it is a microtask. `queueMicrotask` makes an AsyncResource, too: a dozen functions of Node's. */
const SOON = Promise.resolve()

class BatchedSocket implements BoundSocket {
  readonly local: Endpoint
  readonly buffers: SocketBuffers
  readonly #libc: Libc
  readonly #descriptor: number
  readonly #poll: PollHandle
  readonly #incoming: ReceiveRing
  readonly #outgoing: SendRing
  readonly #neverFragments: boolean
  #receiver: SocketReceiver | undefined
  /** What is sent now leaves when the batch is over. */
  #inBatch = false
  #flushDue = false
  #readDue = false
  /** libuv has stopped to watch the descriptor, as it does for any error of it. */
  #unwatched = false
  /** The kernel's buffer is full. */
  #blocked = false
  #closed = false

  constructor(libc: Libc, descriptor: number, incoming: ReceiveRing) {
    this.#libc = libc
    this.#descriptor = descriptor
    this.local = localOf(libc, descriptor)
    this.buffers = buffersOf(libc, descriptor)
    // A kernel before 5.0 has none; then each datagram comes by itself.
    const trains = setOption(libc, descriptor, SOL_UDP, UDP_GRO, 1)
    this.#neverFragments = neverFragment(libc, descriptor, ipFamily(this.local.ip) ?? 4)
    this.#incoming = incoming
    this.#outgoing = new SendRing(libc, trains)
    this.#poll = libc.poll(descriptor, { readable: true }, this.#ready)
  }

  send(to: Route, bytes: Uint8Array): void {
    if (this.#closed) return
    if (!this.#outgoing.add(to, bytes)) {
      this.flush()
      if (this.#closed) return
      if (!this.#outgoing.add(to, bytes)) return this.#receiver?.unsent('sendBufferFull', 1)
    }
    if (this.#inBatch || this.#flushDue || this.#blocked) return
    this.#flushDue = true
    void SOON.then(this.#flushNow)
  }

  flush(): void {
    if (this.#closed || this.#blocked || this.#outgoing.waiting === 0) return
    if (!this.#outgoing.flush(this.#descriptor, this.#unsent)) return
    this.#blocked = true
    this.#poll.start({ readable: true, writable: true }, this.#ready)
  }

  unfragmented(to: Route): number | undefined {
    if (!this.#neverFragments) return undefined
    try {
      const mtu = linkMtu(this.#libc, this.local, to)
      return mtu && mtu - UDP_HEADERS[ipFamily(to.ip) ?? 4]
    } catch {
      // No descriptor is left.
      return undefined
    }
  }

  messagesOnly(): void {
    keepDoor(this.#libc, this.#descriptor)
  }

  receive(receiver: SocketReceiver): void {
    this.#receiver = receiver
  }

  /** What was sent before it still leaves, unless the kernel's buffer is full. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.flush()
    if (this.#outgoing.waiting > 0) this.#receiver?.unsent('sendBufferFull', this.#outgoing.waiting)
    this.#closed = true
    this.#receiver = undefined
    this.#poll.close()
    this.#libc.close(this.#descriptor)
  }

  /**
   * Called by libuv outside of any callback of Node's: promises and ticks would wait there. An error
   * of the poll itself is one that the next read tells.
   */
  readonly #ready: PollCallback = (status, { writable }) => {
    if (status < 0) this.#unwatched = true
    else if (writable) {
      this.#blocked = false
      this.#poll.start({ readable: true }, this.#ready)
    }
    if (this.#readDue) return
    this.#readDue = true
    setImmediate(this.#read)
  }

  readonly #read = (): void => {
    this.#readDue = false
    if (this.#closed) return
    this.#inBatch = true
    try {
      for (let handled = 0; handled < DATAGRAMS_AT_ONCE && !this.#closed; ) {
        const { full, datagrams, errno } = this.#incoming.receive(
          this.#descriptor,
          this.#deliver,
          this.#receiver?.borrows,
        )
        handled += datagrams
        this.#receiver?.batchEnded()
        if (errno !== 0 && errno !== EAGAIN && errno !== EINTR) this.#receiver?.failed()
        if (this.#unwatched && !this.#closed) this.#watch(errno)
        if (!full) break
      }
    } finally {
      this.#inBatch = false
      this.flush()
    }
  }

  /** Goes on after an error, which the read has taken away; a descriptor that is none has no more. */
  #watch(errno: number): void {
    this.#unwatched = errno === EBADF
    if (!this.#unwatched) this.#poll.start({ readable: true, writable: this.#blocked }, this.#ready)
  }

  readonly #deliver = (bytes: Uint8Array, source: Route | undefined): void => {
    this.#receiver?.datagram(bytes, source)
  }

  readonly #unsent = (errno: number, count: number): void => {
    this.#receiver?.unsent(unsent(errno), count)
  }

  readonly #flushNow = (): void => {
    this.#flushDue = false
    this.flush()
  }
}

function localOf(libc: Libc, descriptor: number): Endpoint {
  const bytes = new Uint8Array(ADDRESS_ROOM)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  libc.getsockname(descriptor, bytes, length)
  // It was bound to an address that we wrote.
  return decodeAddress(bytes) as Endpoint
}

function buffersOf(libc: Libc, descriptor: number): SocketBuffers {
  return {
    setRecvBufferSize: (bytes) => setBuffer(libc, descriptor, SO_RCVBUFFORCE, SO_RCVBUF, bytes),
    setSendBufferSize: (bytes) => setBuffer(libc, descriptor, SO_SNDBUFFORCE, SO_SNDBUF, bytes),
    getRecvBufferSize: () => getOption(libc, descriptor, SOL_SOCKET, SO_RCVBUF) ?? 0,
  }
}

/** Above the limits of the system where this process may, else up to them. */
function setBuffer(libc: Libc, descriptor: number, forced: number, allowed: number, bytes: number): void {
  if (!setOption(libc, descriptor, SOL_SOCKET, forced, bytes)) setOption(libc, descriptor, SOL_SOCKET, allowed, bytes)
}

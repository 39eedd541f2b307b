/**
 * A sender that no process in the middle keeps up with, and a receiver: packets are prepared once,
 * and one system call sends or receives many of them (sendmmsg, recvmmsg, UDP_SEGMENT, UDP_GRO), as
 * a program in C would. Linux alone, through the package koffi.
 */
import type { Socket } from 'node:dgram'
import koffi from 'koffi'

/** Of the kernel's headers: see message-rings.ts of the client, which this must not depend on. */
export const HEADER = {
  bytes: 64,
  name: 0,
  nameLength: 8,
  vector: 16,
  vectors: 24,
  control: 32,
  controlLength: 40,
  length: 56,
}
const VECTOR_BYTES = 16
const CONTROL_BYTES = 24
const ADDRESS_BYTES = 16
const [AF_INET, SOL_UDP, UDP_SEGMENT, UDP_GRO] = [2, 17, 103, 104]
const LOOPBACK_BYTES = [127, 0, 0, 1]
const LARGEST = 65_535
/** Messages of one call. */
const RECEIVED_AT_ONCE = 64
/** When nothing came for so long, in ms, what is on its way is lost. */
const PATIENCE = 100

interface Calls {
  sendmmsg(descriptor: number, headers: Uint8Array, count: number, flags: number): number
  recvmmsg(descriptor: number, headers: Uint8Array, count: number, flags: number, timeout: null): number
  setsockopt(descriptor: number, level: number, name: number, value: Uint8Array, length: number): number
}

let loaded: Calls | undefined

/** Loaded when it is needed first: other systems have no such calls, and other benchmarks. */
function calls(): Calls {
  if (loaded !== undefined) return loaded
  const libc = koffi.load(null)
  loaded = {
    sendmmsg: libc.func('int sendmmsg(int, void *, unsigned int, int)') as never,
    recvmmsg: libc.func('int recvmmsg(int, void *, unsigned int, int, void *)') as never,
    setsockopt: libc.func('int setsockopt(int, int, int, void *, unsigned int)') as never,
  }
  return loaded
}

/** One way from a socket through the middle to another one. */
export interface Way {
  readonly from: Socket
  readonly to: Socket
  /** What is sent, again and again. */
  readonly packet: Uint8Array
}

export interface BlastOptions {
  readonly ways: readonly Way[]
  /** Of the one in the middle. */
  readonly port: number
  /** Of a packet as it arrives: whatever else comes is not counted. */
  readonly arrives: number
  /** Packets of one way after the other, in one call: as a train, or one by one. */
  readonly atOnce: number
  readonly train: boolean
  /** Packets on their way at once. */
  readonly window: number
  readonly seconds: number
}

export interface Blast {
  readonly seconds: number
  readonly arrived: number
  readonly lost: number
}

interface Handle {
  readonly fd: number
  recvStop(): void
}

/** Node gives no way to a socket's descriptor, and reads by itself what comes: both are in its state. */
export function handleOf(socket: Socket): Handle {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    const state = (socket as unknown as Record<symbol, { readonly handle?: Handle } | undefined>)[symbol]
    if (state?.handle !== undefined) return state.handle
  }
  throw new Error('This Node has no descriptor in the state of a socket.')
}

/** From now on only `blast` reads of the socket, trains as trains. */
export function takeOver(socket: Socket): void {
  handleOf(socket).recvStop()
  const one = Buffer.alloc(4)
  one.writeInt32LE(1)
  calls().setsockopt(handleOf(socket).fd, SOL_UDP, UDP_GRO, one, one.length)
}

export function address(port: number): Buffer {
  const bytes = Buffer.alloc(ADDRESS_BYTES)
  bytes.writeUInt16LE(AF_INET)
  bytes.writeUInt16BE(port, 2)
  bytes.set(LOOPBACK_BYTES, 4)
  return bytes
}

export function vectorOf(data: Uint8Array, length: number): Buffer {
  const vector = Buffer.alloc(VECTOR_BYTES)
  vector.writeBigUInt64LE(koffi.address(data))
  vector.writeBigUInt64LE(BigInt(length), 8)
  return vector
}

export function headersOf(vectors: readonly Uint8Array[]): Buffer {
  const headers = Buffer.alloc(vectors.length * HEADER.bytes)
  for (const [index, vector] of vectors.entries()) {
    headers.writeBigUInt64LE(koffi.address(vector), index * HEADER.bytes + HEADER.vector)
    headers.writeBigUInt64LE(1n, index * HEADER.bytes + HEADER.vectors)
  }
  return headers
}

/** What is sent by one call. */
export class Shot {
  /** What the headers point to. */
  readonly packet: Buffer
  readonly packets: number
  readonly #name: Buffer
  readonly #vector: Buffer
  readonly #control = Buffer.alloc(CONTROL_BYTES)
  readonly #headers: Buffer
  readonly #calls = calls()
  readonly #descriptor: number
  readonly #messages: number

  constructor({ from, packet }: Way, { port, atOnce, train }: Pick<BlastOptions, 'port' | 'atOnce' | 'train'>) {
    this.packet = train ? Buffer.concat(Array.from({ length: atOnce }, () => packet)) : Buffer.from(packet)
    this.packets = atOnce
    this.#descriptor = handleOf(from).fd
    this.#messages = train ? 1 : atOnce
    this.#name = address(port)
    this.#vector = vectorOf(this.packet, this.packet.length)
    this.#headers = headersOf(Array.from({ length: this.#messages }, () => this.#vector))
    const [headers, control] = [this.#headers, this.#control]
    control.writeBigUInt64LE(18n)
    control.writeInt32LE(SOL_UDP, 8)
    control.writeInt32LE(UDP_SEGMENT, 12)
    control.writeUInt16LE(packet.length, 16)
    for (let at = 0; at < headers.length; at += HEADER.bytes) {
      headers.writeBigUInt64LE(koffi.address(this.#name), at + HEADER.name)
      headers.writeUInt32LE(this.#name.length, at + HEADER.nameLength)
      if (!train) continue
      headers.writeBigUInt64LE(koffi.address(control), at + HEADER.control)
      headers.writeBigUInt64LE(BigInt(control.length), at + HEADER.controlLength)
    }
  }

  /** @returns packets that the kernel took */
  fire(): number {
    const sent = Math.max(0, this.#calls.sendmmsg(this.#descriptor, this.#headers, this.#messages, 0))
    return sent * (this.packets / this.#messages)
  }
}

/** Receives without looking at anything but lengths. */
export class Sink {
  readonly #scratch = Buffer.alloc(LARGEST)
  readonly #vector = vectorOf(this.#scratch, LARGEST)
  readonly #headers = headersOf(Array.from({ length: RECEIVED_AT_ONCE }, () => this.#vector))
  readonly #calls = calls()
  readonly #descriptors: readonly number[]

  constructor(sockets: readonly Socket[]) {
    this.#descriptors = sockets.map((socket) => handleOf(socket).fd)
  }

  /** @returns packets of that length that came, trains by their parts */
  take(bytes: number): number {
    let packets = 0
    for (const descriptor of this.#descriptors)
      for (let count = RECEIVED_AT_ONCE; count === RECEIVED_AT_ONCE; ) {
        count = this.#calls.recvmmsg(descriptor, this.#headers, RECEIVED_AT_ONCE, 0, null)
        for (let index = 0; index < count; index++) {
          const length = this.#headers.readUInt32LE(index * HEADER.bytes + HEADER.length)
          if (length % bytes === 0) packets += length / bytes
        }
      }
    return packets
  }
}

/** Receives one packet after the other. */
export class PacketSink {
  readonly #scratch = Buffer.alloc(LARGEST)
  readonly #vector = vectorOf(this.#scratch, LARGEST)
  readonly #header = headersOf([this.#vector])
  readonly #calls = calls()
  readonly #descriptor: number

  constructor(socket: Socket) {
    this.#descriptor = handleOf(socket).fd
  }

  /** The next one, valid until the one after it; undefined: none has come. */
  take(): Buffer | undefined {
    if (this.#calls.recvmmsg(this.#descriptor, this.#header, 1, 0, null) !== 1) return undefined
    return this.#scratch.subarray(0, this.#header.readUInt32LE(HEADER.length))
  }
}

/** Keeps `window` packets on their way, for so many seconds, without a pause. */
export function blast(options: BlastOptions): Blast {
  const { ways, arrives, window, seconds } = options
  const shots = ways.map((way) => new Shot(way, options))
  const sink = new Sink(ways.map(({ to }) => to))
  sink.take(arrives)
  const start = performance.now()
  const end = start + seconds * 1000
  let [onWay, arrived, lost, next] = [0, 0, 0, 0]
  let progress = start
  for (let now = start; now < end; now = performance.now()) {
    // Many at once, so that the one in the middle finds a queue: it is what must be busy.
    const room = onWay <= window / 2 ? window : 0
    for (let shot = shots[next] as Shot; onWay + shot.packets <= room; shot = shots[next] as Shot) {
      const sent = shot.fire()
      onWay += sent
      next = (next + 1) % shots.length
      if (sent < shot.packets) break
    }
    const came = sink.take(arrives)
    arrived += came
    onWay = Math.max(0, onWay - came)
    if (came > 0) progress = now
    else if (now - progress > PATIENCE) {
      lost += onWay
      onWay = 0
      progress = now
    }
  }
  return { seconds: (performance.now() - start) / 1000, arrived, lost }
}

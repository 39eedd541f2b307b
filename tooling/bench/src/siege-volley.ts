/**
 * Packets from forged addresses, as one who floods sends them: prepared once, and many of them leave in one
 * system call, each with a source of its own (IP_PKTINFO). Linux alone, through the package koffi.
 */
import type { Socket } from 'node:dgram'
import koffi from 'koffi'
import { address, HEADER, handleOf, headersOf, vectorOf } from './blast.ts'

/** struct cmsghdr (16), struct in_pktinfo (12: interface, source, destination), padding. */
const CONTROL_BYTES = 32
const CONTROL_LENGTH = 28
const SOURCE_AT = 20
/** Of the kernel's headers. */
const [IPPROTO_IP, IP_PKTINFO, SOL_SOCKET, SO_ATTACH_FILTER] = [0, 8, 1, 26]
/** struct sock_filter of "take no byte of it" (BPF_RET | BPF_K). */
const TAKE_NOTHING = Buffer.from([0x06, 0, 0, 0, 0, 0, 0, 0])

/** Of 127.100.0.0/16. */
const sourceOf = (number: number): readonly number[] => [127, 100, number >> 8, number & 0xff]

interface Calls {
  sendmmsg(descriptor: number, headers: Uint8Array, count: number, flags: number): number
  setsockopt(descriptor: number, level: number, name: number, value: Uint8Array, length: number): number
}

export class Volley {
  readonly #calls: Calls
  readonly #descriptor: number
  readonly #headers: Buffer
  readonly #count: number
  /** What the headers point to: it lives as long as they do. */
  readonly memory: readonly Uint8Array[]
  #next = 0

  /** @param socket bound to all addresses; what is answered to it is thrown away */
  constructor(socket: Socket, packets: readonly Uint8Array[], port: number, sources: number) {
    const libc = koffi.load(null)
    this.#calls = {
      sendmmsg: libc.func('int sendmmsg(int, void *, unsigned int, int)') as never,
      setsockopt: libc.func('int setsockopt(int, int, int, void *, unsigned int)') as never,
    }
    this.#descriptor = handleOf(socket).fd
    this.#deafen()
    // Each source has several packets, and each packet several sources, where neither number divides the other.
    this.#count = Math.max(packets.length, sources)
    const [bytes, name] = [packets.map((packet) => Buffer.from(packet)), address(port)]
    const vectors = bytes.map((each) => vectorOf(each, each.length))
    const controls = Array.from({ length: sources }, (_, number) => pktinfo(number))
    this.memory = [name, ...bytes, ...vectors, ...controls]
    this.#headers = headersOf(Array.from({ length: this.#count }, (_, at) => vectors[at % vectors.length] as Buffer))
    for (let at = 0; at < this.#count; at++) {
      const from = at * HEADER.bytes
      this.#headers.writeBigUInt64LE(koffi.address(name), from + HEADER.name)
      this.#headers.writeUInt32LE(name.length, from + HEADER.nameLength)
      this.#headers.writeBigUInt64LE(koffi.address(controls[at % sources] as Buffer), from + HEADER.control)
      this.#headers.writeBigUInt64LE(BigInt(CONTROL_LENGTH), from + HEADER.controlLength)
    }
  }

  /** @returns packets that the kernel took, of so many */
  fire(count: number): number {
    const most = Math.min(count, this.#count - this.#next)
    const headers = this.#headers.subarray(this.#next * HEADER.bytes)
    const sent = Math.max(0, this.#calls.sendmmsg(this.#descriptor, headers, most, 0))
    this.#next = (this.#next + sent) % this.#count
    return sent
  }

  /** Answers would fill a buffer, and the kernel count what it drops of them. */
  #deafen(): void {
    const program = Buffer.alloc(16)
    program.writeUInt16LE(1)
    program.writeBigUInt64LE(koffi.address(TAKE_NOTHING), 8)
    this.#calls.setsockopt(this.#descriptor, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length)
  }
}

function pktinfo(number: number): Buffer {
  const control = Buffer.alloc(CONTROL_BYTES)
  control.writeBigUInt64LE(BigInt(CONTROL_LENGTH))
  control.writeInt32LE(IPPROTO_IP, 8)
  control.writeInt32LE(IP_PKTINFO, 12)
  control.set(sourceOf(number), SOURCE_AT)
  return control
}

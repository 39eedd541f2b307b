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

/** 127.64.0.0: of its /10 are those who flood, and nobody else. */
const FIRST_SOURCE = 0x7f40_0000
const MAX_SOURCES = 2 ** 22

interface Calls {
  sendmmsg(descriptor: number, headers: Uint8Array, count: number, flags: number): number
  setsockopt(descriptor: number, level: number, name: number, value: Uint8Array, length: number): number
}

export class Volley {
  /** What the headers point to: it lives as long as they do. */
  readonly memory: readonly Uint8Array[]
  readonly #calls: Calls
  readonly #descriptor: number
  readonly #headers: Buffer
  readonly #controls: Buffer
  readonly #packets: number
  readonly #sources: number
  #sent = 0

  /** @param socket bound to all addresses; what is answered to it is thrown away */
  constructor(socket: Socket, packets: readonly Uint8Array[], port: number, sources: number) {
    const libc = koffi.load(null)
    this.#calls = {
      sendmmsg: libc.func('int sendmmsg(int, void *, unsigned int, int)') as never,
      setsockopt: libc.func('int setsockopt(int, int, int, void *, unsigned int)') as never,
    }
    this.#descriptor = handleOf(socket).fd
    this.#deafen()
    this.#packets = packets.length
    this.#sources = Math.min(sources, MAX_SOURCES)
    const [bytes, name] = [packets.map((packet) => Buffer.from(packet)), address(port)]
    const vectors = bytes.map((each) => vectorOf(each, each.length))
    this.memory = [name, ...bytes, ...vectors]
    this.#headers = headersOf(vectors)
    this.#controls = Buffer.alloc(packets.length * CONTROL_BYTES)
    const controls = koffi.address(this.#controls)
    for (let at = 0; at < packets.length; at++) {
      const [from, control] = [at * HEADER.bytes, at * CONTROL_BYTES]
      this.#headers.writeBigUInt64LE(koffi.address(name), from + HEADER.name)
      this.#headers.writeUInt32LE(name.length, from + HEADER.nameLength)
      this.#headers.writeBigUInt64LE(controls + BigInt(control), from + HEADER.control)
      this.#headers.writeBigUInt64LE(BigInt(CONTROL_LENGTH), from + HEADER.controlLength)
      this.#controls.writeBigUInt64LE(BigInt(CONTROL_LENGTH), control)
      this.#controls.writeInt32LE(IPPROTO_IP, control + 8)
      this.#controls.writeInt32LE(IP_PKTINFO, control + 12)
    }
  }

  /** @returns packets that the kernel took, of so many */
  fire(count: number): number {
    const first = this.#sent % this.#packets
    const most = Math.min(count, this.#packets - first)
    for (let at = 0; at < most; at++) {
      const source = FIRST_SOURCE + ((this.#sent + at) % this.#sources)
      this.#controls.writeUInt32BE(source, (first + at) * CONTROL_BYTES + SOURCE_AT)
    }
    const headers = this.#headers.subarray(first * HEADER.bytes)
    const sent = Math.max(0, this.#calls.sendmmsg(this.#descriptor, headers, most, 0))
    this.#sent += sent
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

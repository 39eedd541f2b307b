/**
 * coturn as the relay of the field: allocations and channels by RFC 8656, without authentication,
 * on loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { closeAll, exchange, LOOPBACK, openSocket } from './loopback.ts'

const COOKIE = 0x2112_a442
const ALLOCATE = 0x0003
const CHANNEL_BIND = 0x0009
const SUCCESS = 0x0100
const CHANNEL_NUMBER = 0x000c
const XOR_PEER_ADDRESS = 0x0012
const XOR_RELAYED_ADDRESS = 0x0016
const REQUESTED_TRANSPORT = 0x0019
/** The first channel number (RFC 8656 §12). */
const CHANNEL = 0x4000
const UDP = 17

const attribute = (type: number, value: Buffer): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value])
}

function request(type: number, ...attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes)
  const head = Buffer.alloc(20)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(body.length, 2)
  head.writeUInt32BE(COOKIE, 4)
  randomBytes(12).copy(head, 8)
  return Buffer.concat([head, body])
}

/** RFC 8489 §14.2, for IPv4 loopback. */
function xorAddress(port: number): Buffer {
  const value = Buffer.alloc(8)
  value[1] = 1
  value.writeUInt16BE(port ^ (COOKIE >>> 16), 2)
  value.writeUInt32BE((0x7f00_0001 ^ COOKIE) >>> 0, 4)
  return value
}

function portOf(response: Uint8Array, wanted: number): number {
  const bytes = Buffer.from(response)
  for (let at = 20; at + 4 <= bytes.length; ) {
    const [type, length] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)]
    if (type === wanted) return bytes.readUInt16BE(at + 6) ^ (COOKIE >>> 16)
    at += 4 + Math.ceil(length / 4) * 4
  }
  throw new Error('coturn answered without an address.')
}

export class Coturn {
  readonly port: number
  readonly #process: ChildProcess
  readonly #folder: string

  private constructor(process: ChildProcess, port: number, folder: string) {
    this.#process = process
    this.port = port
    this.#folder = folder
  }

  /** Undefined where it is not installed. */
  static async start(): Promise<Coturn | undefined> {
    const probe = await openSocket()
    const { port } = probe.address()
    await closeAll([probe])
    const folder = mkdtempSync(join(tmpdir(), 'showchain-bench-'))
    const child = spawn(
      'turnserver',
      [
        ...[
          '-v',
          '-n',
          '-L',
          LOOPBACK,
          '-E',
          LOOPBACK,
          '-p',
          String(port),
          '-m',
          '1',
          '--no-auth',
          '--no-tls',
          '--no-dtls',
        ],
        ...['--no-tcp', '--no-tcp-relay', '--no-cli', '--allow-loopback-peers', '--log-file', 'stdout'],
        ...['--pidfile', join(folder, 'turn.pid'), '-b', join(folder, 'turn.db'), '--cli-password', 'unused'],
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const failed = once(child, 'error').then(() => false)
    const ended = once(child, 'exit').then(() => false)
    const ready = new Promise<boolean>((resolve) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        if (line.includes('Total General servers')) resolve(true)
      })
    })
    if (await Promise.race([failed, ended, ready])) return new Coturn(child, port, folder)
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }

  /** An allocation for this socket, with a channel to a port. @returns the relayed port */
  async bind(socket: Socket, peer: number): Promise<number> {
    // STUN repeats a transaction as the same bytes.
    const allocate = request(ALLOCATE, attribute(REQUESTED_TRANSPORT, Buffer.from([UDP, 0, 0, 0])))
    const allocated = await exchange(socket, () => allocate, this.port)
    if (Buffer.from(allocated).readUInt16BE(0) !== (ALLOCATE | SUCCESS))
      throw new Error('coturn refused an allocation.')
    const number = Buffer.alloc(4)
    number.writeUInt16BE(CHANNEL, 0)
    const bind = request(CHANNEL_BIND, attribute(CHANNEL_NUMBER, number), attribute(XOR_PEER_ADDRESS, xorAddress(peer)))
    const bound = await exchange(socket, () => bind, this.port)
    if (Buffer.from(bound).readUInt16BE(0) !== (CHANNEL_BIND | SUCCESS)) throw new Error('coturn refused a channel.')
    return portOf(allocated, XOR_RELAYED_ADDRESS)
  }

  static channelData(bytes: number): Uint8Array {
    const data = Buffer.alloc(4 + bytes, 0x5a)
    data.writeUInt16BE(CHANNEL, 0)
    data.writeUInt16BE(bytes, 2)
    return data
  }

  /** Of all its threads, and the kernel on its behalf. */
  cpuSeconds(): number {
    const threads = `/proc/${this.#process.pid}/task`
    const nanoseconds = readdirSync(threads).map((thread) =>
      Number(readFileSync(join(threads, thread, 'schedstat'), 'utf8').split(' ')[0]),
    )
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill()
    await exited
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

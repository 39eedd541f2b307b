/**
 * The bus of the workers of one relay: each has a pipe to the primary, which passes on what one says to
 * another (docs/fleet.md, Workers). A message is its length (4, little-endian) and its bytes. Who does not
 * read in time loses messages: they carry datagrams.
 */
import type { Duplex } from 'node:stream'
import type { FleetBus } from '@showchain/server/runtime'
import { type FleetAddress, MAX_FLEET_MESSAGE, readFleetHeader } from '@showchain/wire/fleet'

const LENGTH_BYTES = 4
/** Bytes that wait for one reader: more than a tenth of a second of a loop that forwards as fast as it can. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024

/** @returns false when it was lost */
function write(pipe: Duplex, message: Uint8Array): boolean {
  if (!pipe.writable || pipe.writableLength > MAX_WAITING_BYTES) return false
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(message.length)
  pipe.cork()
  pipe.write(length)
  pipe.write(message)
  pipe.uncork()
  return true
}

/** Calls back for each message; its bytes are nobody else's. What is no message ends the pipe. */
function read(pipe: Duplex, receive: (message: Uint8Array) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  pipe.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at)
      if (length > MAX_FLEET_MESSAGE) return void pipe.destroy()
      const end = at + LENGTH_BYTES + length
      if (end > bytes.length) break
      receive(new Uint8Array(bytes.buffer, bytes.byteOffset + at + LENGTH_BYTES, length))
      at = end
    }
    rest = bytes.subarray(at)
  })
  // Its process has gone: whoever started it knows.
  pipe.on('error', () => {})
}

/** A worker's end. */
export class PipeBus implements FleetBus {
  readonly #pipe: Duplex

  constructor(pipe: Duplex) {
    this.#pipe = pipe
  }

  publish(_to: FleetAddress, message: Uint8Array): boolean {
    return write(this.#pipe, message)
  }

  subscribe(receive: (message: Uint8Array) => void): void {
    read(this.#pipe, receive)
  }

  async close(): Promise<void> {
    this.#pipe.destroy()
  }
}

/** The primary's: passes on between workers, and between them and the other nodes of their fleet. */
export class BusSwitch {
  /** Messages to workers that nobody took. */
  lost = 0
  /** Messages that the bus of the fleet did not take. */
  lostBeyond = 0
  readonly #pipes = new Map<number, Duplex>()
  readonly #beyond: FleetBus | undefined

  /** @param beyond carries what is for other nodes; undefined: there are none */
  constructor(beyond: FleetBus | undefined) {
    this.#beyond = beyond
    beyond?.subscribe((message) => this.#inward(addressOf(message), message))
  }

  /** A worker is there, with this number in the fleet; in place of one that had it. */
  join(node: number, pipe: Duplex): void {
    this.#pipes.set(node, pipe)
    pipe.once('close', () => {
      if (this.#pipes.get(node) === pipe) this.#pipes.delete(node)
    })
    read(pipe, (message) => {
      const to = addressOf(message)
      this.#inward(to, message, pipe)
      if (to !== undefined && !(to !== 'all' && this.#pipes.has(to)) && this.#beyond?.publish(to, message) === false)
        this.lostBeyond++
    })
  }

  async close(): Promise<void> {
    for (const pipe of this.#pipes.values()) pipe.destroy()
    await this.#beyond?.close()
  }

  #inward(to: FleetAddress | undefined, message: Uint8Array, from?: Duplex): void {
    if (to === undefined) return
    for (const [node, pipe] of this.#pipes)
      if (pipe !== from && (to === 'all' || to === node) && !write(pipe, message)) this.lost++
  }
}

const addressOf = (message: Uint8Array): FleetAddress | undefined => readFleetHeader(message)?.to

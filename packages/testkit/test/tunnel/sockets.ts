/** Local programs in memory, with the two ends of a connection: it ends by halves, is reset, and fills up. */
import type { ByteSource, ByteTarget, DatagramSource, DatagramTarget, LocalSocket } from '@showchain/tunnel'

/** Bytes that an end takes before its `write` waits, as of a socket. */
const BUFFER = 64 * 1024

class Half {
  #pieces: Uint8Array[] = []
  #length = 0
  #ended = false
  #reset = false
  readonly #looks = new Set<() => void>()

  /** Bytes that were written and not read. */
  get length(): number {
    return this.#length
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#reset) throw new Error('ECONNRESET')
    this.#pieces.push(bytes)
    this.#length += bytes.length
    this.#happened()
    await this.#until(() => this.#length < BUFFER)
  }

  async read(): Promise<Uint8Array | undefined> {
    await this.#until(() => this.#pieces.length > 0 || this.#ended)
    const piece = this.#pieces.shift()
    this.#length -= piece?.length ?? 0
    this.#happened()
    return piece
  }

  end(): void {
    this.#ended = true
    this.#happened()
  }

  reset(): void {
    this.#reset = true
    this.#happened()
  }

  #happened(): void {
    for (const look of [...this.#looks]) look()
  }

  async #until(ready: () => boolean): Promise<void> {
    for (;;) {
      if (this.#reset) throw new Error('ECONNRESET')
      if (ready()) return
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#looks.delete(look)
          resolve()
        }
        this.#looks.add(look)
      })
    }
  }
}

/** An end of a connection, as a program has it and as a tunnel has it. */
export interface MemorySocket extends LocalSocket {
  /** Bytes that this end wrote and the other one has not read. */
  readonly unread: number
}

/** The two ends of a connection. */
export function socketPair(): readonly [MemorySocket, MemorySocket] {
  const [forth, back] = [new Half(), new Half()]
  const end = (out: Half, into: Half): MemorySocket => ({
    get unread() {
      return out.length
    },
    read: () => into.read(),
    write: (bytes) => out.write(bytes),
    end: async () => out.end(),
    reset: () => {
      out.reset()
      into.reset()
    },
  })
  return [end(forth, back), end(back, forth)]
}

/** Everything that comes, to its end. */
export async function readAll(socket: LocalSocket): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (let piece = await socket.read(); piece !== undefined; piece = await socket.read()) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** A local socket that programs of the test connect to. */
export class MemorySource implements ByteSource {
  readonly kind = 'bytes'
  readonly local = 'memory'
  #taken: (socket: LocalSocket) => void = () => {}
  closed = false

  start(taken: (socket: LocalSocket) => void): void {
    this.#taken = taken
  }

  connect(): MemorySocket {
    const [ours, theirs] = socketPair()
    this.#taken(theirs)
    return ours
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

/** A program that is served. */
export class MemoryTarget implements ByteTarget {
  readonly kind = 'bytes'
  readonly #program: (socket: MemorySocket) => void
  /** The `code` of the system, when connections fail; `never` when they are not answered. */
  fails: string | undefined
  connections = 0

  constructor(program: (socket: MemorySocket) => void) {
    this.#program = program
  }

  connect(signal: AbortSignal): Promise<LocalSocket> {
    this.connections++
    if (this.fails === 'never')
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new DOMException('late', 'AbortError'))),
      )
    if (this.fails !== undefined) return Promise.reject(Object.assign(new Error('no'), { code: this.fails }))
    const [ours, theirs] = socketPair()
    this.#program(theirs)
    return Promise.resolve(ours)
  }
}

/** Sends back what comes, and ends when that does, or is reset. */
export function echo(socket: LocalSocket): void {
  const echoing = async (): Promise<void> => {
    for (let piece = await socket.read(); piece !== undefined; piece = await socket.read()) await socket.write(piece)
    await socket.end()
  }
  echoing().catch(() => socket.reset())
}

/** A UDP socket that programs of the test send to. */
export class MemoryDatagrams implements DatagramSource {
  readonly kind = 'datagrams'
  readonly local = 'memory'
  #came: (payload: Uint8Array, from: string) => void = () => {}
  /** What the tunnel sent to programs. */
  readonly answers: { readonly text: string; readonly to: string }[] = []

  start(came: (payload: Uint8Array, from: string) => void): void {
    this.#came = came
  }

  from(program: string, text: string): void {
    this.#came(Buffer.from(text), program)
  }

  send(payload: Uint8Array, to: string): void {
    this.answers.push({ text: Buffer.from(payload).toString(), to })
  }

  async close(): Promise<void> {}
}

/** A UDP program that sends back what comes, with the number of the socket that it came from. */
export class EchoDatagrams implements DatagramTarget {
  readonly kind = 'datagrams'
  opened = 0
  closed = 0

  open(came: (payload: Uint8Array) => void): { send(payload: Uint8Array): void; close(): void } {
    const number = this.opened++
    return {
      send: (payload) => came(Buffer.from(`${number}:${Buffer.from(payload).toString()}`)),
      close: () => {
        this.closed++
      },
    }
  }
}

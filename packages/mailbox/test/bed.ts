/** A mailbox machine and its clients, without streams: bytes go at once, and time is a number. */
import { type Instant, instant } from '@showchain/client/endpoint'
import { opensslEndToEnd, type Random } from '@showchain/crypto'
import { formatTicket, type PeerId, peerIdFromBytes } from '@showchain/wire'
import { MailboxMachine, OfferRun, type RunEvent, type RunOptions, TakeRun } from '../src/core/index.ts'

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const bytesOfHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
export const idOf = (byte: number): PeerId => peerIdFromBytes(new Uint8Array(32).fill(byte))
export const ticketOf = (byte: number): string =>
  formatTicket({ id: idOf(byte), relays: [], addresses: [{ host: '192.0.2.1', port: 4000 + byte }] })
export const MAILBOX = idOf(0xbb)

/** Chance that repeats. */
export function repeatable(seed: number): Pick<Random, 'bytes' | 'uint32'> {
  let state = seed >>> 0
  const uint32 = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  return { uint32, bytes: (length) => Uint8Array.from({ length }, () => uint32() >>> 24) }
}

export const optionsOf = (words: string, byte: number, seed = byte): RunOptions => ({
  ...{ mailbox: MAILBOX, words, crypto: opensslEndToEnd },
  ticket: () => ticketOf(byte),
  random: repeatable(seed),
})

/** A client as the mailbox sees it. */
export class Client {
  readonly id: number
  readonly run: OfferRun | TakeRun | undefined
  /** What its run said but writes. */
  readonly events: Exclude<RunEvent, { readonly type: 'write' }>[] = []
  /** What the mailbox wrote. */
  heard: Uint8Array = new Uint8Array()
  /** What its run wrote. */
  said: Uint8Array = new Uint8Array()
  ended = false

  constructor(id: number, run?: OfferRun | TakeRun) {
    this.id = id
    this.run = run
  }

  get last(): unknown {
    return this.events.at(-1)
  }
}

export class Bed {
  readonly machine = new MailboxMachine()
  readonly clients: Client[] = []
  now: Instant = instant(1000)
  /** What becomes of bytes on their way to a client. */
  alter: (client: Client, bytes: Uint8Array) => Uint8Array = (_client, bytes) => bytes

  enter(run?: OfferRun | TakeRun, source = 'a source'): Client {
    const client = new Client(this.clients.length, run)
    this.clients.push(client)
    this.machine.enter(client.id, source, this.now)
    this.flush()
    return client
  }

  offer(words = 'orbit-velvet', byte = 1, source?: string): Client {
    return this.enter(new OfferRun(optionsOf(words, byte)), source)
  }

  take(number: number, words = 'orbit-velvet', byte = 2, source?: string): Client {
    return this.enter(new TakeRun(number, optionsOf(words, byte)), source)
  }

  send(client: Client, bytes: Uint8Array): void {
    this.machine.receive(client.id, bytes, this.now)
    this.flush()
  }

  leave(client: Client): void {
    this.machine.leave(client.id, this.now)
    this.flush()
  }

  /** @param ms milliseconds that pass */
  wait(ms: number): void {
    const until = this.now + ms
    for (let at = this.machine.deadline; at !== undefined && at <= until; at = this.machine.deadline) {
      this.now = at
      this.machine.wake(at)
      this.flush()
    }
    this.now = instant(until)
  }

  /** Until nobody has anything to say. */
  flush(): void {
    for (let busy = true; busy; ) {
      busy = false
      for (let event = this.machine.poll(); event !== undefined; event = this.machine.poll()) {
        const client = this.clients[event.client] as Client
        if (event.type === 'end') client.ended = true
        else {
          client.heard = Buffer.concat([client.heard, event.bytes])
          client.run?.receive(this.alter(client, event.bytes))
        }
        busy = true
      }
      for (const client of this.clients)
        for (let event = client.run?.poll(); event !== undefined; event = client.run?.poll()) {
          if (event.type === 'write') {
            client.said = Buffer.concat([client.said, event.bytes])
            this.machine.receive(client.id, event.bytes, this.now)
          } else client.events.push(event)
          busy = true
        }
    }
  }
}

/** What honest peers do during a siege, and how it went: tries, successes, and the time of each. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Connection, Peer } from '@showchain/client'
import type { Identity } from '@showchain/crypto'

export class Tries {
  /** Milliseconds of those that succeeded. */
  readonly taken: number[] = []
  /** How often each error code occurred, in the end. */
  readonly failures: Map<string, number> = new Map()

  async time(act: () => Promise<unknown>): Promise<void> {
    const begun = performance.now()
    try {
      await act()
      this.taken.push(performance.now() - begun)
    } catch (error) {
      const { code, message } = error as Error & { readonly code?: string }
      const why = code ?? message
      this.failures.set(why, (this.failures.get(why) ?? 0) + 1)
    }
  }

  get failed(): number {
    return [...this.failures.values()].reduce((sum, times) => sum + times, 0)
  }

  /** Percent. */
  get succeeded(): number {
    const all = this.taken.length + this.failed
    return all === 0 ? 0 : (100 * this.taken.length) / all
  }

  /** @param part 0.5: the median */
  quantile(part: number): number {
    const sorted = [...this.taken].sort((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
  }
}

/** Milliseconds that a registration, a dial or a datagram may take. */
const PATIENCE = 15_000
const DATAGRAM_PATIENCE = 1000
/** And between two looks. */
const LOOK_AGAIN = 10

const places = { next: 0 }
/** Each peer is at an address of its own, like hosts of the internet. */
function open(identity: Identity, relays: readonly string[] = []): Promise<Peer> {
  const number = places.next++
  const host = `127.50.${(number >> 8) & 0xff}.${number & 0xff}`
  return Peer.open({ identity, relays, listen: [{ host }], addressPolicy: 'lab', accept: 'everyone' })
}

export async function register(identity: Identity, relay: string): Promise<void> {
  await using peer = await open(identity, [relay])
  await peer.registered({ timeout: PATIENCE })
}

/**
 * Peers that are registered, in pairs of which one introduces itself to the other when asked: no peer has two
 * attempts at once.
 */
export class Village implements AsyncDisposable {
  readonly #peers: Peer[] = []
  /** Who is free: the first introduces itself to the second, and the other way round the next time. */
  readonly #pairs: (readonly [from: Peer, to: Peer])[] = []

  static async open(identities: readonly Identity[], relay: string): Promise<Village> {
    const village = new Village()
    for (const identity of identities) village.#peers.push(await open(identity, [relay]))
    await Promise.all(village.#peers.map((peer) => peer.registered({ timeout: PATIENCE })))
    for (let first = 0; first + 1 < village.#peers.length; first += 2)
      village.#pairs.push([village.#peers[first] as Peer, village.#peers[first + 1] as Peer])
    return village
  }

  /** By hole punching: the ticket's addresses are not used. Waits for a pair that is free, untimed. */
  async introduce(tries: Tries): Promise<void> {
    await oneOf(this.#pairs, async ([from, to]) => {
      await tries.time(async () => {
        const connection = await from.connect(to.ticket, { via: 'punch', timeout: PATIENCE })
        await connection.close()
      })
      return [to, from] as const
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()))
  }
}

export async function call(identity: Identity, ticket: string): Promise<void> {
  await using peer = await open(identity)
  await peer.connect(ticket, { via: 'direct', timeout: PATIENCE })
}

/** Datagrams on one connection, which come back. */
export class Echo implements AsyncDisposable {
  readonly #peer: Peer
  readonly #connection: Connection
  readonly #waiting = new Map<number, () => void>()
  #next = 0

  private constructor(peer: Peer, connection: Connection) {
    this.#peer = peer
    this.#connection = connection
    void this.#receive()
  }

  static async open(identity: Identity, ticket: string): Promise<Echo> {
    const peer = await open(identity)
    return new Echo(peer, await peer.connect(ticket, { via: 'direct' }))
  }

  async send(): Promise<void> {
    const number = this.#next++
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, number)
    let timer: NodeJS.Timeout | undefined
    const back = new Promise<void>((resolve, reject) => {
      this.#waiting.set(number, resolve)
      timer = setTimeout(() => reject(new Error('nothing came back')), DATAGRAM_PATIENCE)
    })
    try {
      await this.#connection.sendDatagram(bytes)
      await back
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(number)
    }
  }

  async #receive(): Promise<void> {
    for await (const bytes of this.#connection)
      this.#waiting.get(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer.close()
  }
}

/**
 * With one of these that nothing else uses meanwhile; waits until there is one.
 * @param act what is there again afterwards; nothing: the same one
 */
export async function oneOf<Item>(free: Item[], act: (item: Item) => Promise<Item | undefined>): Promise<void> {
  let item = free.shift()
  for (; item === undefined; item = free.shift()) await pause(LOOK_AGAIN)
  let next: Item | undefined
  try {
    next = await act(item)
  } finally {
    free.push(next ?? item)
  }
}

/** Does it again and again, this many times a second, while `until` is not settled. */
export async function repeatedly(perSecond: number, until: Promise<unknown>, act: () => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>()
  const begin = (): void => {
    const run = act().finally(() => running.delete(run))
    running.add(run)
  }
  begin()
  await new Promise<void>((resolve) => {
    const timer = setInterval(begin, 1000 / perSecond)
    void until.finally(() => {
      clearInterval(timer)
      resolve()
    })
  })
  await Promise.all(running)
}

/**
 * LAN discovery of a peer: keeps a socket on each link to a private network, and opens them anew when
 * this host is on other ones.
 */
import type { CryptoProvider } from '@showchain/crypto/core'
import type { Endpoint, PeerId } from '@showchain/wire'
import {
  type LanCodec,
  type LanCounter,
  type LanLink,
  LanMachine,
  LOOK_TIME,
  type LookId,
  later,
  MAX_LAN_ADDRESSES,
  type Route,
  type ServedLink,
} from './core/index.ts'
import type { CheckedOptions } from './options.ts'
import type { Clock, Scheduled } from './runtime/clock.ts'
import { Driver } from './runtime/driver.ts'
import type { LanPort } from './runtime/lan/lan-port.ts'
import { hostCandidates, isWildcard } from './runtime/local-candidates.ts'
import type { DatagramSocket } from './runtime/socket.ts'
import { NO_WORKER } from './runtime/worker.ts'

export interface LanOptions {
  readonly port: LanPort
  readonly clock: Clock
  readonly provider: CryptoProvider
  /** Who answers; undefined: this peer only looks for others. */
  readonly self: PeerId | undefined
  /** What the peer's socket is bound to. */
  readonly bound: () => readonly Endpoint[]
  readonly onWarning: ((sentence: string) => void) | undefined
  /** Connections that could do with a path over this network. @default none */
  readonly relayed?: (() => readonly Relayed[]) | undefined
}

/** A connection that a relay carries. */
export interface Relayed {
  readonly remoteId: PeerId
  /** Its remote peer may be there. */
  readonly port: { near(at: readonly Route[]): void }
}

export interface LanInspection {
  readonly links: readonly string[]
  /** Since the links changed last; undefined: there is none. */
  readonly counters: Record<LanCounter, number> | undefined
}

/** Who looks for a peer. */
export interface Looking {
  /** Where somebody says that it is; more may follow. */
  found(endpoints: readonly Route[]): void
  /** Nobody has answered in time. Somebody may still. */
  silent(): void
}

interface Look extends Looking {
  readonly id: PeerId
  handle: LookId | undefined
}

export class Lan {
  readonly #options: LanOptions
  readonly #codec: LanCodec
  /** Bounded by the calls of the application. */
  readonly #looks = new Set<Look>()
  #driver: Driver<LanMachine> | undefined
  #machine: LanMachine | undefined
  #links: readonly LanLink[] = []
  /** Counts the times that sockets were opened: those of an earlier time are closed when they are there. */
  #opened = 0
  /** Looks for the remote peers of connections; each ends by itself. */
  readonly #nearby = new Set<Scheduled>()
  #closed = false

  private constructor(options: LanOptions, codec: LanCodec) {
    this.#options = options
    this.#codec = codec
  }

  static async open(options: LanOptions): Promise<Lan> {
    const lan = new Lan(options, await options.port.codec())
    await lan.#open()
    return lan
  }

  /** Names of the links on which it takes part, and what it counted there. */
  inspect(): LanInspection {
    return { links: [...new Set(this.#links.map(({ name }) => name))], counters: this.#machine?.counters() }
  }

  /** Looks for a peer. @returns stops */
  look(id: PeerId, looking: Looking): () => void {
    const look: Look = { ...looking, id, handle: undefined }
    this.#looks.add(look)
    this.#ask(look)
    return () => {
      if (this.#looks.delete(look)) this.#forget(look)
    }
  }

  /** This host may be on other networks: what is looked for may be on one of them. */
  networkChanged(): void {
    if (JSON.stringify(this.#links) !== JSON.stringify(this.#served())) void this.#open().then(() => this.#lookNearby())
    else {
      for (const look of this.#looks) this.#ask(look)
      this.#lookNearby()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#looks.clear()
    for (const timer of this.#nearby) timer.cancel()
    await this.#leave()
  }

  /** The remote peer of a relayed connection may be on this network: then the connection needs no relay. */
  #lookNearby(): void {
    const { clock, relayed } = this.#options
    for (const { remoteId, port } of this.#closed ? [] : (relayed?.() ?? [])) {
      const stop = this.look(remoteId, { found: (at) => port.near(at), silent: () => {} })
      const timer = clock.schedule(later(clock.now(), LOOK_TIME), () => {
        this.#nearby.delete(timer)
        stop()
      })
      this.#nearby.add(timer)
    }
  }

  async #open(): Promise<void> {
    const time = ++this.#opened
    const served = this.#served()
    this.#links = served
    await this.#leave()
    const opened = (await Promise.all(served.map((link) => this.#socketOn(link)))).flatMap((each) => each ?? [])
    const sockets = opened.map(({ socket }) => socket)
    const [socket, ...others] = sockets
    if (this.#closed || time !== this.#opened) return void (await Promise.all(sockets.map((each) => each.close())))
    if (socket !== undefined) {
      const { clock, provider, self } = this.#options
      const links = opened.map(({ link }) => link)
      const unixMs = (): number => clock.unixMs()
      const machine = new LanMachine({ links, self, provider, unixMs, codec: this.#codec }, clock.now())
      this.#machine = machine
      this.#driver = new Driver({
        ...{ machine, socket, others, clock, worker: NO_WORKER },
        onEvent: (event) => {
          const look = [...this.#looks].find(({ handle }) => handle === event.look)
          if (event.type === 'found') look?.found(event.endpoints)
          else look?.silent()
        },
      })
    }
    for (const look of this.#looks) this.#ask(look)
  }

  async #socketOn(link: ServedLink): Promise<{ link: ServedLink; socket: DatagramSocket } | undefined> {
    try {
      return { link, socket: await this.#options.port.open(link) }
    } catch (error) {
      this.#options.onWarning?.(
        `LAN discovery does not work on ${link.name} by IPv${link.family}: ${(error as Error).message}`,
      )
      return undefined
    }
  }

  #ask(look: Look): void {
    this.#forget(look)
    if (this.#driver === undefined) return look.silent()
    this.#driver.input((machine, now) => {
      look.handle = machine.look(look.id, now)
    })
  }

  #forget(look: Look): void {
    const { handle } = look
    look.handle = undefined
    if (handle !== undefined && this.#driver?.closed === false) this.#driver.input((machine) => machine.stop(handle))
  }

  async #leave(): Promise<void> {
    const driver = this.#driver
    this.#driver = undefined
    this.#machine = undefined
    for (const look of this.#looks) look.handle = undefined
    await driver?.close()
  }

  /** Links on which this peer's socket is reached: from others it would not get an answer either. */
  #served(): readonly ServedLink[] {
    return this.#options.port.links().flatMap((link): readonly ServedLink[] => {
      const endpoints = endpointsOn(link, this.#options.bound())
      return endpoints.length === 0 ? [] : [{ ...link, endpoints }]
    })
  }
}

/** A service has one port (RFC 2782). */
function endpointsOn({ subnets }: LanLink, bound: readonly Endpoint[]): readonly Endpoint[] {
  const ips = subnets.map(({ ip }) => ip)
  const own = hostCandidates(
    bound.filter(({ ip }) => isWildcard(ip) || ips.includes(ip)),
    ips,
  )
  return own.filter(({ port }) => port === own[0]?.port).slice(0, MAX_LAN_ADDRESSES)
}

/** Undefined: this peer takes no part in it. */
export async function lanOf(
  options: CheckedOptions,
  socket: DatagramSocket,
  relayed: () => readonly Relayed[],
): Promise<Lan | undefined> {
  const { lanDiscovery, policy, accept, identity, onWarning } = options
  const { lan: port, clock, provider } = options.runtime
  // A peer that hides its address does not call it out either.
  if (!lanDiscovery || port === undefined || policy === 'relay-only') return undefined
  const self = accept === 'nobody' ? undefined : identity.id
  return await Lan.open({ port, clock, provider, self, bound: () => socket.localEndpoints, onWarning, relayed })
}

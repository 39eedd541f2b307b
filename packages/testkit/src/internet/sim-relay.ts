/**
 * The real machine of a relay on a simulated host. It can die and come back with empty tables, or be
 * suspended, as a process is.
 */
import { type Duration, duration, later, type RelayAddress } from '@showchain/client/core'
import type { DatagramSocket } from '@showchain/client/runtime'
import type { TestIdentity } from '@showchain/crypto/testing'
import { type Ban, type FleetMessage, type RelayEvent, RelayMachine, type RelayOptions } from '@showchain/server'
import { type Endpoint, formatTicket, ipFamily, websocketUrl } from '@showchain/wire'
import type { Host } from '../sim/host.ts'
import type { Placed, Simulation } from '../sim/simulation.ts'
import { VirtualWebSockets } from '../sim/websocket.ts'
import { Ledger } from './ledger.ts'
import type { SimFleet } from './sim-fleet.ts'
import { Sleeper } from './sleeper.ts'

/** UDP port of simulated relays. */
export const RELAY_PORT = 3478
const OTHER_PORT = 3479
/** One way, from any host: that of the public network by default. */
const WEBSOCKET_LATENCY: Duration = duration(10)

/** What a simulated relay is opened with. */
export interface SimRelayOptions extends Pick<RelayOptions, 'knownKeys' | 'limits'> {
  /**
   * What it has for STUN (RFC 5780): two addresses with two ports each, one with two, or one of
   * each.
   * @default 'two addresses'
   */
  readonly stun?: 'two addresses' | 'two ports' | 'plain' | undefined
  /** The fleet that it is a node of, and its number there; who it is, is the fleet then. @default none */
  readonly fleet?: { readonly bus: SimFleet; readonly node: number } | undefined
  /** Whether it takes WebSocket connections. @default false */
  readonly websocket?: boolean | undefined
  /** Who it is. @default the identity of its name */
  readonly identity?: TestIdentity | undefined
  /**
   * What becomes of each datagram that it sends: for relays that are not honest.
   * @default what it is
   */
  readonly tampers?: ((to: Endpoint, bytes: Uint8Array) => readonly Forgery[]) | undefined
}

/** A datagram in place of another. */
export interface Forgery {
  readonly to: Endpoint
  readonly bytes: Uint8Array
}

interface Setting {
  /** Where the second address is; undefined: it has none. */
  readonly second: Host | undefined
  /** Addresses that need no proof: peers in seed mode, whose signature stands for it. */
  readonly trusts: (endpoint: Endpoint) => boolean
}

/** A relay on a simulated host. */
export class SimRelay {
  readonly host: Host
  readonly identity: TestIdentity
  readonly ledger: Ledger
  /** Its wall clock minus that of the others, milliseconds. */
  clockOffset = 0
  readonly #sim: Simulation
  readonly #options: Omit<SimRelayOptions, 'stun' | 'tampers' | 'identity' | 'fleet' | 'websocket'>
  readonly #tampers: SimRelayOptions['tampers']
  readonly #fleet: SimRelayOptions['fleet']
  readonly #websocket: boolean
  readonly #second: Host | undefined
  readonly #ports: 1 | 2
  readonly #events: RelayEvent[] = []
  #placed: Placed<Sleeper<RelayEvent | FleetMessage>> | undefined
  #leaveBus: () => void = () => {}
  #machine: RelayMachine | undefined
  #lives = 0

  constructor(
    sim: Simulation,
    host: Host,
    { trusts, second, stun, tampers, identity, fleet, websocket = false, ...options }: SimRelayOptions & Setting,
  ) {
    this.#sim = sim
    this.#options = options
    this.#tampers = tampers
    this.#fleet = fleet
    this.#websocket = websocket
    this.host = host
    this.#second = second
    this.#ports = stun === 'plain' ? 1 : 2
    this.ledger = new Ledger({ name: host.name, calls: false, trusts })
    this.identity = identity ?? fleet?.bus.identity ?? sim.identity(host.name)
    this.start()
  }

  get endpoint(): Endpoint {
    return { ip: this.host.ips[0] as string, port: RELAY_PORT }
  }

  /** Every address that it answers at, with that for STUN alone. */
  get ips(): readonly string[] {
    return [...this.host.ips, ...(this.#second?.ips ?? [])]
  }

  get ticket(): string {
    const { ip, port } = this.endpoint
    return formatTicket({ id: this.identity.id, relays: [], addresses: [{ host: ip, port }] })
  }

  /** What a ticket says of it. */
  get address(): RelayAddress {
    const { id } = this.identity
    return { id, endpoint: this.endpoint, websocket: this.#websocket ? websocketUrl(this.endpoint.ip) : undefined }
  }

  /**
   * Where a host with these addresses looks for it, as a peer finds by its name: by IPv6 if both have
   * that, and by the other family beside.
   */
  addressFrom(ips: readonly string[]): RelayAddress {
    const [endpoint = this.endpoint, other] = this.reachedFrom(ips)
    return { ...this.address, endpoint, other }
  }

  /** Its addresses of the families of a host with these, IPv6 first. */
  reachedFrom(ips: readonly string[]): readonly Endpoint[] {
    const reached = this.#endpoints.filter(({ ip }) => ips.some((own) => ipFamily(own) === ipFamily(ip)))
    return [...reached].sort((a, b) => ipFamily(b.ip) - ipFamily(a.ip))
  }

  /** One of each family that it has. */
  get #endpoints(): readonly Endpoint[] {
    const [first] = this.host.ips
    const other = this.host.ips.find((ip) => first !== undefined && ipFamily(ip) !== ipFamily(first))
    return [first, other].flatMap((ip) => (ip === undefined ? [] : [{ ip, port: RELAY_PORT }]))
  }

  /** Its events, over all its lives. */
  get events(): readonly RelayEvent[] {
    return this.#events
  }

  /** Who registered or moved, and where to, in order. */
  get bound(): readonly Extract<RelayEvent, { type: 'bound' }>[] {
    return this.#events.filter((event) => event.type === 'bound')
  }

  get isUp(): boolean {
    return this.#machine !== undefined
  }

  get machine(): RelayMachine {
    if (this.#machine === undefined) throw new Error(`${this.host.name} is down.`)
    return this.#machine
  }

  /** Starts it, as after a crash: it knows nothing of before. */
  start(): void {
    const { provider, random, clock } = this.#sim
    const own = this.#ports === 2 ? [this.host.socket(OTHER_PORT)] : []
    const others = [...own, ...[RELAY_PORT, OTHER_PORT].flatMap((port) => this.#second?.socket(port) ?? [])]
    const machine = new RelayMachine({
      self: this.identity.publicKey,
      provider,
      // What dies takes its secrets along: the next life has others.
      random: random.fork(`${this.host.name} life ${this.#lives++}`),
      unixMs: () => clock.unixMs() + this.clockOffset,
      stun: [this.#endpoints, ...others.map(({ localEndpoints }) => localEndpoints)],
      fleet: this.#fleet && { node: this.#fleet.node, secret: this.#fleet.bus.secret, addresses: [this.endpoint] },
      ...this.#options,
    })
    this.#machine = machine
    const connections = this.#websocket ? new VirtualWebSockets(clock, WEBSOCKET_LATENCY) : undefined
    if (connections !== undefined) this.#sim.websockets.set(websocketUrl(this.endpoint.ip), connections)
    const sleeper = new Sleeper(machine)
    const say = this.#join(machine)
    this.#placed = this.#sim.put(this.host, {
      machine: () => sleeper,
      identity: this.identity,
      port: RELAY_PORT,
      ...{ others, connections },
      socket: (socket) => this.ledger.tap(this.#tampering(socket)),
      onEvent: (event) => {
        if (event.type === 'fleet') say(event)
        else this.#events.push(event)
      },
    })
  }

  /** @returns says something on the bus of its fleet */
  #join(machine: RelayMachine): (message: FleetMessage) => void {
    const { bus, node } = this.#fleet ?? {}
    if (bus === undefined || node === undefined) return () => {}
    const own = {
      node,
      receive: (message: Uint8Array): void =>
        this.#placed?.driver.input((sleeper, now) => {
          if (!sleeper.asleep(now)) machine.fleetReceived(message, now)
        }),
    }
    this.#leaveBus = bus.join(own)
    return (message) => {
      if (!bus.publish(own, message)) machine.fleetLost()
    }
  }

  #tampering(socket: DatagramSocket): DatagramSocket {
    const tampers = this.#tampers
    if (tampers === undefined) return socket
    return {
      get localEndpoints() {
        return socket.localEndpoints
      },
      send: (to, bytes) => {
        for (const forgery of tampers(to, bytes)) socket.send(forgery.to, forgery.bytes)
      },
      onDatagrams: (receive) => socket.onDatagrams(receive),
      close: () => socket.close(),
    }
  }

  /**
   * Dies at once and takes everything along that it knew; done before this returns, whether it is
   * awaited or not.
   */
  async kill(): Promise<void> {
    const placed = this.#placed
    this.#leaveBus()
    this.#placed = undefined
    this.#machine = undefined
    this.#sim.websockets.delete(websocketUrl(this.endpoint.ip))
    await placed?.driver.close()
  }

  /** Tells its peers that it is about to end; the event `drained` says when nothing goes on. */
  drain(): void {
    this.#placed?.driver.input((_sleeper, now) => this.#machine?.drain(now))
  }

  /** An operator bans somebody. */
  ban(ban: Ban): void {
    this.#placed?.driver.input(() => this.machine.access.ban(ban))
  }

  /** And takes it back. */
  unban(who: string): void {
    this.#placed?.driver.input(() => this.machine.access.unban(who))
  }

  /** Whether it was ever put to sleep. */
  slept = false

  /**
   * The host sleeps for this long: timers wait, and packets to it are lost; or only its process
   * is suspended, as by SIGSTOP, and its socket keeps them.
   */
  sleep(by: Duration, what: 'host' | 'process' = 'host'): void {
    this.slept = true
    this.#placed?.driver.input((sleeper, now) => sleeper.sleep(later(now, by), what))
  }

  /** Dies and comes back at once. */
  async restart(): Promise<void> {
    const killed = this.kill()
    this.start()
    await killed
  }
}

/** A relay on Node: the machine on a UDP socket, with RSA off the loop. */
import { duration, later } from '@showchain/client/endpoint'
import {
  type Clock,
  type CountedSocket,
  Driver,
  nodeRuntime,
  type Runtime,
  type SocketImplementation,
  traceTaps,
  type Worker,
} from '@showchain/client/runtime'
import { Permits } from '@showchain/crypto'
import { type Endpoint, formatTicket, MAX_TICKET_ROUTES, type PeerId, ShowchainError } from '@showchain/wire'
import type {
  Ban,
  BanRecord,
  FleetMessage,
  FleetNode,
  PairCounts,
  RelayLimit,
  RelayTraffic,
  UsedBytes,
} from '../core/index.ts'
import { changeLimits, checkedQuotas, RelayMachine } from '../core/index.ts'
import type { CounterName } from './counters.ts'
import type { FleetMembership } from './fleet-bus.ts'
import { Gatekeeper } from './gatekeeper.ts'
import { type Opened, opened } from './opened.ts'
import { endpointsOf, reachableAddresses, seenFromOutside } from './reached-at.ts'
import type { RelayOpenOptions } from './relay-open-options.ts'
import { type BoundPeer, type RelayRuntimeStats, RelayWatch } from './relay-watch.ts'
import { TimedWorker } from './timed-worker.ts'
import { noWebSocketCounters } from './websocket/counters.ts'
import type { WebSocketListener } from './websocket/listener.ts'
import type { WebSocketOptions } from './websocket/options.ts'

/** What changes while it runs. */
type Reloaded = Pick<RelayOpenOptions, 'access' | 'permits' | 'quotas' | 'limits'> & Pick<WebSocketOptions, 'tls'>

/** How long `drain` waits at most, in ms, while sessions go on. */
const DRAIN_TIMEOUT = 30_000

/** A relay on a runtime. @see Relay.open */
export class Relay implements AsyncDisposable {
  readonly id: PeerId
  /** `showchain:<id>?addr=…`: what peers need to find this relay. */
  readonly ticket: string
  /** Its peers and sessions, for those who run it. */
  readonly watch: RelayWatch
  readonly #machine: RelayMachine
  readonly #driver: Driver<RelayMachine>
  readonly #socket: CountedSocket
  readonly #websocket: WebSocketListener | undefined
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #gatekeeper: Gatekeeper
  readonly #newPermits: () => Permits
  readonly #fleet: FleetMembership | undefined
  #draining: Promise<void> | undefined
  /** Ends the wait of `drain`. */
  #drained: () => void = () => {}

  /** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG` */
  static async open(options: RelayOpenOptions): Promise<Relay> {
    const { runtime = nodeRuntime, fleet } = options
    try {
      return new Relay(options, runtime, await opened(options, runtime))
    } catch (error) {
      // It was opened for this relay.
      await fleet?.bus.close()
      throw error
    }
  }

  private constructor(
    options: RelayOpenOptions,
    runtime: Runtime,
    { socket, others, websocket, usage, total }: Opened,
  ) {
    const { identity, publicAddresses, knownKeys, limits, workers, onEvent, onVerified, trace, fleet } = options
    const { clock, random, provider } = runtime
    this.id = identity.id
    const addresses = publicAddresses ?? reachableAddresses(socket.localEndpoints, runtime.localAddresses())
    const routes = { relays: [], addresses: addresses.slice(0, MAX_TICKET_ROUTES) }
    this.ticket = formatTicket({ id: this.id, ...routes, websocket: websocket?.announced })
    const machine = new RelayMachine({
      ...{ provider, random, knownKeys, limits },
      ...{ asks: options.access !== undefined, quotas: options.quotas, total },
      permits: options.permits === true ? new Permits(provider, identity) : undefined,
      self: identity.publicKey,
      unixMs: () => clock.unixMs(),
      fleet: fleet && { ...fleet, addresses: endpointsOf(addresses) },
      stun: [seenFromOutside(socket.localEndpoints, publicAddresses), ...others.map((other) => other.localEndpoints)],
    })
    this.#machine = machine
    this.#newPermits = () => new Permits(provider, identity)
    this.watch = new RelayWatch(machine.view, clock)
    this.#gatekeeper = new Gatekeeper(options.access, {
      store: usage,
      answer: (applied, verdict, used) => {
        if (!this.#driver.closed)
          this.#driver.input((_, now) => machine.access.gate.answered(applied, verdict, used, now))
      },
      onWarning: options.onWarning,
    })
    this.#socket = socket
    this.#websocket = websocket
    this.#clock = clock
    this.#fleet = fleet
    const worker = runtime.worker(identity, workers)
    this.#worker = onVerified === undefined ? worker : new TimedWorker(worker, clock, onVerified)
    this.#driver = new Driver({
      machine,
      socket,
      ...{ others, clock },
      connections: websocket?.connections,
      worker: this.#worker,
      onEvent: (event) => {
        if (event.type === 'applied') return this.#gatekeeper.applied(event)
        if (event.type === 'used') return this.#gatekeeper.used(event.usage)
        if (event.type === 'fleet') return this.#publish(event)
        if (event.type === 'drained') this.#drained()
        onEvent?.(event)
      },
      ...traceTaps(trace, clock),
    })
    this.#fleet?.bus.subscribe((message) => {
      if (!this.#driver.closed) this.#driver.input((to, now) => to.fleetReceived(message, now))
    })
  }

  /** What the sockets are bound to. */
  get addresses(): readonly Endpoint[] {
    return this.#socket.localEndpoints
  }

  /** Where it takes WebSocket connections; undefined: nowhere. */
  get websocketAddress(): Endpoint | undefined {
    return this.#websocket?.address
  }

  /** Who makes its system calls, and why. */
  get socket(): SocketImplementation {
    return this.#socket.implementation
  }

  /** See COUNTER_SENTENCES for what each means. */
  counters(): Record<CounterName, number> {
    const websockets = this.#websocket?.counters ?? noWebSocketCounters()
    return { ...this.#machine.counters(), ...this.#socket.counters, ...websockets }
  }

  /** Bytes that came and went, by kind (TRAFFIC_KINDS). */
  traffic(): RelayTraffic {
    return this.#machine.view.traffic()
  }

  /** What became of the pairs that it brought together (PAIR_PATHS), half a minute after each. */
  pairs(): PairCounts {
    return this.#machine.view.pairs()
  }

  /** The other nodes of the fleet, and what each said of itself last. */
  get fleetNodes(): readonly FleetNode[] {
    return this.#machine.fleetNodes
  }

  /** How full the tables are. */
  stats(): RelayRuntimeStats {
    const websockets = this.#websocket?.connections.size ?? 0
    return { ...this.#machine.stats(), waitingForThread: this.#worker.waiting, websockets }
  }

  /**
   * The address (of IPv6 the /64) where a peer is registered, as limits name it; undefined when it is not
   * registered. For what runs beside the relay and has limits by address, too.
   */
  sourceOf(id: PeerId): string | undefined {
    return this.#machine.sourceOf(id, this.#clock.now())
  }

  /**
   * Takes other limits, other amounts of quotas, another certificate (`tls`) for WebSocket connections from
   * now on, and another decision about who may use it, which registered peers get within 10 s, half of
   * `accessQuestions` in a second.
   * @returns limits that stay as they are: sizes of tables are those of its start
   * @throws ShowchainError `ERR_BAD_CONFIG`, and nothing has changed
   */
  reload({ access, permits = false, quotas, limits = {}, tls }: Reloaded): readonly RelayLimit[] {
    const { meter, gate } = this.#machine.access
    if ((permits || quotas !== undefined) && meter === undefined)
      throw new ShowchainError('ERR_BAD_CONFIG', 'Quotas and permits begin when the relay starts, which had neither.')
    const amounts = checkedQuotas(quotas ?? {})
    const renew = tls && this.#websocket?.renewal(tls)
    const kept = changeLimits(this.#machine.limits, limits)
    renew?.()
    meter?.change(amounts)
    this.#gatekeeper.access = access
    gate.change({ asks: access !== undefined, permits: permits ? this.#newPermits() : undefined })
    return kept
  }

  /** Registered peers in so many rows of their table, and the row to go on with; undefined: there are no more. */
  bindings(from: number, rows: number): { readonly bindings: readonly BoundPeer[]; readonly next: number | undefined } {
    const { bindings, next } = this.#driver.input(({ access }, now) => access.page(from, rows, now))
    const node = this.#fleet?.node
    return { bindings: bindings.map(({ id, source: { ip, port } }) => ({ id, at: { ip, port }, node })), next }
  }

  /** Ends the registration of a peer, which may come again. @returns whether there was one */
  kick(id: PeerId): boolean {
    return this.#driver.input(({ access }, now) => access.kick(id, now))
  }

  /**
   * Serves an id, or an IPv4 address or IPv6 /64 as `sourceOf` names it, no more, at all nodes of its fleet.
   * Registered peers are gone within 10 s.
   * @returns false when there are 10,000 bans already. @throws ShowchainError `ERR_BAD_CONFIG`
   */
  ban(ban: Ban): boolean {
    return this.#driver.input(({ access }) => access.ban(ban))
  }

  /** Takes a ban back, at all nodes. @returns whether there was one */
  unban(who: string): boolean {
    return this.#driver.input(({ access }) => access.unban(who))
  }

  /** Who is served no more. */
  get bans(): readonly Ban[] {
    return this.#machine.access.bans.list
  }

  /** What was said last of who is or was banned: for who keeps it (event `banned`), and for `learnBans`. */
  get banRecords(): readonly BanRecord[] {
    return this.#machine.access.banRecords
  }

  /** Takes what was kept of bans. Of what is said of one the newest counts. */
  learnBans(records: readonly BanRecord[]): void {
    this.#driver.input(({ access }) => access.learnBans(records))
  }

  /**
   * So much of these accounts was used at other relays with which this one shares its store of usage; it
   * counts for quotas here, and is not written from here.
   */
  usedElsewhere(used: readonly UsedBytes[]): void {
    this.#machine.access.meter?.usedElsewhere(used)
  }

  /** Whether `drain` was called. */
  get draining(): boolean {
    return this.#draining !== undefined
  }

  /**
   * Takes no new peers, attempts and sessions, and tells registered peers, which leave for another
   * relay. Forwards until nothing was forwarded for 2 s, then closes. Draining twice is draining
   * once.
   *
   * @param options `timeout`: most ms to wait. @default 30000
   */
  drain({ timeout = DRAIN_TIMEOUT }: { readonly timeout?: number } = {}): Promise<void> {
    this.#draining ??= this.#drain(timeout)
    return this.#draining
  }

  async #drain(timeout: number): Promise<void> {
    if (!this.#driver.closed) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.schedule(later(this.#clock.now(), duration(timeout)), resolve)
        this.#drained = () => {
          timer.cancel()
          resolve()
        }
        this.#driver.input((machine, now) => machine.drain(now))
      })
    }
    await this.close()
  }

  /** Stops at once. Closing twice is closing once. */
  async close(): Promise<void> {
    if (!this.#driver.closed) this.#driver.input(({ access }) => access.keepUsage())
    await Promise.all([this.#driver.close(), this.#websocket?.close(), this.#fleet?.bus.close()])
    await this.#gatekeeper.settled()
    this.#drained()
  }

  #publish({ to, bytes }: FleetMessage): void {
    if (this.#fleet?.bus.publish(to, bytes) === false) this.#machine.fleetLost()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

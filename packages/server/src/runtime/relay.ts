/** A relay on Node: the machine on a UDP socket, with RSA off the loop. */
import { duration, later } from '@showchain/client/endpoint'
import {
  type Clock,
  type CountedSocket,
  Driver,
  hostCandidates,
  isWildcard,
  type ListenAddress,
  nodeRuntime,
  type Runtime,
  type SocketImplementation,
  type Trace,
  traceTaps,
  type Worker,
  type WorkerLimits,
} from '@showchain/client/runtime'
import type { Identity, PublicKey } from '@showchain/crypto'
import {
  type Address,
  canonicalIp,
  type Endpoint,
  formatTicket,
  ipFamily,
  MAX_TICKET_ROUTES,
  type PeerId,
} from '@showchain/wire'
import { isChannelFrame } from '@showchain/wire/end-to-end'
import type { Applicant, PairCounts, RelayEvent, RelayLimits, RelayTraffic } from '../core/index.ts'
import { RelayMachine, type RelayStats, relayLimits, type Verdict } from '../core/index.ts'
import type { CounterName } from './counters.ts'
import { TimedWorker } from './timed-worker.ts'
import { noWebSocketCounters } from './websocket/counters.ts'
import type { WebSocketListener, WebSocketOptions } from './websocket/listener.ts'

/** What a relay is opened with. */
export interface RelayOpenOptions {
  readonly identity: Identity
  /** At most one address of each family. @default 0.0.0.0 and ::, one free port */
  readonly listen?: readonly ListenAddress[] | undefined
  /**
   * Further sockets that answer STUN alone, so that peers can find out what their NAT does: with
   * another address or port, best with both (RFC 5780).
   * @default none
   */
  readonly stunAlternates?: readonly ListenAddress[] | undefined
  /**
   * Where peers reach this relay, for its ticket.
   * @default what it is bound to, a wildcard as the host's own addresses
   */
  readonly publicAddresses?: readonly Address[] | undefined
  /** For peers whose network lets no UDP through. @default none */
  readonly websocket?: WebSocketOptions | undefined
  /** Keys of peers that speak only the seed's messages; others bring theirs along. @default none */
  readonly knownKeys?: readonly PublicKey[] | undefined
  /**
   * Whether a peer may use the relay, asked when its signature has shown who it is, and again each
   * `limits.accessSeconds`. Nobody is let in while it has not answered, or when it throws.
   * @default everyone may
   */
  readonly access?: ((applicant: Applicant) => boolean | Promise<boolean>) | undefined
  /** In place of RELAY_LIMITS' defaults. @default none */
  readonly limits?: Partial<RelayLimits> | undefined
  /** How much RSA waits and runs at once. @default WORKER_LIMITS */
  readonly workers?: Partial<WorkerLimits> | undefined
  /**
   * The system that the relay runs on: Node, or a host of testkit's simulated internet.
   * @default nodeRuntime
   */
  readonly runtime?: Runtime | undefined
  /**
   * Called for each datagram, with its message. Decodes each a second time.
   * @default none
   */
  readonly trace?: Trace | undefined
  /** Called when bindings and sessions begin and end. @default none */
  readonly onEvent?: ((event: RelayEvent) => void) | undefined
  /** Called with the seconds that each check of a signature took, its wait for a thread included. @default none */
  readonly onVerified?: ((seconds: number) => void) | undefined
  /** Called with a sentence about a problem that does not stop the relay. @default none */
  readonly onWarning?: ((sentence: string) => void) | undefined
}

/** Sizes of tables and queues. */
export interface RelayRuntimeStats extends RelayStats {
  /** RSA jobs that wait for a thread. */
  readonly waitingForThread: number
  /** WebSocket connections that are open. */
  readonly websockets: number
}

type Applied = Extract<RelayEvent, { type: 'applied' }>

/** How long `drain` waits at most, in ms, while sessions go on. */
const DRAIN_TIMEOUT = 30_000

/** What it listens with. */
interface Bound {
  readonly socket: CountedSocket
  /** They answer STUN alone. */
  readonly others: readonly CountedSocket[]
  readonly websocket: WebSocketListener | undefined
}

/** A relay on a runtime. @see Relay.open */
export class Relay implements AsyncDisposable {
  readonly id: PeerId
  /** `showchain:<id>?addr=…`: what peers need to find this relay. */
  readonly ticket: string
  readonly #machine: RelayMachine
  readonly #driver: Driver<RelayMachine>
  readonly #socket: CountedSocket
  readonly #websocket: WebSocketListener | undefined
  readonly #worker: Worker
  readonly #clock: Clock
  #draining: Promise<void> | undefined
  /** Ends the wait of `drain`. */
  #drained: () => void = () => {}

  /** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`, `ERR_BAD_CONFIG` */
  static async open(options: RelayOpenOptions): Promise<Relay> {
    const { listen, limits, stunAlternates = [], onWarning, runtime = nodeRuntime } = options
    // Before the sockets: a bad limit must leave nothing behind.
    relayLimits(limits)
    const sockets: CountedSocket[] = []
    let websocket: WebSocketListener | undefined
    try {
      sockets.push(await runtime.openSocket({ listen, onWarning, borrows: isChannelFrame }))
      for (const alternate of stunAlternates) sockets.push(await runtime.openSocket({ listen: [alternate], onWarning }))
      // Only who wants it loads what it needs.
      if (options.websocket !== undefined)
        websocket = await (await import('./websocket/listener.ts')).WebSocketListener.open(
          options.websocket,
          runtime.clock,
        )
    } catch (error) {
      await Promise.all(sockets.map((socket) => socket.close()))
      throw error
    }
    const [socket, ...others] = sockets
    return new Relay(options, runtime, { socket: socket as CountedSocket, others, websocket })
  }

  private constructor(options: RelayOpenOptions, runtime: Runtime, { socket, others, websocket }: Bound) {
    const { identity, publicAddresses, knownKeys, limits, workers, onEvent, onVerified, trace, access } = options
    const { clock, random, provider } = runtime
    this.id = identity.id
    const addresses = publicAddresses ?? reachableAddresses(socket.localEndpoints, runtime.localAddresses())
    this.ticket = formatTicket({ id: this.id, relays: [], addresses: addresses.slice(0, MAX_TICKET_ROUTES) })
    const machine = new RelayMachine({
      ...{ provider, random, knownKeys, limits },
      asks: access !== undefined,
      self: identity.publicKey,
      unixMs: () => clock.unixMs(),
      stun: [seenFromOutside(socket.localEndpoints, publicAddresses), ...others.map((other) => other.localEndpoints)],
    })
    this.#machine = machine
    this.#socket = socket
    this.#websocket = websocket
    this.#clock = clock
    const worker = runtime.worker(identity, workers)
    this.#worker = onVerified === undefined ? worker : new TimedWorker(worker, clock, onVerified)
    this.#driver = new Driver({
      machine,
      socket,
      ...{ others, clock },
      connections: websocket?.connections,
      worker: this.#worker,
      onEvent: (event) => {
        if (event.type === 'applied') return void this.#decide(event, access)
        if (event.type === 'drained') this.#drained()
        onEvent?.(event)
      },
      ...traceTaps(trace, clock),
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

  /** See RELAY_COUNTERS and SOCKET_COUNTERS for what each means. */
  counters(): Record<CounterName, number> {
    const websockets = this.#websocket?.counters ?? noWebSocketCounters()
    return { ...this.#machine.counters(), ...this.#socket.counters, ...websockets }
  }

  /** Bytes that came and went, by kind (TRAFFIC_KINDS). */
  traffic(): RelayTraffic {
    return this.#machine.traffic()
  }

  /** What became of the pairs that it brought together (PAIR_PATHS), half a minute after each. */
  pairs(): PairCounts {
    return this.#machine.pairs()
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

  async #decide({ id, at, question }: Applied, access: RelayOpenOptions['access']): Promise<void> {
    let verdict: Verdict = 'undecided'
    try {
      verdict = (await access?.({ id, at })) === true ? 'allowed' : 'refused'
    } catch {
      // Who cannot decide has let nobody in.
    }
    if (!this.#driver.closed) this.#driver.input((machine, now) => machine.decided(id, question, verdict, now))
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
    await Promise.all([this.#driver.close(), this.#websocket?.close()])
    this.#drained()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** What is bound to one address is reached there; of a wildcard only the configuration knows. */
function seenFromOutside(bound: readonly Endpoint[], announced: readonly Address[] = []): readonly Endpoint[] {
  return bound.flatMap((endpoint) => {
    if (!isWildcard(endpoint.ip)) return [endpoint]
    const known = announced.find(({ host }) => canonicalIp(host) === host && ipFamily(host) === ipFamily(endpoint.ip))
    return known === undefined ? [] : [{ ip: known.host, port: known.port }]
  })
}

const addressOf = ({ ip, port }: Endpoint): Address => ({ host: ip, port })

/**
 * The bound endpoints as others on the same networks reach them; loopback when this host is on
 * none.
 */
function reachableAddresses(bound: readonly Endpoint[], own: readonly string[]): readonly Address[] {
  const candidates = hostCandidates(bound, own)
  if (candidates.length > 0) return candidates.map(addressOf)
  return hostCandidates(bound, ['127.0.0.1', '::1']).map(addressOf)
}

/** A real peer machine on a simulated host, and everything that it told its owner. */
import {
  type DialId,
  type DialPolicy,
  type Duration,
  type Instant,
  internetPolicy,
  type LinkId,
  later,
  type Path,
  type PeerEvent,
  PeerMachine,
  type SendFailure,
  type Via,
} from '@showchain/client/core'
import type { Driver } from '@showchain/client/runtime'
import type { PublicKey } from '@showchain/crypto'
import type { Encoding, Endpoint, PeerId } from '@showchain/wire'
import type { Host, Simulation, TestIdentity } from '../../src/index.ts'
import type { LabRelay } from './lab-relay.ts'
import type { Ledger } from './ledger.ts'
import { Sleeper } from './sleeper.ts'

type RelayState = Extract<PeerEvent, { type: 'relay' }>['state']

export interface LabPeerOptions {
  /** Asked for each peer; undefined: the question stays open. @default everyone */
  readonly accept?: (id: PeerId, via: Via) => boolean | undefined
  readonly port?: number
  readonly seedMode?: boolean
  readonly encoding?: Encoding
  readonly knownKeys?: readonly PublicKey[]
  readonly keepAlive?: Duration
  /** Where it says that it can be reached on its own network, on the port of its socket. @default nowhere */
  readonly local?: readonly string[]
}

export interface Arrived {
  readonly at: Instant
  readonly from: PeerId
  readonly link: LinkId
  readonly bytes: Uint8Array
}

/** A dial, followed until it ends. */
export interface Dialled {
  readonly started: Instant
  ended: Instant | undefined
  link: LinkId | undefined
  /** What was tried when it failed. */
  attempts: Extract<PeerEvent, { type: 'dialFailed' }>['attempts'] | undefined
}

/** A message, followed until it is acknowledged or fails. */
export interface Delivery {
  readonly started: Instant
  ended: Instant | undefined
  failure: SendFailure
}

export interface LabLink {
  readonly id: LinkId
  readonly remoteId: PeerId
  readonly incoming: boolean
  path: Path
  readonly paths: Path[]
  closed: string | undefined
}

export class LabPeer {
  readonly host: Host
  readonly identity: TestIdentity
  readonly ledger: Ledger
  readonly machine: PeerMachine
  readonly sleeper: Sleeper<PeerEvent>
  readonly endpoints: () => readonly Endpoint[]
  readonly events: { readonly at: Instant; readonly event: PeerEvent }[] = []
  readonly arrived: Arrived[] = []
  readonly links = new Map<LinkId, LabLink>()
  readonly #sim: Simulation
  readonly #options: LabPeerOptions
  readonly #driver: Driver<Sleeper<PeerEvent>>
  readonly #dials = new Map<DialId, Dialled>()

  constructor(sim: Simulation, name: string, host: Host, ledger: Ledger, options: LabPeerOptions) {
    this.#sim = sim
    this.#options = options
    this.host = host
    this.ledger = ledger
    this.identity = sim.identity(name)
    const { accept: _accept, port, local = [], ...rest } = options
    let endpoints: () => readonly Endpoint[] = () => []
    this.machine = new PeerMachine({
      ...rest,
      self: this.identity.publicKey,
      provider: sim.provider,
      random: sim.random.fork(name),
      unixMs: () => sim.clock.unixMs(),
      allows: internetPolicy,
      plaintext: true,
      hostCandidates: () => local.map((ip) => ({ ip, port: endpoints()[0]?.port ?? 0 })),
    })
    this.sleeper = new Sleeper(this.machine)
    const placed = sim.put(host, {
      machine: () => this.sleeper,
      identity: this.identity,
      port,
      socket: (socket) => {
        endpoints = () => socket.localEndpoints
        return ledger.tap(socket)
      },
      onEvent: (event) => this.#on(event),
    })
    this.endpoints = endpoints
    this.#driver = placed.driver
  }

  get id(): PeerId {
    return this.identity.id
  }

  get endpoint(): Endpoint {
    return this.endpoints()[0] as Endpoint
  }

  /** Its open connections. */
  get open(): readonly LabLink[] {
    return [...this.links.values()].filter(({ closed }) => closed === undefined)
  }

  /** What became of its registrations, in order. */
  get relayStates(): readonly RelayState[] {
    return this.events.flatMap(({ event }) => (event.type === 'relay' ? [event.state] : []))
  }

  get registrations(): number {
    return this.relayStates.filter((state) => state === 'registered').length
  }

  register(relay: LabRelay): void {
    this.ledger.called(relay.endpoint)
    this.input((now) => void this.machine.register(relay.address, now))
  }

  /** Dials another peer the way that its ticket says. */
  dial(
    target: PeerId,
    policy: DialPolicy,
    { relays = [], addresses = [] }: { relays?: readonly LabRelay[]; addresses?: readonly Endpoint[] },
  ): Dialled {
    for (const address of [...addresses, ...relays.map(({ endpoint }) => endpoint)]) this.ledger.called(address)
    const dialled: Dialled = { started: this.#sim.clock.now(), ended: undefined, link: undefined, attempts: undefined }
    this.input((now) => {
      const id = this.machine.dial({ id: target, policy, addresses, relays: relays.map(({ address }) => address) }, now)
      this.#dials.set(id, dialled)
    })
    return dialled
  }

  send(link: LinkId, bytes: Uint8Array): Delivery {
    const delivery: Delivery = { started: this.#sim.clock.now(), ended: undefined, failure: undefined }
    const done = (failure: SendFailure, now: Instant): void => {
      if (delivery.ended !== undefined) throw new Error('A message ended twice.')
      delivery.ended = now
      delivery.failure = failure
    }
    this.input((now) => this.machine.send(link, bytes, done, now))
    return delivery
  }

  closeLink(link: LinkId): void {
    this.input((now) => this.machine.closeLink(link, now))
  }

  /** The host is switched off for so long, clock and all but its own: timers wait, packets are lost. */
  sleep(by: Duration): void {
    this.sleeper.sleep(later(this.#sim.clock.now(), by))
    // The driver asks for the deadline after each input.
    this.input(() => {})
  }

  /** Runs a command. */
  input(command: (now: Instant) => void): void {
    this.#driver.input((_machine, now) => command(now))
  }

  async close(): Promise<void> {
    if (this.#driver.closed) return
    this.input((now) => this.machine.close(now))
    await this.#driver.close()
  }

  #on(event: PeerEvent): void {
    const now = this.#sim.clock.now()
    this.events.push({ at: now, event })
    switch (event.type) {
      case 'consent': {
        const { accept } = this.#options
        const allowed = accept === undefined || accept(event.id, event.via)
        return allowed === undefined ? undefined : this.input((at) => event.decide(allowed, at))
      }
      case 'open': {
        const { link: id, remoteId, path, incoming } = event
        if (this.links.has(id)) throw new Error('A connection opened twice.')
        this.links.set(id, { id, remoteId, incoming, path, paths: [path], closed: undefined })
        return
      }
      case 'path': {
        const link = this.#link(event.link)
        link.path = event.path
        link.paths.push(event.path)
        return
      }
      case 'closed':
        this.#link(event.link).closed = event.reason
        return
      case 'message': {
        const { link, bytes } = event
        this.arrived.push({ at: now, from: this.#link(link).remoteId, link, bytes })
        return this.input(() => this.machine.read(link))
      }
      case 'dialed':
        return this.#dialEnded(event.dial, { link: event.link })
      case 'dialFailed':
        return this.#dialEnded(event.dial, { attempts: event.attempts })
      case 'relay':
      case 'note':
        return
    }
  }

  #dialEnded(id: DialId, how: Partial<Dialled>): void {
    const dialled = this.#dials.get(id)
    if (dialled === undefined || dialled.ended !== undefined) throw new Error('A dial ended that was not under way.')
    Object.assign(dialled, how, { ended: this.#sim.clock.now() })
  }

  #link(id: LinkId): LabLink {
    const link = this.links.get(id)
    if (link === undefined || link.closed !== undefined) throw new Error('A connection that is not open had an event.')
    return link
  }
}

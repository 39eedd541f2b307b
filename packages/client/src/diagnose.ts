/**
 * What keeps this host from being connected, and what does not: asks the relays of the configuration
 * from a socket of its own, and registers with them as a peer of its own.
 */
import type { Identity } from '@showchain/crypto'
import { type Endpoint, ShowchainError, type Ticket } from '@showchain/wire'
import { waitFor } from './async/deadline.ts'
import type { SignalOptions } from './async/signals.ts'
import { type AddressPolicyName, type LinkEvent, LinkProbe, type ServerProbe } from './core/index.ts'
import type { Finding } from './finding.ts'
import { findingsOf, type Measured } from './findings.ts'
import { openLanCheck } from './lan-check.ts'
import { type Looked, Names } from './names.ts'
import { prefixOf } from './nat64-prefix.ts'
import { checkOptions } from './options.ts'
import { Peer } from './peer.ts'
import { permitEnd } from './permit-watch.ts'
import type { RelayEvent } from './relay-event.ts'
import type { Clock } from './runtime/clock.ts'
import { Driver } from './runtime/driver.ts'
import { nodeRuntime } from './runtime/node-runtime.ts'
import type { Runtime } from './runtime/runtime.ts'
import { NO_WORKER } from './runtime/worker.ts'

export interface DiagnoseOptions extends SignalOptions {
  /** Who registers: better one that no running peer has. */
  readonly identity: Identity
  /** Tickets of the relays to ask: all addresses of each. */
  readonly relays: readonly (string | Ticket)[]
  /** @default 'internet' */
  readonly addressPolicy?: AddressPolicyName | undefined
  /** Also whether peers of this host's private networks find it. @default false */
  readonly lanDiscovery?: boolean | undefined
  /** @default nodeRuntime */
  readonly runtime?: Runtime | undefined
}

/**
 * Milliseconds: what has not answered by then does not. NAT discovery is over after 9 s when nothing
 * answers, a router is silent after 7 s, a registration fails later.
 */
const PATIENCE = 10_000

/**
 * Takes some seconds: ten where something does not answer.
 *
 * @returns a finding for each check, and one for each relay
 * @throws ShowchainError as `Peer.open` does, `ERR_ABORTED`
 */
export async function diagnose(options: DiagnoseOptions): Promise<readonly Finding[]> {
  const { signal, lanDiscovery = false, ...peerOptions } = options
  const { identity, runtime, relays } = checkOptions(peerOptions, nodeRuntime)
  const peer = await Peer.open({ ...peerOptions, accept: 'nobody' }, { signal })
  try {
    const warnings: string[] = []
    const socket = await runtime.openSocket({ onWarning: (sentence) => void warnings.push(sentence) })
    const { clock } = runtime
    const machine = new LinkProbe(runtime.random, () => clock.unixMs())
    const onEvent = (event: LinkEvent): void => measuring.on(event)
    const driver = new Driver({ machine, socket, clock, worker: NO_WORKER, onEvent })
    const measuring = new Measuring(relays, peer, driver)
    const lanCheck = lanDiscovery ? await openLanCheck(runtime, identity.id, peer.addresses) : undefined
    try {
      const names = new Names(runtime, () => runtime.localAddresses())
      const { nat64 } = names
      if (nat64.applies) void nat64.find()
      await measuring.done(names, { clock, signal })
      const [lan, local] = [await lanCheck?.measured, runtime.localAddresses()]
      const prefix = prefixOf(nat64)
      const has = (endpoint: Endpoint): boolean => nat64.meant(endpoint) !== undefined
      const ways = { local, lan, nat64: prefix === undefined ? undefined : { prefix, has } }
      return findingsOf({ ...measuring.measured, ...ways, at: clock.unixMs(), socket: socket.implementation, warnings })
    } finally {
      await Promise.all([driver.close(), lanCheck?.close()])
    }
  } finally {
    await peer.close()
  }
}

/** What a registration outlives. */
const ASIDE: ReadonlySet<RelayEvent['state']> = new Set(['draining', 'limited', 'expiring'])

interface Asked {
  readonly relay: Ticket
  readonly probes: ServerProbe[]
  /** Addresses that are being asked, and names that are being looked up. */
  open: number
  unresolved: string | undefined
  registration: RelayEvent | undefined
}

/** What comes in, until nothing more is to come. */
class Measuring {
  readonly #asked: readonly Asked[]
  readonly #peer: Peer
  readonly #driver: Driver<LinkProbe>
  /** Who was asked at each address. */
  readonly #waiting = new Map<Endpoint, Asked>()
  #hairpin: 'not asked' | 'asked' | boolean = 'not asked'
  #settled: () => void = () => {}

  constructor(relays: readonly Ticket[], peer: Peer, driver: Driver<LinkProbe>) {
    this.#asked = relays.map((relay) => ({
      relay,
      probes: [],
      open: 0,
      unresolved: undefined,
      registration: undefined,
    }))
    this.#peer = peer
    this.#driver = driver
  }

  get measured(): Pick<Measured, 'relays' | 'nat' | 'portMapping' | 'hairpin'> {
    return {
      relays: this.#asked.map(({ relay, probes, unresolved, registration }) => ({
        ...{ id: relay.id, probes, unresolved, registration, permitEnd: permitEnd(relay) },
      })),
      nat: this.#peer.nat,
      portMapping: this.#peer.portMapping,
      hairpin: typeof this.#hairpin === 'boolean' ? this.#hairpin : undefined,
    }
  }

  /** Resolves when everything has its answer, and when time is up. @throws ShowchainError `ERR_ABORTED` */
  async done(names: Names, { clock, signal }: { readonly clock: Clock } & SignalOptions): Promise<void> {
    const offs = [
      this.#peer.on('relay', (event) => {
        const asked = this.#asked.find(({ relay }) => relay.id === event.relay)
        if (asked !== undefined && !ASIDE.has(event.state)) asked.registration = event
        this.#check()
      }),
      this.#peer.on('nat', () => this.#check()),
      this.#peer.on('portMapping', () => this.#check()),
    ]
    for (const asked of this.#asked) {
      asked.open += asked.relay.addresses.length
      for (const address of asked.relay.addresses) offs.push(names.look(address, (looked) => this.#ask(asked, looked)))
    }
    try {
      await waitFor<void>(
        clock,
        { signal, timeout: PATIENCE },
        () => {},
        ({ resolve }) => {
          this.#settled = () => void resolve()
          this.#check()
        },
      )
    } catch (error) {
      if (!(error instanceof ShowchainError && error.code === 'ERR_TIMEOUT')) throw error
    } finally {
      for (const off of offs) off()
    }
  }

  on(event: LinkEvent): void {
    if (event.type === 'hairpin') this.#hairpin = event.works
    else this.#probed(event.probe)
    this.#check()
  }

  #ask(asked: Asked, looked: Looked): void {
    asked.open--
    if ('why' in looked) asked.unresolved = looked.why
    for (const server of looked.found) {
      asked.open++
      this.#waiting.set(server, asked)
      this.#driver.input((machine, now) => machine.ask(server, now))
    }
    this.#check()
  }

  #probed(probe: ServerProbe): void {
    const asked = this.#waiting.get(probe.server)
    if (asked === undefined) return
    asked.open--
    asked.probes.push(probe)
    const { mapped } = probe
    if (mapped === undefined || this.#hairpin !== 'not asked') return
    this.#hairpin = 'asked'
    this.#driver.input((machine, now) => machine.askHairpin(mapped, now))
  }

  #check(): void {
    const registrations = this.#asked.map(({ registration }) => registration?.state)
    if (this.#asked.some(({ open }) => open > 0) || this.#hairpin === 'asked') return
    if (registrations.some((state) => state !== 'registered' && state !== 'failed')) return
    // Without UDP nobody can tell what the NAT does.
    const tells = this.#asked.some(({ registration }) => registration?.over === 'udp')
    if (tells && this.#peer.nat === undefined) return
    if (this.#peer.portMapping.state === 'asking') return
    this.#settled()
  }
}

/** Hands the events of a peer's machine to its listeners, connections and dials. */
import { formatEndpoint, type PeerId, ShowchainError, type Ticket } from '@showchain/wire'
import { AsyncQueue, type QueueReader } from './async/async-queue.ts'
import { Listeners } from './async/listeners.ts'
import type { Call } from './call.ts'
import type { Connection } from './connection.ts'
import type { ConnectionPort } from './connection-port.ts'
import type { TimelineEntry } from './connection-reports.ts'
import type { ConnectionHandle, DialAttempt, DialId, Instant, NatReport, PeerEvent, PortMapping } from './core/index.ts'
import type { Accept } from './options.ts'
import { PermitWatch } from './permit-watch.ts'
import type { RelayEvent } from './relay-event.ts'
import type { RelayLocator } from './relay-locator.ts'
import type { Clock } from './runtime/clock.ts'
import type { PortMappingOfPeer } from './runtime/port-mapping.ts'
import { MAX_TIMELINE, SharedConnection } from './shared-connection.ts'

export interface PeerListeners {
  relay: [event: RelayEvent]
  /** NAT discovery found another behaviour than before. */
  nat: [report: NatReport]
  /** Another state of the mapping that the router in front was asked for. */
  portMapping: [mapping: PortMapping]
  /**
   * Another host uses this identity, as this relay notices: only one of both can be reached at a
   * time.
   */
  duplicate: [relay: PeerId]
}

const NAMES = ['relay', 'nat', 'portMapping', 'duplicate'] as const

export interface PeerEventsOptions {
  readonly accept: Accept
  readonly plaintext: boolean
  readonly protocols: readonly string[]
  /** Those of the configuration. */
  readonly relays: readonly Ticket[]
  readonly onWarning: ((sentence: string) => void) | undefined
  readonly clock: Clock
  /** Runs a command on the machine, unless the peer is closed. */
  input(command: (now: Instant) => void): void
  /** What a connection asks of the machine. */
  port(handle: ConnectionHandle): ConnectionPort
}

export class PeerEvents {
  readonly listeners: Listeners<PeerListeners> = new Listeners<PeerListeners>(...NAMES)
  readonly incoming: QueueReader<Connection>
  /** Relays of the configuration that this peer is registered with. */
  readonly registered: Set<PeerId> = new Set<PeerId>()
  /** Relays of the configuration that did not answer when they were asked last. */
  readonly unreachable: Set<PeerId> = new Set<PeerId>()
  /** Where the relays of the configuration are. */
  readonly locators: RelayLocator[] = []
  nat: NatReport | undefined
  /** Told where relays see this peer. */
  mapping: Pick<PortMappingOfPeer, 'relay' | 'seen'> | undefined
  readonly #options: PeerEventsOptions
  /** As many as the machine has connections. */
  readonly #connections = new Map<ConnectionHandle, SharedConnection>()
  readonly #offered = new AsyncQueue<Connection>()
  /** Until each ends. */
  readonly #dials = new Map<DialId, Call>()
  /**
   * Timelines of connections that are not open yet, by remote peer; dropped when one is abandoned.
   */
  readonly #notes = new Map<PeerId, TimelineEntry[]>()
  readonly #permits: PermitWatch

  constructor(options: PeerEventsOptions) {
    this.#options = options
    this.#permits = new PermitWatch(options.clock, options.relays, (event) => this.listeners.emit('relay', event))
    this.incoming = this.#offered.reader((handle) => this.#sharedOf(handle)?.take(handle))
  }

  /** A dial of the call began: its result goes there. */
  dialling(dial: DialId, call: Call): void {
    this.#dials.set(dial, call)
  }

  /** Runs a command on the machine, unless the peer is closed. */
  input(command: (now: Instant) => void): void {
    this.#options.input(command)
  }

  /** Connections that a relay carries at the moment. */
  get relayed(): readonly SharedConnection[] {
    return [...this.#connections.values()].filter(({ path }) => path.kind === 'relay')
  }

  /** The peer closes. */
  close(): void {
    this.#dials.clear()
    for (const locator of this.locators) locator.close()
    this.#permits.close()
    this.#notes.clear()
    this.#offered.end()
  }

  on(event: PeerEvent): void {
    switch (event.type) {
      case 'relay':
        return this.onRelay(relayEvent(event))
      case 'seen':
        return this.mapping?.seen(formatEndpoint(event.by), event.observed)
      case 'relayDoubted':
        for (const locator of this.locators) if (locator.id === event.relay) locator.doubt(event.at)
        return
      case 'nat':
        this.nat = event.report
        return this.listeners.emit('nat', event.report)
      case 'duplicate':
        this.#options.onWarning?.(`Another host uses this identity: relay ${event.relay} knows both.`)
        return this.listeners.emit('duplicate', event.relay)
      case 'consent':
        return void this.#decide(event)
      case 'open':
        return this.#onOpen(event)
      case 'path':
        return this.#connections.get(event.connection)?.moved(event.path, event.reason)
      case 'datagram':
        return this.#connections.get(event.connection)?.receive(event.bytes)
      case 'streamOpened':
        return this.#connections.get(event.connection)?.onOpened(event.stream, event.protocol)
      case 'stream':
        return this.#connections.get(event.connection)?.onStream(event.stream, event.what)
      case 'streamStopped':
        return this.#connections.get(event.connection)?.onStopped(event.stream, event.code)
      case 'openable':
        return this.#connections.get(event.connection)?.onOpenable()
      case 'closed': {
        const connection = this.#connections.get(event.connection)
        this.#connections.delete(event.connection)
        const { by, code, reason, unread } = event
        return connection?.ended({ by, code, reason }, unread)
      }
      case 'abandoned':
        this.#notes.delete(event.remoteId)
        return
      case 'note':
        return this.#onNote(event.remoteId, this.#entry(event))
      case 'dialed':
        return this.#onDialed(event.dial, this.#connections.get(event.connection))
      case 'dialFailed':
        return this.#onDialFailed(event.dial, event.attempts)
    }
  }

  #onDialed(dial: DialId, connection: SharedConnection | undefined): void {
    const call = this.#dials.get(dial)
    this.#dials.delete(dial)
    if (connection === undefined)
      return call?.reject(new ShowchainError('ERR_CLOSED', 'The connection ended as soon as it was open.'))
    const handle = connection.held(call?.options.early)
    if (call?.opened(dial, handle) !== true) connection.discard(handle)
  }

  #onDialFailed(dial: DialId, attempts: readonly DialAttempt[]): void {
    const call = this.#dials.get(dial)
    this.#dials.delete(dial)
    if (call === undefined) return
    call.failed(dial, attempts)
    // It may be open by a way that this dial did not want, and then nobody has it.
    const { id } = call.options.ticket
    if ([...this.#dials.values()].some((other) => other.options.ticket.id === id)) return
    for (const connection of this.#connections.values()) if (connection.remoteId === id) connection.discard()
  }

  #sharedOf(handle: Connection): SharedConnection | undefined {
    for (const connection of this.#connections.values()) if (connection.remoteId === handle.remoteId) return connection
    return undefined
  }

  /** A relay may be asked at several addresses of its name, or not at all. */
  onRelay(event: RelayEvent): void {
    const { relay, state } = event
    if (state === 'limited') return void this.listeners.emit('relay', event)
    this.mapping?.relay(event)
    const locators = this.locators.filter(({ id }) => id === relay)
    for (const locator of locators) locator.on(event)
    if (locators.some(({ registered }) => registered) && state !== 'draining') {
      this.registered.add(relay)
      this.unreachable.delete(relay)
    } else if (locators.length > 0 && (state !== 'failed' || locators.every(({ failed }) => failed))) {
      this.registered.delete(relay)
      this.unreachable.add(relay)
    }
    this.listeners.emit('relay', event)
    if (state === 'registered') this.#permits.registered(event)
  }

  async #decide({ id, via, decide }: Extract<PeerEvent, { type: 'consent' }>): Promise<void> {
    const { accept, input } = this.#options
    let allowed = false
    try {
      if (typeof accept === 'function') allowed = await accept({ id, via })
      else allowed = accept === 'everyone' || (accept !== 'nobody' && accept.includes(id))
    } catch {
      // An application that cannot decide has not agreed.
    }
    input((now) => decide(allowed, now))
  }

  #onOpen({ connection: handle, remoteId, path, incoming, early }: Extract<PeerEvent, { type: 'open' }>): void {
    const timeline = this.#notes.get(remoteId) ?? []
    const { plaintext, protocols } = this.#options
    const traits = { remoteId, path, plaintext, protocols, timeline, early }
    const connection = new SharedConnection(traits, this.#options.port(handle), this.#options.clock)
    this.#notes.delete(remoteId)
    this.#connections.set(handle, connection)
    if (incoming) this.#offered.push(connection.offered())
  }

  #entry({ what, attempt }: Extract<PeerEvent, { type: 'note' }>): TimelineEntry {
    return { at: this.#options.clock.unixMs(), what, attempt }
  }

  #onNote(remoteId: PeerId, entry: TimelineEntry): void {
    for (const connection of this.#connections.values())
      if (connection.remoteId === remoteId) return connection.note(entry)
    const notes = this.#notes.get(remoteId) ?? []
    if (notes.length === 0) this.#notes.set(remoteId, notes)
    notes.push(entry)
    if (notes.length > MAX_TIMELINE) notes.shift()
  }
}

function relayEvent({ type: _type, ...event }: Extract<PeerEvent, { type: 'relay' }>): RelayEvent {
  return event
}

/**
 * A peer: every machine of this folder put together.
 *
 *   registrations ── a binding at each relay, kept alive       direct responder ── 0x101 from others
 *   dials ────────── what `connect` started                    punch responder ─── 0x112 from relays
 *   punch attempts ─ direct paths being opened                 connections ─────── and their sessions
 */
import type { Endpoint, PeerId } from '@showchain/wire'
import { acceptDirect } from '../connections/accept-direct.ts'
import { ConnectionTable } from '../connections/connection-table.ts'
import { answerHello } from '../connections/hellos.ts'
import type { Ponged } from '../connections/pings.ts'
import type { ConnectionHandle, DialId, PeerEvent } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { PeerCounter } from '../context/peer-counters.ts'
import { drainedOutbox } from '../endpoint/drained.ts'
import type { Datagram, Instant, Machine, Output, Route, SocketId } from '../endpoint/machine.ts'
import type { Sent } from '../messages/outgoing-message.ts'
import { PunchAttempts } from '../punch/punch-attempts.ts'
import { PunchResponder } from '../punch/punch-responder.ts'
import { Reintroductions } from '../punch/reintroductions.ts'
import type { Registration } from '../relays/registration.ts'
import { RegistrationTable } from '../relays/registration-table.ts'
import type { RelayAddress } from '../relays/relay-route.ts'
import { ConnectionGate } from '../requests/connection-gate.ts'
import { DirectResponder } from '../requests/direct-responder.ts'
import { Transactions } from '../requests/transaction.ts'
import type { SecureStatistics } from '../secure/statistics.ts'
import { closedHere, type Goodbye } from '../transport/ending.ts'
import type { NoNames, StreamOpening, StreamRead } from '../transport/events.ts'
import type { DialTarget } from './dial.ts'
import { Dials } from './dials.ts'
import { type Destinations, dispatch } from './dispatch.ts'
import { inspectPeer, type PeerMachineInspection } from './inspect-peer.ts'
import { type PeerMachineOptions, type PeerParts, peerParts } from './peer-parts.ts'

export class PeerMachine implements Machine<PeerEvent> {
  readonly #parts: PeerParts
  readonly #context: PeerContext
  readonly #machines: Destinations
  /** At most as many as the configuration names. */
  #stunServers: readonly Endpoint[] = []
  readonly #registrations: RegistrationTable
  readonly #dials: Dials
  readonly #reintroductions: Reintroductions
  /** Whether a dial or a connection ended since relays were released last. */
  #someoneLeft = false

  constructor(options: PeerMachineOptions) {
    const parts = peerParts(options)
    const { admission, replay, tokens } = parts
    const context = { ...parts.context, outbox: drainedOutbox(parts.outbox, (now) => this.#drain(now)) }
    const transactions = new Transactions(context)
    const needed = (relay: Registration): boolean => this.#dials.uses(relay) || this.#machines.connections.uses(relay)
    this.#registrations = new RegistrationTable(context, transactions, needed)
    const registrations = this.#registrations.all
    // Whoever dials has consented.
    const gate = new ConnectionGate(context, (id) => this.#dials.has(id))
    const left = (): unknown => (this.#someoneLeft = true)
    const connections = new ConnectionTable(context, transactions, gate, {
      punch: (...how) => this.#reintroductions.start(...how),
      questions: (peer) => punchAttempts.questionsTo(peer),
      closed: (peer, wasOpen, now) => {
        left()
        if (wasOpen) this.#dials.closed(peer, now)
        if (wasOpen) punchAttempts.get(peer)?.end(now)
      },
    })
    const punchAttempts = new PunchAttempts(context, transactions, connections)
    const introduced = { registrations, connections, attempts: punchAttempts }
    this.#reintroductions = new Reintroductions(context, transactions, introduced)
    this.#dials = new Dials(context, transactions, { ...introduced, registrations: this.#registrations, ended: left })
    this.#parts = parts
    this.#context = context
    this.#machines = {
      ...{ registrations, transactions, connections, punchAttempts },
      discovery: context.seedMode ? undefined : options.natDiscovery?.(context, registrations, () => this.#stunServers),
      directResponder: new DirectResponder(context, {
        ...{ admission, gate, tokens },
        isHiddenFrom: (id) => this.#isHiddenFrom(id),
        validation: (id, source, now) => {
          if (connections.get(id)?.paths.direct.provenAt(source, now)) return 'validated'
          return punchAttempts.get(id) === undefined ? 'unvalidated' : 'expected'
        },
        answerHello: ({ id, seq, ts, ext }, now) => answerHello(connections, id, ext?.hello, { seq, ts }, now)?.answer,
        answered: (request, key, source, agreed, now) => {
          const may = acceptDirect(context, connections, request, { key, source, found: agreed === 'direct' }, now)
          if (may && agreed === 'attempt') punchAttempts.verified(request.id, source, now)
        },
      }),
      punchResponder: new PunchResponder(context, {
        ...{ registrations, gate, replay, connections, attempts: punchAttempts },
        isHiddenFrom: (id) => this.#isHiddenFrom(id),
      }),
    }
  }

  /** What was counted so far, by name. */
  counters(): Record<PeerCounter, number> {
    return this.#parts.counters.snapshot()
  }

  /** Everything that it has at this moment. */
  inspect(now: Instant): PeerMachineInspection {
    const { timers, context } = this.#parts
    return inspectPeer(this.#machines, this.#dials, { timers, next: this.deadline, context }, now)
  }

  get deadline(): Instant | undefined {
    const [timers, admission] = [this.#parts.timers.deadline, this.#parts.admission.deadline]
    return timers === undefined || (admission !== undefined && admission < timers) ? admission : timers
  }

  wake(now: Instant): void {
    this.#parts.timers.wake(now)
    this.#parts.admission.expire(now)
    this.#machines.connections.expire(now)
    this.#drain(now)
  }

  /** The input is over when it is polled: connections take turns in sending. */
  poll(): Output<PeerEvent> | undefined {
    const { outbox, context } = this.#parts
    let output = outbox.poll()
    while (output === undefined && context.pumps.turn()) output = outbox.poll()
    return output
  }

  receive(datagram: Datagram, now: Instant): void {
    dispatch(this.#context, this.#machines, datagram, now)
    this.#drain(now)
  }

  socketFailed(socket: SocketId, why: string, now: Instant): void {
    this.#context.sockets.failed(socket, why, now)
    this.#drain(now)
  }

  /** Registers with a relay and stays registered. */
  register(relay: RelayAddress, now: Instant): void {
    this.#registrations.keep(relay, now)
  }

  /** Leaves a relay, as soon as no dial and no connection needs it. */
  leave(relay: RelayAddress, now: Instant): void {
    this.#registrations.lend(relay)
    this.#registrations.release(now)
    this.#drain(now)
  }

  /** Asks these what the NAT does, before the relays. Not in seed mode. */
  useStunServers(servers: readonly Endpoint[], now: Instant): void {
    this.#stunServers = servers
    this.#machines.discovery?.start(now)
    this.#drain(now)
  }

  /** Whether the relay answered lately: there, or at any of its addresses. */
  isRegistered(relay: Pick<RelayAddress, 'id'> & Partial<RelayAddress>): boolean {
    return this.#registrations.isRegistered(relay)
  }

  /** Starts to connect; ends in a `dialed` or a `dialFailed` event. */
  dial(target: DialTarget, now: Instant): DialId {
    return this.#dials.start(target, now)
  }

  /** Gives a dial up: it fails with what was tried, unless it has succeeded already. */
  cancelDial(id: DialId, now: Instant): void {
    this.#dials.cancel(id, now)
    this.#drain(now)
  }

  /** Sends a datagram; `done` is told when it was acknowledged (plaintext) or sent, or why not. */
  sendDatagram(connection: ConnectionHandle, bytes: Uint8Array, done: Sent, now: Instant): void {
    const open = this.#connection(connection)
    if (open === undefined) done({ code: 'ERR_CLOSED', why: 'The connection has ended.' }, now)
    else open.send(bytes, done, now)
  }

  /** Opens a stream; undefined while the remote peer allows no more, and where there are none. */
  openStream(connection: ConnectionHandle, how: StreamOpening, now: Instant): number | NoNames | undefined {
    return this.#connection(connection)?.useStreams((streams) => streams.open(how), now)
  }

  /**
   * @param bytes not to be changed until they are acknowledged
   * @returns false when the send buffer is full; a `writable` event follows
   */
  writeStream(connection: ConnectionHandle, stream: number, bytes: Uint8Array, now: Instant): boolean {
    return this.#connection(connection)?.useStreams((streams) => streams.write(stream, bytes), now) ?? true
  }

  /** No more data will be written. */
  endStream(connection: ConnectionHandle, stream: number, now: Instant): void {
    this.#connection(connection)?.useStreams((streams) => streams.end(stream), now)
  }

  /** RESET_STREAM: gives up writing. */
  resetStream(connection: ConnectionHandle, stream: number, code: number, now: Instant): void {
    this.#connection(connection)?.useStreams((streams) => streams.reset(stream, code), now)
  }

  /** STOP_SENDING: gives up reading. */
  stopStream(connection: ConnectionHandle, stream: number, code: number, now: Instant): void {
    this.#connection(connection)?.useStreams((streams) => streams.stopSending(stream, code, now), now)
  }

  /** The next data of a stream or its end; undefined: nothing yet, a `readable` event follows. */
  readStream(connection: ConnectionHandle, stream: number, now: Instant): StreamRead | undefined {
    return this.#connection(connection)?.useStreams((streams) => streams.read(stream, now), now)
  }

  /** Bytes that one datagram of this connection may have at the moment. */
  maxDatagramSize(connection: ConnectionHandle): number {
    return this.#connection(connection)?.maxDatagramSize ?? this.#context.maxMessage
  }

  /** What is known of a connection's path; undefined when it has ended, or is not protected. */
  statistics(connection: ConnectionHandle): SecureStatistics | undefined {
    return this.#connection(connection)?.secure?.statistics
  }

  /** Measures a round trip to the other end of a protected connection. */
  ping(connection: ConnectionHandle, ponged: Ponged, now: Instant): void {
    this.#connection(connection)?.secure?.ping(ponged, now)
  }

  /** The application read a datagram of this connection: there is room for another. */
  readDatagram(connection: ConnectionHandle): void {
    this.#connection(connection)?.read()
  }

  /** This host is on another network, or was cut off: what is bound to an address is asked at once. */
  networkChanged(now: Instant): void {
    this.#registrations.renew(now)
    this.#machines.connections.addressChanged(now)
    this.#drain(now)
  }

  /** LAN discovery says where the remote peer of a connection may be. */
  near(connection: ConnectionHandle, at: readonly Route[], now: Instant): void {
    this.#machines.punchAttempts.near(this.#connection(connection), at, now)
  }

  /** A router maps this peer's port, at an address that nobody was told. */
  mapped(now: Instant): void {
    this.#machines.connections.announce(now)
  }

  /** @param goodbye what the remote peer is told, with a code of the application's own */
  closeConnection(connection: ConnectionHandle, now: Instant, goodbye?: Goodbye): void {
    this.#connection(connection)?.end(closedHere(goodbye), now)
    this.#drain(now)
  }

  close(now: Instant): void {
    const { connections, discovery, punchAttempts, transactions } = this.#machines
    for (const each of [this.#dials, connections]) each.close(now)
    discovery?.close()
    this.#reintroductions.close()
    punchAttempts.close(now)
    this.#registrations.close(now)
    transactions.close()
    this.#context.sockets.closeAll()
  }

  #connection(handle: ConnectionHandle): ReturnType<ConnectionTable['byHandle']> {
    return this.#machines.connections.byHandle(handle)
  }

  /** Takes up what registrations and NAT discovery have to say until they are silent. */
  #drain(now: Instant): void {
    const { connections, discovery } = this.#machines
    for (let news = this.#registrations.poll(now); news !== undefined; news = this.#registrations.poll(now)) {
      const [registration, event] = news
      if (event === 'registered') discovery?.start(now)
      else if (event === 'moved') connections.addressChanged(now)
      else if (event === 'found') connections.announce(now)
      else if (event !== 'doubted') connections.relayChanged(registration, event, now)
    }
    // Relays that only a ticket named are left with the last dial or connection that may need them.
    if (this.#someoneLeft) this.#registrations.release(now)
    this.#someoneLeft = false
    for (let report = discovery?.poll(); report !== undefined; report = discovery?.poll()) {
      this.#context.nat.known = { mapping: report.mapping, filtering: report.filtering }
      this.#context.outbox.event({ type: 'nat', report })
      connections.natKnown(now)
    }
  }

  /** Whether another peer must not learn this one's address. */
  #isHiddenFrom(id: PeerId): boolean {
    const connection = this.#machines.connections.get(id)
    return connection === undefined ? this.#context.policy === 'relay-only' : !connection.paths.allowsDirect
  }
}

/**
 * A relay as a node of a fleet (docs/fleet.md): peers are bound at the node that they talk to, and
 * sessions belong to the node that made them.
 *
 *   for a peer of another node       deliver ─► its node ─► the peer, in its encoding
 *   for a session of another node    the peer ─► arrived ─► the session's node, which checks and acts
 *
 * Consent, budgets and replay are at the session's node alone. The peer's node checks its address and
 * its rate.
 */
import { type Instant, instant, isProven, later, type Output, type Route, routeKey } from '@showchain/client/endpoint'
import { type PeerId, type SessionId, sessionIdToBytes } from '@showchain/wire'
import { isChannelFrame } from '@showchain/wire/end-to-end'
import {
  type FleetAddress,
  type FleetArrived,
  type FleetDeliver,
  type FleetHeader,
  type FleetItem,
  sessionNode,
} from '@showchain/wire/fleet'
import type { Binding } from '../bindings.ts'
import type { FleetMessage, FleetNode } from '../events.ts'
import { NONE } from '../expiring-rows.ts'
import type { RelayContext } from '../relay-context.ts'
import { adapted } from './adapted.ts'
import { BanSharing } from './ban-sharing.ts'
import { Beside } from './beside.ts'
import { Elsewhere } from './elsewhere.ts'
import { FleetMail } from './fleet-mail.ts'
import { FleetNodes, statusOf } from './fleet-nodes.ts'
import type { FleetParts } from './fleet-options.ts'
import { PeersAt } from './peers-at.ts'
import { Places } from './places.ts'
import { Twin } from './twin.ts'

const NO_KEY = new Uint8Array(0)

export class Fleet {
  readonly node: number
  /** Undefined: nobody else has its port. */
  readonly beside: Beside | undefined
  readonly bans: BanSharing
  readonly #context: RelayContext
  readonly #parts: FleetParts
  readonly #mail: FleetMail
  readonly #nodes: FleetNodes
  readonly #peersAt: PeersAt
  /** At which node a peer is. */
  readonly #places: Places
  readonly #twin: Twin
  #draining = false
  /** At once, as soon as it runs. */
  #nextStatus: Instant = instant(0)

  constructor(context: RelayContext, parts: FleetParts) {
    const { node, secret, unixMs, beside = [] } = parts
    this.node = node
    this.#context = context
    this.#parts = parts
    const { provider, random, limits, outbox } = context
    this.#twin = new Twin(context, node)
    this.#peersAt = new PeersAt(context, parts)
    this.#mail = new FleetMail({ provider, secret, node, random, unixMs })
    this.#nodes = new FleetNodes(beside, (lost) => {
      this.#mail.forget(lost)
      outbox.event({ type: 'fleetNode', node: lost, state: 'lost' })
    })
    this.#places = new Places(limits)
    this.bans = new BanSharing(parts.access, (to, item) => this.#mail.post(to, item))
    this.beside = beside.length === 0 ? undefined : new Beside(context, parts, (to, item) => this.#mail.post(to, item))
    outbox.join((to, bytes) => this.deliver(to, bytes))
  }

  get sizes(): { readonly fleetNodes: number; readonly fleetPlaces: number } {
    return { fleetNodes: this.#nodes.size, fleetPlaces: this.#places.size }
  }

  get nodes(): readonly FleetNode[] {
    return this.#nodes.all()
  }

  get silence(): FleetNodes['silence'] {
    return this.#nodes.silence
  }

  get deadline(): Instant {
    return this.#nextStatus
  }

  poll(): Output<FleetMessage> | undefined {
    const event = this.#mail.poll()
    return event && { type: 'event', event }
  }

  /** Says how this node is, and forgets who is silent. */
  wake(now: Instant): void {
    if (this.#nextStatus > now) return
    this.#nodes.expire(now)
    this.#nextStatus = later(now, this.#nodes.statusGap)
    this.#places.expire(now)
    this.#peersAt.expire(now)
    this.beside?.expire(now)
    this.#tellStatus('all')
  }

  drain(now: Instant): void {
    this.#draining = true
    this.#nextStatus = now
    this.wake(now)
  }

  /** A peer that is not bound here: the way to its node, or to everybody; undefined when there are no others. */
  elsewhere(id: PeerId, now: Instant): Elsewhere | undefined {
    const node = this.#places.get(id, now)
    if (node !== undefined && this.#nodes.has(node, now)) return new Elsewhere(id, node, now)
    return this.#nodes.size === 0 ? undefined : new Elsewhere(id, 'all', now)
  }

  deliver({ id, node, at }: Elsewhere, datagram: Uint8Array): void {
    if (node === 'all' && !this.#places.mayAsk(id, at)) return this.#context.count('fleetNotAsked')
    this.#context.count(node === 'all' ? 'fleetAsked' : 'fleetPassed')
    this.#mail.post(node, { kind: 'deliver', peer: id, datagram })
  }

  /** A peer registered here. */
  registered(binding: Binding, before: Binding | undefined, now: Instant): void {
    const { id, source } = binding
    if (before !== undefined) this.#peersAt.left(before)
    this.#peersAt.bound(binding, now)
    this.#places.delete(id)
    this.beside?.forget(id, now)
    // Who shows less than that it receives at its address takes no binding from another node.
    const isNews = before === undefined || !isProven(before.source) || routeKey(before.source) !== routeKey(source)
    if (isNews || !isProven(source)) this.beside?.left(id)
    if (isNews && isProven(source)) this.#mail.post('all', { kind: 'bound', peer: id, at: this.#parts.unixMs() })
  }

  /** It is not bound here any more. */
  ended(binding: Binding): void {
    this.#peersAt.left(binding)
    this.beside?.left(binding.id)
  }

  /**
   * Something that names a session came from a socket.
   * @param signed whether the session's node verifies a signature of it
   * @returns whether the session is another node's, and so it is done with
   */
  takesMessage(session: SessionId, bytes: Uint8Array, source: Route, signed: boolean, now: Instant): boolean {
    const node = sessionNode(sessionIdToBytes(session), 0)
    // Where nobody is heard, that of another node may be there: nothing is said of it.
    if (!this.#isOther(node, now)) return node !== this.node && this.#nodes.alone
    const binding = this.#peersAt.speaker(source, now)
    if (binding === undefined) this.#context.count('unbound')
    else if (!this.#parts.bindings.takeData(binding.id, now)) this.#context.count('rateLimited')
    else this.#passOn(node, binding, bytes, signed, now)
    return true
  }

  /**
   * As `takesMessage`, for a channel frame.
   * @param handed another node has handed it over: nobody else is asked
   * @returns `unbound` when nobody is bound there
   */
  takesFrame(bytes: Uint8Array, source: Route, handed: boolean, now: Instant): boolean | 'unbound' {
    const node = sessionNode(bytes, 1)
    if (!this.#isOther(node, now)) return false
    const binding = this.#peersAt.speaker(source, now)
    if (binding === undefined) {
      const former = this.#peersAt.formerSpeaker(source, bytes.length, now)
      if (former) this.#tellArrived(node, former, bytes, NO_KEY)
      if (former !== undefined) return true
      if (handed || this.beside?.has(node) !== true) return 'unbound'
      // It came together with frames for a session of this node, by which the kernel chose.
      this.beside.handOver(bytes, source, node, now)
      return true
    }
    const { bindings } = this.#parts
    const row = bindings.rowOf(binding.id, now)
    if (bindings.takeFrame(row, bytes.length, now)) this.#passOn(node, binding, bytes, false, now)
    else this.#context.count('rateLimited')
    return true
  }

  /** A frame for a session of this node came, from where no end of it is bound here. @param peer an end that is not */
  asksOthers(peer: PeerId, bytes: Uint8Array, source: Route, now: Instant): boolean {
    if (this.beside === undefined) return false
    const place = this.#places.get(peer, now)
    this.beside.handOver(bytes, source, place !== undefined && this.beside.has(place) ? place : undefined, now)
    return true
  }

  /** The same. @returns whether a peer was bound there until it registered at another node */
  takesFormer(bytes: Uint8Array, source: Route, now: Instant): boolean {
    const former = this.#peersAt.formerSpeaker(source, bytes.length, now)
    if (former) this.#parts.arrived(bytes, new Elsewhere(former.id, 'all', now, former.source), now)
    return former !== undefined
  }

  #isOther(node: number, now: Instant): boolean {
    return node !== this.node && this.#nodes.has(node, now)
  }

  #passOn(node: number, binding: Binding, datagram: Uint8Array, signed: boolean, now: Instant): void {
    const { bindings, toll } = this.#parts
    if (toll?.pays(bindings.rowOf(binding.id, now), datagram.length, now) === false) return
    bindings.refresh(binding.id, now)
    this.#tellArrived(node, binding, datagram, signed ? binding.spki : NO_KEY)
  }

  #tellArrived(node: number, { id, source: { ip, port } }: Binding, datagram: Uint8Array, key: Uint8Array): void {
    this.#context.count('fleetPassed')
    this.#mail.post(node, { kind: 'arrived', peer: id, from: { ip, port }, key, datagram })
  }

  /** A message came over the bus. */
  receive(message: Uint8Array, now: Instant): void {
    const opened = this.#mail.open(message)
    if (opened === 'own') return
    if (typeof opened === 'string') return this.#context.count(opened)
    const { header, items } = opened
    if (header.from === this.node) return this.#twin.heard(now)
    this.#context.count('fleetReceived')
    this.#nodes.spoke(header.from, now)
    for (const item of items) this.#act(item, header, now)
  }

  #act(item: FleetItem, header: FleetHeader, now: Instant): void {
    switch (item.kind) {
      case 'deliver':
        return this.#deliver(item, header, now)
      case 'arrived':
        return this.#arrived(item, header.from, now)
      case 'bound':
        return this.#bound(item.peer, item.at, header.from, now)
      case 'gone':
        if (this.#places.get(item.peer, now) === header.from) this.#places.delete(item.peer)
        return
      case 'handed':
      case 'share':
      case 'shared':
      case 'repaid':
        if (this.beside?.hears(item, header.from, now) !== true) this.#context.count('fleetRefused')
        return
      case 'status':
        if (!this.#nodes.heard(header, item, now)) return
        this.#context.outbox.event({ type: 'fleetNode', node: header.from, state: 'joined' })
        this.#tellStatus(header.from)
        return
      case 'ban':
      case 'bans':
        this.bans.heard(item, this.#nodes.has(header.from, now) ? header.from : undefined)
    }
  }

  #deliver({ peer, datagram }: FleetDeliver, { to, from }: FleetHeader, now: Instant): void {
    const { count, outbox } = this.#context
    const bound = this.#parts.bindings.get(peer, now)
    const binding = bound ?? (to === 'all' ? undefined : this.#peersAt.formerOf(peer, now))
    if (binding === undefined) {
      if (to !== 'all' && this.#nodes.has(from, now)) this.#mail.post(from, { kind: 'gone', peer })
      return
    }
    const bytes = adapted(this.#context, datagram, binding)
    if (bytes === undefined) return count('fleetRefused')
    count('fleetDelivered')
    outbox.transmit(binding.source, bytes)
  }

  #arrived({ peer, from, key, datagram }: FleetArrived, node: FleetAddress, now: Instant): void {
    if (node !== 'all') this.#places.set(peer, node, now)
    if (node !== 'all' && isChannelFrame(datagram)) this.beside?.ask(peer, node, now)
    this.#parts.arrived(datagram, new Elsewhere(peer, node, now, from, key), now)
  }

  /** The newest registration counts, as at one relay. */
  #bound(peer: PeerId, at: number, node: number, now: Instant): void {
    const { bindings, unixMs } = this.#parts
    if (this.#places.get(peer, now) !== undefined) this.#places.set(peer, node, now)
    this.beside?.forget(peer, now)
    const row = bindings.rowOf(peer, now)
    if (row === NONE || unixMs() - (now - bindings.refreshed(row)) > at) return
    this.#peersAt.leaves(row, now)
    // What sessions of this node have for it goes after it: it sends nothing by them that would tell where it is.
    this.#places.set(peer, node, now)
  }

  #tellStatus(to: FleetAddress): void {
    this.#mail.post(to, statusOf(this.#parts, this.#draining))
    this.#mail.post(to, this.bans.digest)
  }
}

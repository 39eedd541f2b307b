/**
 * The registration with one relay (the seed's section 2, addressed to a relay): 0x101 with this peer's key,
 * kept alive, and renewed when the relay has forgotten it, the network changed, or nothing comes back.
 *
 *   registering ──► registered ◄──► registered, renewing      (unbound, another network)
 *        │ ▲            │ nothing comes back, or the renewal fails: lost
 *        ▼ └────────────┘
 *      waiting (jittered back-off, and asked whether the relay is back) ──► registering
 *
 * `unbound` and `draining` are not signed: they cause a renewal and nothing else. A relay that challenges the
 * renewal did not know this peer at its address. One that drains says so in its answer, which is signed.
 */
import { type Encoding, type Extensions, type Message, OP, sameEndpoint, WIRE_ERROR } from '@showchain/wire'
import type { Path } from '../context/events.ts'
import { type PeerContext, signerKey } from '../context/peer-context.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, later, type Route } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Timer } from '../endpoint/timers.ts'
import { Waiters } from '../endpoint/waiters.ts'
import type { PathLiveness } from '../messages/message-session.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import { Flights } from './flights.ts'
import type { Liveness } from './keep-alive.ts'
import { LostBindings } from './lost-bindings.ts'
import { backOff } from './registration-back-off.ts'
import type { RegistrationEvent, RegistrationState, Told } from './registration-events.ts'
import { registrationRequest } from './registration-request.ts'
import { refusalOf, saysUsedUp } from './registration-words.ts'
import { livenessOf } from './relay-liveness.ts'
import { type RegistrationOwner, RelayReach } from './relay-reach.ts'
import type { RelayAddress, RelayRoute } from './relay-route.ts'
import { RelayStanding } from './relay-standing.ts'
import { RenewalGap } from './renewal-gap.ts'

export class Registration extends RelayStanding implements PathLiveness {
  readonly relay: RelayAddress
  /** What dials send beside the 0x101, before it is registered. */
  readonly flights: Flights = new Flights()
  /** At another node of its fleet, where this peer is since. */
  successor: Registration | undefined
  readonly #context: PeerContext
  readonly #events = new EventQueue<RegistrationEvent>()
  #state: RegistrationState = 'idle'
  readonly reach: RelayReach
  /** Whether a dial waits for the request that is under way, and whether that shows whose it is. */
  #dials = false
  #shows = false
  #liveness: Liveness | undefined
  /** Whether the relay's last answer had extension fields. */
  #extended = false
  readonly #gap = new RenewalGap()
  #timer: Timer | undefined
  #failures = 0
  /** `unbound` came since it registered last. */
  #toldUnbound = false
  readonly #losses = new LostBindings()
  /** Dials that wait for this relay: bounded by the dials that are open. */
  readonly #waiters = new Waiters<[ready: boolean, why: string | undefined, now: Instant]>()

  constructor(context: PeerContext, transactions: Transactions, relay: RelayAddress, owner: RegistrationOwner) {
    super()
    this.#context = context
    this.relay = relay
    this.reach = new RelayReach(context, transactions, {
      ...{ ...owner, relay, back: (now: Instant) => this.start(now) },
      request: (stamp, cookie) => this.#request(stamp, cookie),
      sent: (now) => this.#shows && !this.registered && this.flights.leave(now),
      answered: (message, by, now) => this.#answered(message, by, now),
      failed: (why, now) => this.#failed(why, now),
      found: () => this.#events.push('found'),
      disconnected: (why, now) => this.#dead(`its WebSocket connection ended: ${why}`, now),
    })
  }

  /** What reaches it: UDP, or a WebSocket connection. */
  get route(): RelayRoute {
    return this.reach.route
  }

  /** That of data which goes through it. */
  get path(): Path {
    return { kind: 'relay', remote: this.relay.endpoint, relay: this.relay.id, over: this.route.over }
  }

  poll(): RegistrationEvent | undefined {
    return this.#events.poll()
  }

  /** Whether the relay showed that it knows extensions, as one does that challenges or gave a token. */
  get knowsExtensions(): boolean {
    return this.#extended || this.flights.underWay
  }

  get state(): RegistrationState {
    return this.#state
  }

  get registered(): boolean {
    return this.#state === 'registered'
  }

  /** Whether it serves new attempts and sessions. */
  get serves(): boolean {
    return this.registered && !this.draining
  }

  /** Calls back once: at once, or when this or the next try ends. */
  whenReady(waiter: (ready: boolean, why: string | undefined, now: Instant) => void, now: Instant): void {
    if (this.registered) waiter(true, undefined, now)
    else this.#waiters.add(waiter)
  }

  /** @param dials whether a dial waits for it */
  start(now: Instant, dials = false): void {
    this.#state = 'registering'
    this.#ask(now, dials)
  }

  /** This host's network changed: the binding, if there is one, is for a former address. */
  renew(now: Instant): void {
    if (this.successor !== undefined) return this.suspect(now)
    if (this.#state === 'registered') this.#ask(now)
    else if (this.#state !== 'idle' && this.#state !== 'closed') this.start(now)
    // What it is reached by may be gone: a connection to the former network, or a whole IP family.
    this.#liveness?.suspect(now)
  }

  /** 0x101. While it is registered, the registration stays what it is until the answer. */
  #ask(now: Instant, dials = false): void {
    this.#timer?.cancel()
    this.#gap.began(now)
    this.#dials = dials
    this.reach.ask(now)
  }

  #request(stamp: Stamp, cookie: Uint8Array | undefined): ReturnType<typeof registrationRequest> {
    const tries = !this.#extended && this.#failures % 2 === 1
    const request = registrationRequest(this.#context, this.relay.id, stamp, { cookie, tries, dials: this.#dials })
    this.#shows = (request.ext?.cookie ?? request.ext?.token) !== undefined
    return request
  }

  /** Something that it was asked is not answered so far. */
  get suspected(): boolean {
    return this.#liveness?.suspected === true
  }

  /** Anything came from the relay. */
  heard(now: Instant): void {
    this.#liveness?.heard(now)
  }

  /** A STUN message came. @returns whether it answers a question of this machine */
  answered(bytes: Uint8Array, source: Route, now: Instant): boolean {
    return this.reach.questions.receive(bytes, source, now)
  }

  /** Whether anything came from the relay since then. */
  heardSince(at: Instant): boolean {
    return this.#liveness !== undefined && this.#liveness.lastHeard >= at
  }

  /** Something that went through the relay was not answered. */
  suspect(now: Instant): void {
    this.#liveness?.suspect(now)
  }

  /** Something was sent to the relay beside keep-alives. */
  sent(now: Instant): void {
    this.#liveness?.sent(now)
  }

  /** The relay answered a keep-alive, or keeps alive itself. */
  keptAlive(encoding: Encoding, now: Instant): void {
    this.#liveness?.echo(encoding, now)
  }

  /** The relay, or somebody in its name, says that it does not know this peer, or drains: it is asked, at times. */
  error(code: number, now: Instant): void {
    if (saysUsedUp(code) && this.registered) return this.#tell({ state: 'limited', reason: refusalOf(code) })
    const told = code === WIRE_ERROR.unbound || (code === WIRE_ERROR.draining && !this.draining)
    if (!told || this.#state !== 'registered' || this.successor !== undefined) return
    this.#toldUnbound ||= code === WIRE_ERROR.unbound
    const at = this.#gap.next(now)
    if (at === undefined) return
    this.#timer?.cancel()
    if (at <= now) this.#ask(now)
    else this.#timer = this.#context.timers.set(at, (due) => this.#ask(due))
  }

  /** The path to the relay is dead. */
  #dead(why: string, now: Instant): void {
    this.#lose(why, now)
    if (this.successor === undefined) this.start(now)
  }

  /** This peer is registered at another node of its fleet now: what goes on here goes there. */
  supersede(successor: Registration): void {
    this.successor = successor
    this.draining = true
    // Registered here again, this peer would be taken from there.
    this.#timer?.cancel()
    if (this.#state !== 'registering') this.reach.leave()
    this.#events.push('draining')
  }

  /** It is wanted again. */
  resume(now: Instant): void {
    const superseded = this.successor !== undefined
    this.successor = undefined
    if (superseded) this.start(now)
  }

  close(now: Instant): void {
    this.#state = 'closed'
    this.reach.close()
    this.#liveness?.stop()
    this.#liveness = undefined
    this.#timer?.cancel()
    this.#waiters.settle(false, 'closed', now)
    this.flights.land('closed', now)
  }

  #answered(message: Message, by: Transaction, now: Instant): void {
    if (message.op_code === OP.error) {
      this.reach.giveUp()
      return this.#failed(refusalOf(message.code), now)
    }
    if (message.op_code !== OP.directResponse || message.id !== this.relay.id) return
    const key = signerKey(this.#context, this.relay.id, message)
    if (key === undefined) return this.#context.count('unknownKey')
    by.verify(key, message, (at) => this.#succeed(message.ext, by, at))
  }

  #succeed(ext: Extensions | undefined, by: Transaction, now: Instant): void {
    this.roundTrip = by.roundTrip ?? this.roundTrip
    const carried = this.reach.reached(by, now)
    const known = this.observed
    const elsewhere = ext?.observed !== undefined && (known === undefined || !sameEndpoint(ext.observed, known))
    const moved = elsewhere || (carried && this.#state === 'registered')
    // One that speaks only the seed never challenges.
    const forgotten = by.challenged || (this.#toldUnbound && ext === undefined)
    const renewed = this.#state === 'registered' && (forgotten || moved)
    this.#toldUnbound = false
    this.observed = ext?.observed ?? this.observed
    this.#extended = ext !== undefined
    this.#context.acquaintances.keepToken(this.relay.id, ext?.token)
    const drained = this.draining
    this.learn(ext?.caps ?? 0)
    this.#failures = 0
    if (renewed && !moved) {
      this.#tell({ state: 'lost', reason: 'the relay did not know this address any more' })
      if (this.#losses.add(now))
        this.#context.outbox.event({ type: 'duplicate', relay: this.relay.id, at: this.relay.endpoint })
    }
    this.#liveness?.stop()
    const dead = (at: Instant): void => this.#dead('nothing comes back from it', at)
    const doubted = (): void => this.#events.push('doubted')
    const watched = { ...this.relay, endpoint: this.route, extended: this.knowsExtensions, doubted }
    this.#liveness = livenessOf(this.#context, watched, this.reach.questions, now, dead)
    const first = this.#state !== 'registered'
    this.#state = 'registered'
    this.registeredSince ??= now
    if (first || moved) this.#events.push('registered')
    if (renewed) this.#events.push('renewed')
    if (first || moved || renewed) this.#tell({ state: 'registered', observed: this.observed, over: this.route.over })
    if (moved && known !== undefined) this.#events.push('moved')
    if (this.draining && !drained) {
      this.#tell({ state: 'draining', reason: 'the relay is about to end' })
      this.#events.push('draining')
    }
    this.#waiters.settle(true, undefined, now)
    this.flights.land(undefined, now)
  }

  #failed(why: string, now: Instant): void {
    if (this.#state === 'registered') this.#lose(why, now)
    this.#tell({ state: 'failed', reason: why })
    this.#state = 'waiting'
    const until = later(now, backOff(this.#failures++, this.#context.random))
    this.#timer = this.#context.timers.set(until, (at) => this.start(at))
    this.#waiters.settle(false, why, now)
    this.flights.land(why, now)
  }

  #lose(reason: string, now: Instant): void {
    this.#liveness?.stop()
    this.#liveness = undefined
    this.registeredSince = undefined
    this.#state = 'waiting'
    this.#tell({ state: 'lost', reason })
    this.#events.push('lost')
    this.reach.lost(!this.#context.seedMode && this.knowsExtensions && this.successor === undefined, now)
  }

  #tell(what: Told): void {
    this.#context.outbox.event({ type: 'relay', relay: this.relay.id, at: this.relay.endpoint, ...what })
  }
}

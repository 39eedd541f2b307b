/**
 * Channel frames (docs/protocol.md, End to end) are forwarded from one end of a session to the
 * other unchanged. The relay reads the session's id and nothing else. It signs, verifies and copies
 * nothing.
 *
 *   session? ─► from the bound address of one of its ends? ─► consent ─► rate ─► the other end's bound address
 *                  └─► no: error `unbound`, since an end whose address changed does not know it
 *
 * In a fleet, the session may be another node's, and so may an end of it be.
 *
 * Frames that come together are passed on together, in order, when all of them have come.
 */
import { type Datagram, type Instant, instant, type Route } from '@showchain/client/endpoint'
import { MAX_PROBED_DATAGRAM, type PeerId } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import type { Bindings } from './bindings.ts'
import { NONE } from './expiring-rows.ts'
import type { Fleet } from './fleet/fleet.ts'
import { type End, type ProxySessionTable, REQUESTER, TARGET } from './proxy-session-table.ts'
import type { RelayContext } from './relay-context.ts'
import type { Toll } from './toll.ts'
import type { UnboundErrors } from './unbound-errors.ts'

/** Frames whose rows are fetched together: enough to hide the memory's delay, few enough for the cache. */
const FETCHED_AT_ONCE = 32

/** How a frame came that another node has handed over. */
interface Handed {
  /** Nobody else was asked who its sender is. */
  readonly alone: boolean
}

interface Parts {
  readonly bindings: Bindings
  readonly sessions: ProxySessionTable
  readonly errors: UnboundErrors
  readonly toll: Toll | undefined
  readonly fleet: Fleet | undefined
}

export class ChannelForwarder {
  readonly #context: RelayContext
  readonly #bindings: Bindings
  readonly #sessions: ProxySessionTable
  readonly #errors: UnboundErrors
  /** Undefined: there are no quotas. */
  readonly #toll: Toll | undefined
  readonly #fleet: Fleet | undefined

  /** What has come and was not passed on yet; bounded by what one input brings. Slots are used again. */
  readonly #frames: (Datagram | undefined)[] = []
  #count = 0
  /** Of the frames that are fetched: their sessions, then what was read last. */
  readonly #rows = new Int32Array(FETCHED_AT_ONCE)
  readonly #targets = new Int32Array(FETCHED_AT_ONCE)
  #now: Instant = instant(0)

  constructor(context: RelayContext, { bindings, sessions, errors, toll, fleet }: Parts) {
    this.#context = context
    this.#bindings = bindings
    this.#sessions = sessions
    this.#errors = errors
    this.#toll = toll
    this.#fleet = fleet
  }

  receive(datagram: Datagram, now: Instant): void {
    this.#frames[this.#count++] = datagram
    this.#now = now
  }

  /** Passes on what has come. */
  flush(): void {
    if (this.#count === 0) return
    for (let from = 0; from < this.#count; from += FETCHED_AT_ONCE) {
      const to = Math.min(from + FETCHED_AT_ONCE, this.#count)
      if (to - from > 1) this.#fetch(from, to)
      for (let index = from; index < to; index++) {
        const frame = this.#frames[index] as Datagram
        this.#frames[index] = undefined
        this.#pass(frame.bytes, frame.source, undefined, this.#now)
      }
    }
    this.#count = 0
  }

  /**
   * Reads of their rows what the frames will need, step by step for all of them: the processor waits
   * for the memory once for each step, and not for each frame.
   */
  #fetch(from: number, to: number): void {
    const [sessions, bindings] = [this.#sessions, this.#bindings]
    const [rows, targets] = [this.#rows, this.#targets]
    for (let index = from; index < to; index++)
      rows[index - from] = sessions.candidate((this.#frames[index] as Datagram).bytes, 1)
    for (let index = 0; index < to - from; index++)
      targets[index] = sessions.knownBinding(rows[index] as number, TARGET)
    for (let index = 0; index < to - from; index++) {
      const requester = sessions.knownBinding(rows[index] as number, REQUESTER)
      // Written somewhere: a read whose result nobody sees does not happen.
      rows[index] = bindings.fetch(requester) ^ bindings.fetch(targets[index] as number)
    }
  }

  /** @param handed by another node, and whether this one alone was asked; undefined: it came from a socket */
  #pass(bytes: Uint8Array, source: Route, handed: Handed | undefined, now: Instant): void {
    const { count, outbox } = this.#context
    // Peers discover the packet size of their paths themselves.
    if (bytes.length <= CHANNEL_HEADER_BYTES || bytes.length > MAX_PROBED_DATAGRAM) return count('refused')
    const session = this.#sessions.find(bytes, 1, now)
    if (session === NONE) return this.#noSession(bytes, source, handed, now)
    const requester = this.#sessions.bindingOf(session, REQUESTER, now)
    const target = this.#sessions.bindingOf(session, TARGET, now)
    const isRequester = this.#bindings.isAt(requester, source)
    if (!isRequester && !this.#bindings.isAt(target, source)) {
      if (this.#fleet?.takesFormer(bytes, source, now) === true) return
      // Further sockets answer STUN alone.
      if ((source.socket ?? 0) !== 0) return count('unexpected')
      if (requester === NONE && this.#takesShared(session, REQUESTER, bytes, source, now)) return
      if (target === NONE && this.#takesShared(session, TARGET, bytes, source, now)) return
      const absent = target === NONE ? TARGET : requester === NONE ? REQUESTER : undefined
      if (absent !== undefined && this.#fleet?.asksOthers(this.#sessions.peerAt(session, absent), bytes, source, now))
        return
      return this.#unbound(bytes, source, handed, now)
    }
    // The target's first word is its consent; the requester waits for it.
    if (!isRequester) this.#sessions.consent(session)
    else if (!this.#sessions.isConsented(session)) return count('consentExhausted')
    const from = isRequester ? requester : target
    this.#bindings.prove(from, source)
    if (!this.#bindings.takeFrame(from, bytes.length, now)) return count('rateLimited')
    const to = isRequester ? target : requester
    if (to === NONE) return this.#absent(session, isRequester ? TARGET : REQUESTER, from, bytes, now)
    if (this.#toll !== undefined && !this.#toll.pays(from, bytes.length, now)) return
    this.#bindings.refreshRow(from, now)
    this.#sessions.carry(session, bytes.length, now)
    outbox.transmit(this.#bindings.sourceOf(to), bytes, 'channel')
    count('channelForwarded')
  }

  /** A node with the same port got one from an address that may be bound here. */
  handed(bytes: Uint8Array, source: Route, alone: boolean, now: Instant): void {
    this.#pass(bytes, source, { alone }, now)
  }

  /** Whether one came from where an end is bound at a node with the same port, which has shared it. */
  #takesShared(session: number, end: End, bytes: Uint8Array, source: Route, now: Instant): boolean {
    const peer = this.#sessions.peerAt(session, end)
    const taken = this.#fleet?.beside?.takes(peer, source, bytes.length, now) ?? false
    if (taken === true) this.arrived(peer, bytes, now)
    else if (taken) this.#context.count(taken)
    return taken !== false
  }

  /** One came from the bound address of a peer at another node of the fleet, which has looked at its rate. */
  arrived(peer: PeerId, bytes: Uint8Array, now: Instant): void {
    const { count, outbox } = this.#context
    if (bytes.length <= CHANNEL_HEADER_BYTES) return count('refused')
    const session = this.#sessions.find(bytes, 1, now)
    if (session === NONE) return count('noSession')
    const isRequester = this.#sessions.peerAt(session, REQUESTER) === peer
    if (!isRequester && this.#sessions.peerAt(session, TARGET) !== peer) return count('unbound')
    if (isRequester && !this.#sessions.isConsented(session)) return count('consentExhausted')
    if (!isRequester) this.#sessions.consent(session)
    const end = isRequester ? TARGET : REQUESTER
    const to = this.#sessions.bindingOf(session, end, now)
    if (to === NONE) return this.#absent(session, end, NONE, bytes, now)
    this.#sessions.carry(session, bytes.length, now)
    outbox.transmit(this.#bindings.sourceOf(to), bytes, 'channel')
    count('channelForwarded')
  }

  #noSession(bytes: Uint8Array, source: Route, handed: Handed | undefined, now: Instant): void {
    const taken = this.#fleet?.takesFrame(bytes, source, handed !== undefined, now) ?? false
    if (taken === 'unbound') this.#unbound(bytes, source, handed, now)
    else if (!taken) this.#context.count('noSession')
  }

  #unbound(bytes: Uint8Array, source: Route, handed: Handed | undefined, now: Instant): void {
    // Where others were asked, too, one of them may know the sender.
    if (handed?.alone === false) return
    this.#context.count('unbound')
    this.#errors.tell(source, 'binary', bytes.length, now)
  }

  /**
   * An end of the session is not bound here: at another node of the fleet, or nowhere.
   * @param from who sent it, if here
   */
  #absent(session: number, end: End, from: number, bytes: Uint8Array, now: Instant): void {
    const peer = this.#sessions.peerAt(session, end)
    const shared = this.#fleet?.beside?.routeTo(peer, now)
    const elsewhere = shared ?? this.#fleet?.elsewhere(peer, now)
    if (elsewhere === undefined) return this.#context.count('targetAbsent')
    if (from !== NONE && this.#toll?.pays(from, bytes.length, now) === false) return
    if (from !== NONE) this.#bindings.refreshRow(from, now)
    this.#sessions.carry(session, bytes.length, now)
    this.#context.outbox.transmit(elsewhere, bytes, 'channel')
    this.#context.count('channelForwarded')
  }
}

/**
 * One attempt to open a direct path to a peer that both ends agreed to (the seed's section 3 after
 * 0x114/0x115; docs/protocol.md, Punch safety). Both ends run the same machine. Where they share keys:
 *
 *   a record with a path challenge to each candidate, paced, at most 8 each ──► the answer: the path
 *   works both ways; a record from anywhere else is answered, and asked back
 *
 * Else:
 *
 *   0x100 to each candidate, paced, at most 8 each ──► something heard from a candidate, or a
 *   verified 0x101 from anywhere ──► 0x101 there ──► 0x102: the path works both ways
 *
 * Where one end's ports are unpredictable, birthday probing follows (birthday-probing.ts).
 */
import type { PublicKey } from '@showchain/crypto/core'
import { type Endpoint, equalBytes, formatEndpoint, type Message, OP, type PeerId } from '@showchain/wire'
import { CHALLENGE_BYTES } from '@showchain/wire/end-to-end'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, type Instant, later, type Route, type SocketId } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { routeKey } from '../endpoint/route.ts'
import { sendKeepAlive } from '../endpoint/signed-messages.ts'
import type { Timer } from '../endpoint/timers.ts'
import { Waiters } from '../endpoint/waiters.ts'
import type { Transactions } from '../requests/transaction.ts'
import { BIRTHDAY_DELAY, Birthday, type BirthdayRole } from './birthday-probing.ts'
import { type Candidate, isAnswered, newCandidate } from './candidate.ts'
import { ATTEMPT_LIFETIME, BIRTHDAY_LIFETIME, MAX_CANDIDATES, MAX_PROBES, PROBE_TIMES, probeTimes } from './limits.ts'
import { checkPath } from './path-check.ts'

export interface PunchAttemptOptions {
  readonly remoteId: PeerId
  readonly key: PublicKey
  /** What the other end can do; undefined when it did not show (yet) that it knows extensions. */
  readonly caps: number | undefined
  /** Of a target to the relay that introduced both ends; undefined: not known, or the requester's. */
  readonly roundTrip: Duration | undefined
  /**
   * 0x101 was answered: the path works, and this is the stamp that names its session.
   * @param caps what the answer told of the other end.
   */
  direct(route: Route, stamp: Stamp, caps: number | undefined, now: Instant): void
  /** Whether both ends have keys, as far as this one can know. */
  shareKeys(): boolean
  /** Asks at an address by a record whether the remote peer is there; false: there are no keys. */
  probe(at: Route, token: Uint8Array, now: Instant): boolean
  /** A record was answered: the path works. */
  answered(route: Route, now: Instant): void
  /** Whether a path is in use that goes through this socket. */
  uses(socket: SocketId): boolean
  /** The attempt is over; called once, also after success. */
  ended(): void
}

/** An attempt at one moment, for `inspect()`. */
export interface PunchInspection {
  readonly remoteId: PeerId
  /** Whether it has found a path. */
  readonly found: boolean
  /** Whether it probes many ports by chance. */
  readonly birthday: boolean
  /** `probes`: sent there. `checking`: whether a 0x101 is under way. */
  readonly candidates: readonly { readonly at: string; readonly probes: number; readonly checking: boolean }[]
}

export class PunchAttempt {
  readonly options: PunchAttemptOptions
  readonly #context: PeerContext
  readonly #transactions: Transactions
  /** By route; at most MAX_CANDIDATES. */
  readonly #candidates = new Map<string, Candidate>()
  readonly #timers = new Set<Timer>()
  /** When the introduction came that it lives by. */
  #started: Instant
  #end: Timer
  #birthday: Birthday | undefined
  /** At most one of each side's own requests: a handful. */
  readonly #waiters = new Waiters<[found: boolean, now: Instant]>()
  #caps: number | undefined
  #found = false
  #over = false

  constructor(context: PeerContext, transactions: Transactions, options: PunchAttemptOptions, now: Instant) {
    this.#context = context
    this.#transactions = transactions
    this.options = options
    this.#started = now
    this.#caps = options.caps
    this.#end = context.timers.set(later(now, ATTEMPT_LIFETIME), (at) => this.end(at))
  }

  /** Whether a path was found. */
  get found(): boolean {
    return this.#found
  }

  inspect(): PunchInspection {
    const candidates = [...this.#candidates.values()].map(({ route, probes, check }) => ({
      ...{ at: formatEndpoint(route), probes, checking: check !== undefined && !this.#found },
    }))
    return { remoteId: this.options.remoteId, found: this.#found, birthday: this.#birthday !== undefined, candidates }
  }

  /**
   * The relay introduced both ends again. The introduction may say more than the one before. When
   * all probes of that one are sent, probing starts over, as it does at the remote peer.
   */
  introduced(caps: number | undefined, now: Instant): void {
    this.#caps ??= caps
    const asking = later(this.#started, PROBE_TIMES.at(-1) as Duration) > now
    if (this.#over || this.#found || this.#birthday !== undefined || asking) return
    this.#started = now
    this.#end.cancel()
    this.#end = this.#context.timers.set(later(now, ATTEMPT_LIFETIME), (at) => this.end(at))
    for (const candidate of this.#candidates.values()) {
      candidate.announced = false
      candidate.paced = false
      candidate.probes = 0
    }
  }

  /** Calls back once: when a path was found, or when the attempt ends without. */
  whenDone(done: (found: boolean, now: Instant) => void, now: Instant): void {
    if (this.#found || this.#over) done(this.#found, now)
    else this.#waiters.add(done)
  }

  /**
   * Probes an announced address or a host candidate. The caller has asked the address policy.
   * @param limit of its probes, until something comes from there
   */
  probe(route: Route, now: Instant, limit: number = MAX_PROBES): void {
    const candidate = this.#candidate(route)
    if (candidate === undefined || this.#found) return
    candidate.limit = candidate.announced ? Math.max(limit, candidate.limit) : limit
    if (candidate.announced) return
    candidate.announced = true
    this.#pace(candidate, probeTimes(this.options.roundTrip), now)
  }

  /**
   * Starts birthday probing after the first ordinary probes.
   * @param announced the remote peer's address as the relay announced it
   */
  birthday(role: BirthdayRole, announced: Endpoint): void {
    if (this.#found || this.#over) return
    this.#end.cancel()
    this.#end = this.#context.timers.set(later(this.#started, BIRTHDAY_LIFETIME), (at) => this.end(at))
    this.#later(later(this.#started, BIRTHDAY_DELAY), (now) => {
      if (!this.#found && !this.#over)
        this.#birthday ??= new Birthday(this.#context, role, announced, (what) => this.#note(what), now)
    })
  }

  /**
   * Both ends have keys now. An announced address that said nothing gets one probe more, since the
   * router of the other end may let it in only now. One that said something is asked as often as at
   * first.
   */
  again(now: Instant): void {
    if (this.#found) return
    for (const candidate of [...this.#candidates.values()].filter(({ announced }) => announced))
      if (candidate.heard === 'asked') this.#startOver(candidate, now)
      else this.#sendProbe(candidate, now)
  }

  /** A 0x100 with the other end's id came. */
  heard(source: Route, now: Instant): void {
    const known = this.#candidates.get(routeKey(source))
    // The announced address may be heard at another socket of ours than the one that probed it.
    const announced = this.#candidates.get(routeKey({ ip: source.ip, port: source.port }))?.announced === true
    const candidate = known ?? this.#candidate(source)
    if (candidate === undefined) return
    if (candidate.heard === 'nothing') candidate.heard = 'asked'
    if (announced) return this.#check(candidate, now)
    // A peer-reflexive candidate (a symmetric NAT's): the echo lets the remote peer hear this one
    // and send 0x101.
    this.#sendProbe(candidate, now)
  }

  /** A 0x101 of the other end came from here and its signature verified. */
  verified(source: Route, now: Instant): void {
    const candidate = this.#candidate(source)
    if (candidate !== undefined) this.#check(candidate, now)
  }

  /** A record of the other end came from here: the token of a question to it. */
  question(source: Route): Uint8Array | undefined {
    const candidate = this.#candidate(source)
    if (candidate === undefined || isAnswered(candidate)) return undefined
    candidate.heard = 'asked'
    return candidate.token
  }

  /** A question was answered. @param asks whether the other end asked one itself */
  answered(token: Uint8Array, asks: boolean, now: Instant): void {
    const candidate = [...this.#candidates.values()].find((each) => equalBytes(each.token, token))
    if (candidate === undefined || this.#over) return
    if (asks && !isAnswered(candidate)) this.#startOver(candidate, now)
    candidate.heard = asks ? 'asked back' : 'settled'
    this.options.answered(candidate.route, now)
    this.#foundPath(now)
  }

  end(now: Instant): void {
    if (this.#over) return
    this.#over = true
    this.#end.cancel()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#birthday?.stop()
    for (const { check } of this.#candidates.values()) check?.close()
    this.#birthday?.close((socket) => this.options.uses(socket))
    this.options.ended()
    this.#waiters.settle(this.#found, now)
  }

  #note(what: string): void {
    this.#context.outbox.event({ type: 'note', remoteId: this.options.remoteId, what })
  }

  #later(at: Instant, fire: (now: Instant) => void): void {
    const timer = this.#context.timers.set(at, (now) => {
      this.#timers.delete(timer)
      fire(now)
    })
    this.#timers.add(timer)
  }

  #candidate(route: Route): Candidate | undefined {
    const key = routeKey(route)
    const known = this.#candidates.get(key)
    if (known !== undefined || this.#over || this.#candidates.size === MAX_CANDIDATES) return known
    const candidate = newCandidate(route, this.#context.random.bytes(CHALLENGE_BYTES))
    this.#candidates.set(key, candidate)
    return candidate
  }

  #pace(candidate: Candidate, times: readonly Duration[], now: Instant): void {
    candidate.paced = true
    for (const after of times)
      this.#later(later(now, after), (at) => {
        // Who has an answer goes on until the other end has one, too.
        const wanted = isAnswered(candidate) ? candidate.heard === 'asked back' : !this.#found
        if (wanted && candidate.check === undefined) this.#sendProbe(candidate, at)
      })
  }

  /** Something came from there: it gets as many probes as at first, from the second one on. */
  #startOver(candidate: Candidate, now: Instant): void {
    candidate.probes = 0
    this.#pace(candidate, PROBE_TIMES.slice(1), now)
  }

  #sendProbe(candidate: Candidate, now: Instant): void {
    const limit = candidate.heard === 'nothing' ? candidate.limit : MAX_PROBES
    if (candidate.probes >= limit || this.#over) return
    candidate.probes++
    const { self, encoding } = this.#context
    if (!this.options.probe(candidate.route, candidate.token, now))
      sendKeepAlive(this.#context, self, candidate.route, encoding)
  }

  #check(candidate: Candidate, now: Instant): void {
    if (candidate.check !== undefined || this.#found || this.#over) return
    if (this.options.shareKeys())
      return candidate.paced ? this.#sendProbe(candidate, now) : this.#pace(candidate, PROBE_TIMES, now)
    candidate.check = checkPath(this.#context, this.#transactions, {
      ...{ remoteId: this.options.remoteId, to: candidate.route, caps: this.#caps !== undefined },
      answered: (message) => this.#answered(candidate, message),
      failed: () => {
        candidate.check = undefined
      },
    })
  }

  #answered(candidate: Candidate, message: Message): void {
    const { check } = candidate
    if (check === undefined || message.op_code !== OP.directResponse || message.id !== this.options.remoteId) return
    check.verify(this.options.key, message, (now) => {
      const { stamp } = check
      check.close()
      if (this.#found) return
      this.options.direct(candidate.route, stamp, message.ext?.caps, now)
      this.#foundPath(now)
    })
  }

  #foundPath(now: Instant): void {
    if (this.#found) return
    this.#found = true
    this.#birthday?.stop()
    for (const { check } of this.#candidates.values()) check?.close()
    // The remote peer may have chosen another one: sockets at which it was heard stay until the
    // attempt ends.
    this.#birthday?.close((socket) => [...this.#candidates.values()].some(({ route }) => route.socket === socket))
    this.#waiters.settle(this.#found, now)
  }
}

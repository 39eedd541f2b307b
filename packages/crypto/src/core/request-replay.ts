/**
 * Replay protection of signed requests (docs/protocol.md, Replay). Per (id, op, target), (ts, seq)
 * must increase. A first contact must be current by the clock. A request with a cookie need not be
 * either, since its sender signed the cookie: it is as new as the cookie is, and that must have been
 * issued after the newest request of its id was accepted. So a cookie counts once, and a request
 * that somebody held back never counts after a later one.
 *
 * Time is the verifier's monotonic clock: what its wall clock says matters to ids of which nothing
 * is kept, and for as long.
 *
 * All state is bounded, and eviction does not readmit old requests: an evicted (op, target) raises
 * the floor of its id, an evicted id those of all unknown ids.
 */
import { OP, type PeerId } from '@showchain/wire'
import { Chain, type Link } from './chain.ts'

/** Largest difference of a first contact's `ts` from the verifier's clock, in ms. */
export const FIRST_CONTACT_TOLERANCE = 60_000
/**
 * An id is kept this long: until its requests are too old for a first contact and its binding (60
 * s) is over.
 */
const MEMORY = 3 * FIRST_CONTACT_TOLERANCE
/** Most (op, target) pairs kept per id: a peer requests few targets within minutes. */
const MAX_ENTRIES = 32

/** The fields of a request that replay protection reads. */
export interface RequestStamp {
  readonly op_code: number
  readonly id: PeerId
  readonly target: PeerId
  readonly seq: number
  /** Unix milliseconds of the sender. */
  readonly ts: number
}

/** When a request was made, and by what that is known. */
export interface Evidence {
  /** The number of the valid cookie that it came with. */
  readonly cookie: number | undefined
  /** The verifier's monotonic clock, in ms. */
  readonly now: number
}

type Moment = Pick<RequestStamp, 'ts' | 'seq'>

interface Entry extends Moment {
  readonly op: number
  readonly target: PeerId
}

interface Sender extends Link<Sender> {
  readonly id: PeerId
  /** The sender's clock minus the verifier's monotonic one. */
  offset: number
  /** Cookies with a smaller number were issued before its newest request was accepted. */
  cookies: number
  /** Its latest 0x101 by its clock, also if that was set back since: without a cookie, others must be later. */
  registered: Moment
  /** Requests for an (op, target) without an entry must be later than this. */
  floor: Moment
  /** Least recently used first; at most MAX_ENTRIES. */
  entries: Entry[]
  /** When its last request was accepted. */
  touched: number
}

const NEVER: Moment = { ts: -1, seq: -1 }
const isAfter = (a: Moment, b: Moment): boolean => a.ts > b.ts || (a.ts === b.ts && a.seq > b.seq)
const latest = (a: Moment, b: Moment): Moment => (isAfter(a, b) ? a : b)

/** What it needs, and how much it may keep. */
export interface RequestReplayOptions {
  /** Wall clock, in ms. */
  readonly unixMs: () => number
  /** Most ids; at the cap the least recently used one is evicted. */
  readonly capacity: number
}

/** Which requests are new (docs/protocol.md, Replay). */
export class RequestReplay {
  readonly #unixMs: () => number
  readonly #capacity: number
  /** By the wall clock, which has not stepped since when the first request comes. */
  readonly #startedAt: number
  /** By the monotonic clock; undefined before the first request. */
  #started: number | undefined
  /** Bounded by `capacity`. */
  readonly #senders = new Map<PeerId, Sender>()
  /** Least recently used first. */
  readonly #byUse = new Chain<Sender>()
  /** Of the last request. */
  #target = '' as PeerId
  /** Of the last newcomer. */
  #floor: Moment = { ts: -1, seq: Number.MAX_SAFE_INTEGER }
  /** Unknown ids: requests must have been made after this, later than all of evicted ids. */
  #forgotten = Number.NEGATIVE_INFINITY
  /** Unknown ids: cookies with a smaller number do not count. */
  #forgottenCookies = 0

  constructor({ unixMs, capacity }: RequestReplayOptions) {
    this.#unixMs = unixMs
    this.#capacity = capacity
    this.#startedAt = unixMs()
  }

  /** The number of ids kept. */
  get size(): number {
    return this.#senders.size
  }

  /**
   * Whether the request may be new. Changes nothing: call `accept` after verifying the signature.
   */
  check(request: RequestStamp, { cookie, now }: Evidence): boolean {
    const sender = this.#senders.get(request.id)
    if (cookie !== undefined) return cookie >= (sender?.cookies ?? this.#forgottenCookies)
    const isRegistration = request.op_code === OP.directRequest
    if (isRegistration && sender !== undefined && !isAfter(request, sender.registered)) return false
    const entry = sender && find(sender, request)
    if (entry !== undefined) return isAfter(request, entry)
    if (sender !== undefined && !isAfter(request, sender.floor)) return false
    const made = request.ts - (sender?.offset ?? this.#offset(now))
    if (Math.abs(made - now) > FIRST_CONTACT_TOLERANCE) return false
    // Older than this verifier: it cannot know whether it accepted the request before.
    const started = this.#startOf(now)
    return made >= started && (sender !== undefined || made > this.#forgotten)
  }

  /**
   * Records a request whose signature verified. One with a cookie resets the sender's clock:
   * entries that are later than it are dropped, earlier ones stay.
   * @param nextCookie the number of the next cookie that is issued; 0 where cookies say nothing of it
   * @returns false if the request is no longer new: a later one was accepted since `check`
   */
  accept(request: RequestStamp, evidence: Evidence, nextCookie: number): boolean {
    if (!this.check(request, evidence)) return false
    const { cookie, now } = evidence
    const { op_code: op, ts, seq } = request
    const known = this.#senders.get(request.id)
    const sender = known ?? this.#newcomer(request.id, now)
    if (known !== undefined) this.#forget(known)
    this.#makeRoom(now)
    this.#senders.set(request.id, sender)
    this.#byUse.add(sender)
    sender.touched = now
    sender.cookies = Math.max(sender.cookies, nextCookie)
    // A 0x101 says what its sender's clock is by now, which may have stepped since the one before.
    if (cookie !== undefined || op === OP.directRequest) sender.offset = ts - now
    // One object for both: of most ids nothing else is kept.
    const newest: Entry = { op, target: this.#shared(request.target), ts, seq }
    if (op === OP.directRequest) sender.registered = latest(sender.registered, newest)
    if (cookie !== undefined) {
      if (isAfter(sender.floor, request)) sender.floor = NEVER
      sender.entries = sender.entries.filter((entry) => !isAfter(entry, request))
    }
    const entry = find(sender, request)
    if (entry !== undefined) sender.entries.splice(sender.entries.indexOf(entry), 1)
    else if (sender.entries.length === MAX_ENTRIES) sender.floor = latest(sender.floor, sender.entries.shift() ?? NEVER)
    // A list as long as it must be: one that grows by `push` has room for sixteen more.
    sender.entries = [...sender.entries, newest]
    return true
  }

  /** Most requests of all have one target, the verifier itself: its id is kept once. */
  #shared(target: PeerId): PeerId {
    if (target !== this.#target) this.#target = target
    return this.#target
  }

  /** A clock that agrees with the verifier's wall clock, minus the monotonic one. */
  #offset(now: number): number {
    return this.#unixMs() - now
  }

  #startOf(now: number): number {
    this.#started ??= now - (this.#unixMs() - this.#startedAt)
    return this.#started
  }

  /** The state of an unknown id, which may have been evicted: its old requests stay old. */
  #newcomer(id: PeerId, now: number): Sender {
    const offset = this.#offset(now)
    const forgotten = Math.max(this.#forgotten, this.#startOf(now) - 1)
    const ts = Math.floor(forgotten + offset)
    // The same of all newcomers while the clocks agree and nobody is evicted.
    if (ts !== this.#floor.ts) this.#floor = { ts, seq: Number.MAX_SAFE_INTEGER }
    const known = { offset, cookies: 0, registered: NEVER, floor: this.#floor, entries: [] }
    return { id, ...known, touched: now, before: undefined, after: undefined }
  }

  /** Evicts expired ids, and at the cap the least recently used one. */
  #makeRoom(now: number): void {
    for (let sender = this.#byUse.oldest; sender !== undefined; sender = this.#byUse.oldest) {
      const over = sender.touched + MEMORY < now
      if (!over && this.#senders.size < this.#capacity) return
      this.#forget(sender)
      this.#forgottenCookies = Math.max(this.#forgottenCookies, sender.cookies)
      // Its requests are too old for a first contact.
      if (over) continue
      const { ts } = sender.entries.reduce<Moment>((moment, entry) => latest(moment, entry), sender.floor)
      // Bounded by what an honest clock can be ahead: one sender must not shut out others.
      const made = Math.min(ts - sender.offset, sender.touched + FIRST_CONTACT_TOLERANCE)
      this.#forgotten = Math.max(this.#forgotten, made)
    }
  }

  #forget(sender: Sender): void {
    this.#senders.delete(sender.id)
    this.#byUse.remove(sender)
  }
}

const find = (sender: Sender, { op_code, target }: RequestStamp): Entry | undefined =>
  sender.entries.find((entry) => entry.op === op_code && entry.target === target)

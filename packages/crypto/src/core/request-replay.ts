/**
 * Replay protection of signed requests (docs/protocol.md, Replay): per (id, op, target), (ts, seq)
 * must increase. A first contact must be current by the clock, unless it has a valid cookie.
 *
 * All state is bounded, and eviction does not readmit old requests: an evicted (op, target) raises
 * the floor of its id, an evicted id that of all unknown ids.
 */
import type { PeerId } from '@showchain/wire'

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

type Moment = Pick<RequestStamp, 'ts' | 'seq'>

interface Entry extends Moment {
  readonly op: number
  readonly target: PeerId
}

interface Sender {
  /** The sender's clock minus ours, from its last request with a cookie; else 0. */
  offset: number
  /** Requests for an (op, target) without an entry must be later than this. */
  floor: Moment
  /** Least recently used first; at most MAX_ENTRIES. */
  entries: Entry[]
  /** When its last request was accepted, by our clock. */
  touched: number
}

const NEVER: Moment = { ts: -1, seq: -1 }
const isAfter = (a: Moment, b: Moment): boolean => a.ts > b.ts || (a.ts === b.ts && a.seq > b.seq)
const latest = (a: Moment, b: Moment): Moment => (isAfter(a, b) ? a : b)

export interface RequestReplayOptions {
  /** Wall clock, in ms. */
  readonly unixMs: () => number
  /** Most ids; at the cap the least recently used one is evicted. */
  readonly capacity: number
}

export class RequestReplay {
  readonly #unixMs: () => number
  readonly #capacity: number
  readonly #started: number
  /** Least recently used first. Bounded by `capacity`. */
  readonly #senders = new Map<PeerId, Sender>()
  /** Requests of unknown ids must be later than this: later than all that evicted ids signed. */
  #forgotten: number

  constructor({ unixMs, capacity }: RequestReplayOptions) {
    this.#unixMs = unixMs
    this.#capacity = capacity
    this.#started = unixMs()
    // Older than this verifier's start: it cannot know whether it accepted the request before.
    this.#forgotten = this.#started - 1
  }

  /** The number of ids kept. */
  get size(): number {
    return this.#senders.size
  }

  /**
   * Whether the request may be new. Changes nothing: call `accept` after verifying the signature.
   */
  check(request: RequestStamp, byCookie: boolean): boolean {
    if (byCookie) return true
    const sender = this.#senders.get(request.id)
    const entry = sender && find(sender, request)
    if (entry !== undefined) return isAfter(request, entry)
    if (sender !== undefined && !isAfter(request, sender.floor)) return false
    const ts = request.ts - (sender?.offset ?? 0)
    if (Math.abs(ts - this.#unixMs()) > FIRST_CONTACT_TOLERANCE) return false
    return ts > (sender === undefined ? this.#forgotten : this.#started - 1)
  }

  /**
   * Records a request whose signature verified. One with a valid cookie resets the sender's clock:
   * entries that are later than it are dropped, earlier ones stay.
   * @returns false if the request is no longer new: a later one was accepted since `check`
   */
  accept(request: RequestStamp, byCookie: boolean): boolean {
    if (!this.check(request, byCookie)) return false
    const now = this.#unixMs()
    const sender = this.#senders.get(request.id) ?? this.#newcomer(now)
    this.#senders.delete(request.id)
    this.#makeRoom(now)
    this.#senders.set(request.id, sender)
    sender.touched = now
    if (byCookie) {
      sender.offset = request.ts - now
      if (isAfter(sender.floor, request)) sender.floor = NEVER
      sender.entries = sender.entries.filter((entry) => !isAfter(entry, request))
    }
    const entry = find(sender, request)
    if (entry !== undefined) sender.entries.splice(sender.entries.indexOf(entry), 1)
    else if (sender.entries.length === MAX_ENTRIES) sender.floor = latest(sender.floor, sender.entries.shift() ?? NEVER)
    sender.entries.push({ op: request.op_code, target: request.target, ts: request.ts, seq: request.seq })
    return true
  }

  /** The state of an unknown id, which may have been evicted: its old requests stay old. */
  #newcomer(now: number): Sender {
    const floor = { ts: this.#forgotten, seq: Number.MAX_SAFE_INTEGER }
    return { offset: 0, floor, entries: [], touched: now }
  }

  /** Evicts expired ids, and at the cap the least recently used one. */
  #makeRoom(now: number): void {
    for (const [id, sender] of this.#senders) {
      const over = sender.touched + MEMORY < now
      if (!over && this.#senders.size < this.#capacity) return
      this.#senders.delete(id)
      // Its requests are too old for a first contact.
      if (over) continue
      const newest = sender.entries.reduce<Moment>((moment, entry) => latest(moment, entry), sender.floor)
      // Bounded by what an honest clock can be ahead: one sender must not shut out others.
      this.#forgotten = Math.max(this.#forgotten, Math.min(newest.ts, sender.touched + FIRST_CONTACT_TOLERANCE))
    }
  }
}

const find = (sender: Sender, { op_code, target }: RequestStamp): Entry | undefined =>
  sender.entries.find((entry) => entry.op === op_code && entry.target === target)

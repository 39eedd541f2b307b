/**
 * Which signed requests are new (docs/protocol.md, Replay): per (id, op, target), (ts, seq) must grow.
 * A first contact has nothing to grow from and must be of now, unless a cookie vouches for it.
 *
 * Everything has a bound, and forgetting does not let an old request in again: a forgotten
 * (op, target) raises the floor of its id, a forgotten id that of every id that is not known.
 */
import type { PeerId } from '@showchain/wire'

/** How far a first contact may be from the verifier's clock, in ms. */
export const FIRST_CONTACT_TOLERANCE = 60_000
/** An id is remembered this long: until nothing that it signed can pass for a first contact any more, and its binding (60 s) is over. */
const MEMORY = 3 * FIRST_CONTACT_TOLERANCE
/** (op, target) pairs that are remembered of one id: a peer asks for few others within minutes. */
const MAX_ENTRIES = 32

/** What places a request in time. */
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
  /** The sender's clock minus ours, as a cookie vouched for it; else 0. */
  offset: number
  /** For an (op, target) without an entry, nothing at or before this is new. */
  floor: Moment
  /** Least recently used first; at most MAX_ENTRIES. */
  entries: Entry[]
  /** Our clock when it last had a request accepted. */
  touched: number
}

const NEVER: Moment = { ts: -1, seq: -1 }
const isAfter = (a: Moment, b: Moment): boolean => a.ts > b.ts || (a.ts === b.ts && a.seq > b.seq)
const latest = (a: Moment, b: Moment): Moment => (isAfter(a, b) ? a : b)

export interface RequestReplayOptions {
  /** Wall clock, in ms. */
  readonly unixMs: () => number
  /** Most ids; at the cap the one that was silent longest is forgotten. */
  readonly capacity: number
}

export class RequestReplay {
  readonly #unixMs: () => number
  readonly #capacity: number
  readonly #started: number
  /** Longest silent first. Bounded by `capacity`. */
  readonly #senders = new Map<PeerId, Sender>()
  /** What requests of unknown ids must be newer than: nothing that a forgotten id signed. */
  #forgotten: number

  constructor({ unixMs, capacity }: RequestReplayOptions) {
    this.#unixMs = unixMs
    this.#capacity = capacity
    this.#started = unixMs()
    // Without a cookie nothing older than this verifier's own start is new: it cannot know whether it was accepted before.
    this.#forgotten = this.#started - 1
  }

  /** Ids that are remembered. */
  get size(): number {
    return this.#senders.size
  }

  /** Whether the request may be new. Changes nothing: `accept` follows once its signature verified. */
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
   * Remembers a request whose signature verified. With a valid signed cookie it starts the sender's
   * time anew: what is later than it by the sender's former clock no longer counts, what is earlier still does.
   *
   * @returns false when the request is not new any more, because a later one was accepted since `check`.
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

  /** One that is not known, or not any more: what it may have signed before it was forgotten stays old. */
  #newcomer(now: number): Sender {
    const floor = { ts: this.#forgotten, seq: Number.MAX_SAFE_INTEGER }
    return { offset: 0, floor, entries: [], touched: now }
  }

  /** Forgets the ids at the front whose time is over, and the first of all at the cap. */
  #makeRoom(now: number): void {
    for (const [id, sender] of this.#senders) {
      const over = sender.touched + MEMORY < now
      if (!over && this.#senders.size < this.#capacity) return
      this.#senders.delete(id)
      // What is over is too old for a first contact by itself.
      if (over) continue
      const newest = sender.entries.reduce<Moment>((moment, entry) => latest(moment, entry), sender.floor)
      // No more than an honest clock can be ahead: one sender's must not shut out others.
      this.#forgotten = Math.max(this.#forgotten, Math.min(newest.ts, sender.touched + FIRST_CONTACT_TOLERANCE))
    }
  }
}

const find = (sender: Sender, { op_code, target }: RequestStamp): Entry | undefined =>
  sender.entries.find((entry) => entry.op === op_code && entry.target === target)

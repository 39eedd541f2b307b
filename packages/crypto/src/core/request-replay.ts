/**
 * Which signed requests are new (docs/protocol.md, Replay): per (id, op, target), (ts, seq) must grow.
 * A first contact has nothing to grow from and must be of now, unless a cookie vouches for it.
 *
 * Everything has a bound, and forgetting never lets an old request in again: a forgotten
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

interface Entry {
  readonly op: number
  readonly target: PeerId
  ts: number
  seq: number
}

interface Signer {
  /** The sender's clock minus ours, as a cookie vouched for it; else 0. */
  offset: number
  /** Nothing at or before this is new. */
  floor: Moment
  /** Least recently used first; at most MAX_ENTRIES. */
  readonly entries: Entry[]
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
  readonly #signers = new Map<PeerId, Signer>()
  /** What unknown ids must be newer than, on our clock: nothing that a forgotten id signed. */
  #forgotten: number

  constructor({ unixMs, capacity }: RequestReplayOptions) {
    this.#unixMs = unixMs
    this.#capacity = capacity
    this.#started = unixMs()
    // Without a cookie nothing older than this verifier's own start is new: it cannot know whether it was accepted before.
    this.#forgotten = this.#started - 1
  }

  get size(): number {
    return this.#signers.size
  }

  /** Whether the request may be new. Changes nothing: `accept` follows once its signature verified. */
  check(request: RequestStamp, byCookie: boolean): boolean {
    if (byCookie) return true
    const signer = this.#signers.get(request.id)
    const entry = signer && find(signer, request)
    if (entry !== undefined) return isAfter(request, entry)
    if (signer !== undefined && !isAfter(request, signer.floor)) return false
    const ts = request.ts - (signer?.offset ?? 0)
    if (Math.abs(ts - this.#unixMs()) > FIRST_CONTACT_TOLERANCE) return false
    return ts > (signer === undefined ? this.#forgotten : this.#started - 1)
  }

  /** Remembers a request whose signature verified. With a valid signed cookie it starts the sender's time anew. */
  accept(request: RequestStamp, byCookie: boolean): void {
    const now = this.#unixMs()
    const signer = this.#signers.get(request.id) ?? { offset: 0, floor: NEVER, entries: [], touched: now }
    this.#signers.delete(request.id)
    this.#makeRoom(now)
    this.#signers.set(request.id, signer)
    signer.touched = now
    if (byCookie) {
      signer.offset = request.ts - now
      signer.floor = NEVER
      signer.entries.length = 0
    }
    const entry = find(signer, request)
    if (entry !== undefined) signer.entries.splice(signer.entries.indexOf(entry), 1)
    else if (signer.entries.length === MAX_ENTRIES) signer.floor = latest(signer.floor, signer.entries.shift() ?? NEVER)
    signer.entries.push({ op: request.op_code, target: request.target, ts: request.ts, seq: request.seq })
  }

  /** Forgets the ids at the front whose time is over, and the first of all at the cap. */
  #makeRoom(now: number): void {
    for (const [id, signer] of this.#signers) {
      const over = signer.touched + MEMORY < now
      if (!over && this.#signers.size < this.#capacity) return
      this.#signers.delete(id)
      const newest = signer.entries.reduce<Moment>((moment, entry) => latest(moment, entry), signer.floor)
      this.#forgotten = Math.max(this.#forgotten, newest.ts - signer.offset)
    }
  }
}

const find = (signer: Signer, { op_code, target }: RequestStamp): Entry | undefined =>
  signer.entries.find((entry) => entry.op === op_code && entry.target === target)

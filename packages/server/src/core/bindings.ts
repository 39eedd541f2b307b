/**
 * Bindings: what a relay knows of each registered peer, above all its validated source address
 * (docs/protocol.md, Terms, Addresses). An id has at most one; it lives for 60 s after the last
 * accepted message from its address. What each frame needs of it is a row of its own.
 */
import { type Instant, type Route, rateSource, sameRoute } from '@showchain/client/endpoint'
import type { Encoding, Endpoint, PeerId } from '@showchain/wire'
import { ExpiringRows, NONE, ROW_DOUBLES } from './expiring-rows.ts'
import type { RelayLimits } from './limits.ts'
import { BINDING_LIFETIME } from './times.ts'

export interface Binding {
  readonly id: PeerId
  /** The validated address; with an allowance where a token has shown its ip alone. */
  readonly source: Route
  /** That of the last registration; what is passed on to this peer comes in it. */
  readonly encoding: Encoding
  /** Its key. Parsed keys are large: they live in the key cache and are parsed again from this. */
  readonly spki: Uint8Array
  /** Its last registration carried an extension field. */
  readonly knowsExtensions: boolean
  /** What its last registration showed to be let in. */
  readonly permit?: Uint8Array | undefined
}

export interface BindingsOptions {
  readonly limits: RelayLimits
  readonly ended: (binding: Binding, why: BindingEnd, row: number) => void
}

/** `refused`: it may not use the relay any more. `elsewhere`: it registered at another node of the fleet. */
export type BindingEnd = 'expired' | 'evicted' | 'refused' | 'elsewhere'

/** A binding as it is kept. */
class Bound implements Binding {
  readonly id: PeerId
  readonly source: Route
  readonly encoding: Encoding
  readonly knowsExtensions: boolean
  readonly permit: Uint8Array | undefined
  /** One character a byte: a third of the memory of an array, which is three objects. */
  readonly #spki: string

  constructor({ id, source, encoding, knowsExtensions, spki, permit }: Binding) {
    this.id = id
    this.source = source
    this.encoding = encoding
    this.knowsExtensions = knowsExtensions
    this.permit = permit
    this.#spki = String.fromCharCode(...spki)
  }

  get spki(): Uint8Array {
    const bytes = new Uint8Array(this.#spki.length)
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.#spki.charCodeAt(at)
    return bytes
  }
}

/**
 * Doubles of a row: token buckets of what the peer may send, filled up to a time that they share.
 * They outlive renewals and moves.
 */
const [FILLED, FRAMES, FRAME_BYTES, DATA] = [2, 3, 4, 7]

export class Bindings {
  /** @see Peers */
  readonly silence: undefined = undefined
  readonly #limits: RelayLimits
  readonly #rows: ExpiringRows
  readonly #byId = new Map<PeerId, number>()
  /** By row. */
  readonly #bindings: (Binding | undefined)[] = []
  readonly #sources: (Route | undefined)[] = []
  /** Bindings of each source. An entry ends with its last binding. */
  readonly #bySource = new Map<string, number>()
  readonly #ended: BindingsOptions['ended']

  constructor({ limits, ended }: BindingsOptions) {
    this.#limits = limits
    this.#rows = new ExpiringRows({
      lifetime: BINDING_LIFETIME,
      capacity: limits.bindings,
      onEnd: (row, why) => this.#forget(row, why),
    })
    this.#ended = ended
  }

  get size(): number {
    return this.#rows.size
  }

  get(id: PeerId, now: Instant): Binding | undefined {
    const row = this.rowOf(id, now)
    return row === NONE ? undefined : this.#bindings[row]
  }

  /** The binding of an id that is bound to exactly this address. */
  at(id: PeerId, source: Route, now: Instant): Binding | undefined {
    const row = this.rowOf(id, now)
    return this.isAt(row, source) ? this.#bindings[row] : undefined
  }

  /** The key of the limits of its address; undefined when it is not bound. */
  limitKeyOf(id: PeerId, now: Instant): string | undefined {
    const binding = this.get(id, now)
    return binding && rateSource(binding.source.ip)
  }

  /** Whose row it is, if it is anybody's. */
  idAt(row: number): PeerId | undefined {
    return this.#bindings[row]?.id
  }

  liveAt(row: number, now: Instant): Binding | undefined {
    const binding = this.#bindings[row]
    return binding !== undefined && this.#rows.isLive(row, now) ? binding : undefined
  }

  /** When the last accepted message came, of a row with a binding. */
  refreshed(row: number): Instant {
    return this.#rows.touched(row)
  }

  *all(): Generator<Binding> {
    for (const row of this.#rows.rows()) yield this.#bindings[row] as Binding
  }

  /** Rows that there are, with a binding or without. */
  get rows(): number {
    return this.#bindings.length
  }

  /** The bindings in so many rows. */
  page(from: number, rows: number, now: Instant): readonly Binding[] {
    return this.#bindings.slice(from, from + rows).flatMap((_, at) => this.liveAt(from + at, now) ?? [])
  }

  end(id: PeerId, why: BindingEnd, now: Instant): void {
    const row = this.rowOf(id, now)
    if (row !== NONE) this.#end(row, why)
  }

  /** An accepted message came from the bound address. */
  refresh(id: PeerId, now: Instant): void {
    const row = this.rowOf(id, now)
    if (row !== NONE) this.refreshRow(row, now)
  }

  /** Proxied data: whether the peer may send one more. */
  takeData(id: PeerId, now: Instant): boolean {
    const row = this.rowOf(id, now)
    if (row === NONE) return false
    this.#fill(row, now)
    return this.#take(row, DATA, 1)
  }

  /** Where the binding of an id is, or NONE. */
  rowOf(id: PeerId, now: Instant): number {
    const row = this.#byId.get(id) ?? NONE
    return row !== NONE && this.#rows.isLive(row, now) ? row : NONE
  }

  generation(row: number): number {
    return this.#rows.generation(row)
  }

  /** Whether a row still is the binding that it was when it had this generation. */
  isCurrent(row: number, generation: number, now: Instant): boolean {
    return this.#rows.generation(row) === generation && this.#rows.isLive(row, now)
  }

  /** Whether it is bound, and to exactly this address. */
  isAt(row: number, source: Route): boolean {
    if (row === NONE) return false
    const bound = this.#sources[row]
    // A socket that keeps what it has decoded hands over the same object.
    return bound !== undefined && (bound === source || sameRoute(bound, source))
  }

  /** Reads of a row. @returns anything */
  fetch(row: number): number {
    if (row === NONE) return NONE
    return this.#rows.generation(row) ^ (this.#sources[row] === undefined ? 0 : 1)
  }

  /** That of a row that has one. */
  in(row: number): Binding {
    return this.#bindings[row] as Binding
  }

  sourceOf(row: number): Route {
    return this.#sources[row] as Route
  }

  /** It named a session from its address, which it can know only from there. */
  prove(row: number, source: Route): void {
    const { allowance } = this.sourceOf(row)
    if (allowance === undefined) return
    allowance.lift()
    // What comes from now on may have the very same object.
    this.#sources[row] = source
  }

  refreshRow(row: number, now: Instant): void {
    this.#rows.touch(row, now)
  }

  /** Whether the peer may send one more channel frame of so many bytes. */
  takeFrame(row: number, bytes: number, now: Instant): boolean {
    this.#fill(row, now)
    return this.#take(row, FRAMES, 1) && this.#take(row, FRAME_BYTES, bytes)
  }

  /** Binds, renews or moves; false when the source has too many already. */
  bind(binding: Binding, now: Instant): boolean {
    // What has expired must be out of the counts. In its turn, this id's own would take the id from the next one.
    this.#rows.expire(now)
    const expired = this.#byId.get(binding.id) ?? NONE
    if (expired !== NONE && !this.#rows.isLive(expired, now)) this.#end(expired, 'expired')
    const known = this.rowOf(binding.id, now)
    const before = known === NONE ? undefined : this.#bindings[known]
    const { bindingsPerSource } = this.#limits
    const source = rateSource(binding.source.ip)
    const joins = before === undefined || rateSource(before.source.ip) !== source
    if (joins && (this.#bySource.get(source) ?? 0) >= bindingsPerSource) return false
    if (before !== undefined) this.#count(before.source, -1)
    const row = before === undefined ? this.#newRow(binding.id, now) : known
    this.#rows.renew(row, now)
    this.#bindings[row] = new Bound(binding)
    this.#sources[row] = binding.source
    this.#count(binding.source, 1)
    return true
  }

  expire(now: Instant): void {
    this.#rows.expire(now)
  }

  #end(row: number, why: BindingEnd): void {
    this.#forget(row, why)
    this.#rows.remove(row)
  }

  #forget(row: number, why: BindingEnd): void {
    const binding = this.#bindings[row] as Binding
    this.#byId.delete(binding.id)
    this.#bindings[row] = undefined
    this.#sources[row] = undefined
    this.#count(binding.source, -1)
    this.#ended(binding, why, row)
  }

  #newRow(id: PeerId, now: Instant): number {
    const row = this.#rows.add(now)
    this.#byId.set(id, row)
    const at = row * ROW_DOUBLES
    const { doubles } = this.#rows
    const { frameBurstPerId, frameBytesBurstPerId, dataBurstPerId } = this.#limits
    doubles[at + FILLED] = now
    doubles[at + FRAMES] = frameBurstPerId
    doubles[at + FRAME_BYTES] = frameBytesBurstPerId
    doubles[at + DATA] = dataBurstPerId
    return row
  }

  /** Token buckets (see TokenBucket): what comes back since they were filled last. */
  #fill(row: number, now: Instant): void {
    const { doubles } = this.#rows
    const limits = this.#limits
    const at = row * ROW_DOUBLES
    const seconds = (now - (doubles[at + FILLED] as number)) / 1000
    if (seconds <= 0) return
    doubles[at + FILLED] = now
    this.#add(at + FRAMES, seconds * limits.framesPerSecondPerId, limits.frameBurstPerId)
    this.#add(at + FRAME_BYTES, seconds * limits.frameBytesPerSecondPerId, limits.frameBytesBurstPerId)
    this.#add(at + DATA, seconds * limits.dataPerSecondPerId, limits.dataBurstPerId)
  }

  #add(at: number, tokens: number, burst: number): void {
    const { doubles } = this.#rows
    doubles[at] = Math.min(burst, (doubles[at] as number) + tokens)
  }

  #take(row: number, bucket: number, amount: number): boolean {
    const { doubles } = this.#rows
    const at = row * ROW_DOUBLES + bucket
    const tokens = doubles[at] as number
    if (tokens < amount) return false
    doubles[at] = tokens - amount
    return true
  }

  #count({ ip }: Endpoint, by: 1 | -1): void {
    const source = rateSource(ip)
    const count = (this.#bySource.get(source) ?? 0) + by
    if (count === 0) this.#bySource.delete(source)
    else this.#bySource.set(source, count)
  }
}

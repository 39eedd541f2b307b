/**
 * Bindings: what a relay knows of each registered peer, above all its validated source address
 * (docs/protocol.md, Terms, Addresses). An id has at most one; it lives for 60 s after the last
 * accepted message from its address.
 */
import { ExpiringMap, type Instant, rateSource, TokenBucket } from '@showchain/client/endpoint'
import { type Encoding, type Endpoint, type PeerId, sameEndpoint } from '@showchain/wire'
import type { RelayLimits } from './limits.ts'
import { BINDING_LIFETIME } from './times.ts'

export interface Binding {
  readonly id: PeerId
  /** The validated address. */
  readonly source: Endpoint
  /** That of the last registration; what is passed on to this peer comes in it. */
  readonly encoding: Encoding
  /** Its key. Parsed keys are large: they live in the key cache and are parsed again from this. */
  readonly spki: Uint8Array
  /** Its last registration carried an extension field. */
  readonly knowsExtensions: boolean
  /** Proxied data that it may send. Outlives renewals and moves. */
  readonly data: TokenBucket
  /** Channel frames that it may send, and their bytes; likewise. */
  readonly frames: TokenBucket
  readonly frameBytes: TokenBucket
}

export interface BindingsOptions {
  readonly limits: RelayLimits
  readonly ended: (binding: Binding, why: 'expired' | 'evicted') => void
}

export class Bindings {
  readonly #limits: RelayLimits
  /** At most `limits.bindings`; at the cap the least recently refreshed is evicted. */
  readonly #byId: ExpiringMap<PeerId, Binding>
  /** Bindings of each source. An entry ends with its last binding. */
  readonly #bySource = new Map<string, number>()

  constructor({ limits, ended }: BindingsOptions) {
    this.#limits = limits
    this.#byId = new ExpiringMap({
      lifetime: BINDING_LIFETIME,
      capacity: limits.bindings,
      onEnd: (_id, binding, why) => {
        this.#add(binding.source, -1)
        ended(binding, why)
      },
    })
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: PeerId, now: Instant): Binding | undefined {
    return this.#byId.get(id, now)
  }

  /** The binding of an id that is bound to exactly this address. */
  at(id: PeerId, source: Endpoint, now: Instant): Binding | undefined {
    const binding = this.#byId.get(id, now)
    return binding !== undefined && sameEndpoint(binding.source, source) ? binding : undefined
  }

  *all(): Generator<Binding> {
    for (const [, binding] of this.#byId.entries()) yield binding
  }

  /** An accepted message came from the bound address. */
  refresh(id: PeerId, now: Instant): void {
    this.#byId.touch(id, now)
  }

  /** Binds, renews or moves; false when the source has too many already. */
  bind(binding: Omit<Binding, 'data' | 'frames' | 'frameBytes'>, now: Instant): boolean {
    // What has expired must be out of the counts first, this id's own binding too.
    this.#byId.expire(now)
    const before = this.#byId.get(binding.id, now)
    const { bindingsPerSource } = this.#limits
    const source = rateSource(binding.source.ip)
    const joins = before === undefined || rateSource(before.source.ip) !== source
    if (joins && (this.#bySource.get(source) ?? 0) >= bindingsPerSource) return false
    if (before !== undefined) this.#add(before.source, -1)
    const { data, frames, frameBytes } = before ?? this.#buckets(now)
    // Before the spread: behind it, V8 gives each binding a hidden class of its own, 300 bytes
    // more.
    this.#byId.set(binding.id, { data, frames, frameBytes, ...binding }, now)
    this.#add(binding.source, 1)
    return true
  }

  expire(now: Instant): void {
    this.#byId.expire(now)
  }

  #buckets(now: Instant): Pick<Binding, 'data' | 'frames' | 'frameBytes'> {
    const limits = this.#limits
    const bucket = (perSecond: number, burst: number): TokenBucket => new TokenBucket({ perSecond, burst }, now)
    return {
      data: bucket(limits.dataPerSecondPerId, limits.dataBurstPerId),
      frames: bucket(limits.framesPerSecondPerId, limits.frameBurstPerId),
      frameBytes: bucket(limits.frameBytesPerSecondPerId, limits.frameBytesBurstPerId),
    }
  }

  #add({ ip }: Endpoint, by: 1 | -1): void {
    const source = rateSource(ip)
    const count = (this.#bySource.get(source) ?? 0) + by
    if (count === 0) this.#bySource.delete(source)
    else this.#bySource.set(source, count)
  }
}

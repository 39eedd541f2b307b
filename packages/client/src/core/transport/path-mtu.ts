/**
 * How large a packet a path takes: packetization-layer path MTU discovery (RFC 8899). A path begins with a size that every path
 * has to take. Once something was acknowledged on it, larger packets that carry nothing are tried: the largest first, which
 * nearly all paths take, then by halves. When large packets vanish and small ones do not, it begins again (a black hole).
 *
 * UDP sockets of Node cannot ask for "do not fragment"; systems that discover path MTUs set it by themselves until a router has
 * told them of less, and cut packets from then on. That is why a size that was lost once is not tried again in the same search.
 */
import { type Duration, duration, type Instant, later } from '../machine.ts'
import type { PathTraits } from './path-traits.ts'

/** A search ends when no more than this can be gained. */
const GRAIN = 16
/** RFC 8899 §5.1.1, PMTU_RAISE_TIMER: how long a search that ended below the most counts. */
const RAISE_AFTER: Duration = duration(600_000)
/** Large packets that were lost, and none that arrived since: the path has become a narrower one (RFC 8899 §4.3). */
const BLACK_HOLE_LOSSES = 3

export class PathMtu {
  readonly #traits: Pick<PathTraits, 'base' | 'most'>
  #size: number
  /** The smallest size that was lost, or one more than the most. */
  #ceiling: number
  /** Whether the path carries anything at all. */
  #confirmed = false
  #probing = false
  #searchAt: Instant | undefined
  /** The newest large packet that arrived, and how many newer ones did not. */
  #arrived = -1
  #losses = 0

  constructor(traits: Pick<PathTraits, 'base' | 'most'>) {
    this.#traits = traits
    this.#size = traits.base
    this.#ceiling = traits.most + 1
  }

  /** Bytes of a full packet. */
  get size(): number {
    return this.#size
  }

  /** What a packet has to be no larger than that must not be lost for its size. */
  get base(): number {
    return this.#traits.base
  }

  /** The size of the probe that should leave now. */
  wanted(now: Instant): number | undefined {
    if (!this.#confirmed || this.#probing || this.#size === this.#traits.most) return undefined
    if (this.#searchAt !== undefined) {
      if (now < this.#searchAt) return undefined
      this.#searchAt = undefined
      this.#ceiling = this.#traits.most + 1
    }
    return this.#ceiling > this.#traits.most ? this.#traits.most : (this.#size + this.#ceiling) >> 1
  }

  probeSent(): void {
    this.#probing = true
  }

  acked(number: number, bytes: number, probe: boolean): void {
    this.#confirmed = true
    if (probe) {
      this.#probing = false
      this.#size = Math.max(this.#size, bytes)
    }
    if (bytes <= this.#traits.base) return
    this.#arrived = Math.max(this.#arrived, number)
    this.#losses = 0
  }

  lost(number: number, bytes: number, probe: boolean, now: Instant): void {
    if (probe) {
      this.#probing = false
      this.#ceiling = Math.min(this.#ceiling, bytes)
      if (this.#ceiling - this.#size <= GRAIN) this.#searchAt = later(now, RAISE_AFTER)
    } else if (bytes > this.#traits.base && number > this.#arrived && ++this.#losses >= BLACK_HOLE_LOSSES) {
      this.#size = this.#traits.base
      this.#losses = 0
      this.#searchAt = later(now, RAISE_AFTER)
    }
  }
}

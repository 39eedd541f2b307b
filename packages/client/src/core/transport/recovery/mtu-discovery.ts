/**
 * How large a packet a path takes: packetization-layer path MTU discovery (RFC 8899). A path begins with a size that every path
 * has to take. Once something was acknowledged on it, larger packets that carry nothing are tried, from the largest down, until
 * one arrives. When large packets vanish and small ones do not, it begins again (a black hole).
 *
 * It is a short list and no search to the byte, since UDP sockets of Node cannot ask for "do not fragment": a system that
 * has heard of a narrower path cuts what is larger from then on, so that the next larger size seems to pass. The first size below the
 * one that was lost is therefore one that nearly every narrow path takes whole.
 */
import { type Duration, duration, type Instant, later } from '../../endpoint/machine.ts'
import type { PathTraits } from './path-traits.ts'

/** RFC 8899 §5.1.1, PMTU_RAISE_TIMER: how long it counts that a size did not pass. */
const RAISE_AFTER: Duration = duration(600_000)
/** Large packets that were lost, and none that arrived since: the path has become a narrower one (RFC 8899 §4.3). */
const BLACK_HOLE_LOSSES = 3

export class MtuDiscovery {
  readonly #traits: PathTraits
  #size: number
  /** The next of the larger sizes to be tried. */
  #next = 0
  /** Whether the path carries anything at all. */
  #confirmed = false
  #probing = false
  /** When the largest is tried again. */
  #again: Instant | undefined
  /** The newest large packet that arrived, and how many newer ones did not. */
  #arrived = -1
  #losses = 0

  constructor(traits: PathTraits) {
    this.#traits = traits
    this.#size = traits.base
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
    if (!this.#confirmed || this.#probing) return undefined
    if (this.#again !== undefined && this.#again <= now) {
      this.#again = undefined
      this.#next = 0
    }
    const size = this.#traits.larger[this.#next]
    return size !== undefined && size > this.#size ? size : undefined
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
      this.#next++
      this.#again ??= later(now, RAISE_AFTER)
    } else if (bytes > this.#traits.base && number > this.#arrived && ++this.#losses >= BLACK_HOLE_LOSSES) {
      this.#size = this.#traits.base
      this.#losses = 0
      this.#next = this.#traits.larger.length
      this.#again = later(now, RAISE_AFTER)
    }
  }
}

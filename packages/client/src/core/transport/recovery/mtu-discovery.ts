/**
 * Packetization-layer path MTU discovery (RFC 8899): how large a record a path takes. A path begins
 * at a size that every such path takes. Once it is confirmed to carry anything, probes of larger
 * sizes, which carry only padding, are sent from the largest down until one is acknowledged. When
 * large records are lost and small ones are not, it falls back to the base size (a black hole,
 * §4.3).
 *
 * The sizes are a short list, not a search to the byte, because Node cannot set DF. After an ICMP
 * "packet too big" the kernel fragments larger datagrams, so a larger probe would appear to
 * succeed. The size below the first one that is lost is therefore one that nearly every narrow path
 * takes whole.
 */
import { type Duration, duration, type Instant, later } from '../../endpoint/machine.ts'
import type { PathTraits } from './path-traits.ts'

/** RFC 8899 §5.1.1, PMTU_RAISE_TIMER: when larger sizes are probed again. */
const RAISE_AFTER: Duration = duration(600_000)
/**
 * Large records lost since the last one that was acknowledged: the path has become narrower (RFC
 * 8899 §4.3).
 */
const BLACK_HOLE_LOSSES = 3

export class MtuDiscovery {
  readonly #traits: PathTraits
  #size: number
  /** Index of the next larger size to probe. */
  #next = 0
  /** Whether the path is confirmed to carry anything (RFC 8899 §5.2, BASE). */
  #confirmed = false
  #probing = false
  #raiseAt: Instant | undefined
  /** The newest large record that was acknowledged, and how many newer ones were lost. */
  #largestAcked = -1
  #losses = 0

  constructor(traits: PathTraits) {
    this.#traits = traits
    this.#size = traits.base
  }

  /** Bytes of a full record (PLPMTU). */
  get size(): number {
    return this.#size
  }

  /** Bytes that every such path takes (BASE_PLPMTU). */
  get base(): number {
    return this.#traits.base
  }

  /** Bytes of the probe that should leave now; undefined: none. */
  probeSize(now: Instant): number | undefined {
    if (!this.#confirmed || this.#probing) return undefined
    if (this.#raiseAt !== undefined && this.#raiseAt <= now) {
      this.#raiseAt = undefined
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
    this.#largestAcked = Math.max(this.#largestAcked, number)
    this.#losses = 0
  }

  lost(number: number, bytes: number, probe: boolean, now: Instant): void {
    if (probe) {
      this.#probing = false
      this.#next++
      this.#raiseAt ??= later(now, RAISE_AFTER)
    } else if (bytes > this.#traits.base && number > this.#largestAcked && ++this.#losses >= BLACK_HOLE_LOSSES) {
      this.#size = this.#traits.base
      this.#losses = 0
      this.#next = this.#traits.larger.length
      this.#raiseAt = later(now, RAISE_AFTER)
    }
  }
}

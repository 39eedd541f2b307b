/**
 * Packetization-layer path MTU discovery (RFC 8899): how large a record a path takes. A path begins
 * at a size that every such path takes. Once it is confirmed to carry anything, probes of larger
 * sizes, which carry only padding, are sent from the largest down until one is acknowledged. A size
 * is given up when more of its probes are lost than the loss of the path explains. When large
 * records are lost and small ones are not, it falls back to the base size (a black hole, §4.3), and
 * probes begin at the largest size again.
 *
 * The sizes are a short list where the socket may send fragments: after an ICMP "packet too big" the
 * kernel fragments larger datagrams, so a larger probe would appear to succeed. The size below the
 * first one that is lost is one that nearly every narrow path takes whole. Where it sends none, what
 * is between that size and the next one is searched by halves (§5.3.2).
 */
import { type Duration, duration, type Instant, later } from '../../endpoint/machine.ts'
import type { PathTraits } from './path-traits.ts'
import { SizeEvidence } from './size-evidence.ts'

/** RFC 8899 §5.1.1, PMTU_RAISE_TIMER: when sizes that did not pass are probed again. */
const RAISE_AFTER: Duration = duration(600_000)
/** RFC 8899 §5.1.2, MAX_PROBES: probes of a size that records of it passed before. */
const PROBES_AFTER_FALL = 3
/** Bytes between a size that passes and one that does not: no more is gained by another probe. */
const CLOSE_ENOUGH = 16

export class MtuDiscovery {
  readonly #traits: PathTraits
  /** Made with the first record that is acknowledged or lost: sizes may take time to find out. */
  #counted: SizeEvidence | undefined
  #size: number
  /** How many probes of a size were lost. Those of a list and of one search at a time. */
  readonly #lostProbes = new Map<number, number>()
  /** No size is left to probe while so many lost probes, or fewer, are enough to give one up. */
  #exhausted = 0
  /** So many probes of a size at least are lost before it is given up. */
  #fewestProbes = 1
  /** Whether the path is confirmed to carry anything (RFC 8899 §5.2, BASE). */
  #confirmed = false
  #probing = false
  #raiseAt: Instant | undefined

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
    if (!this.#confirmed || this.#probing || this.#size === this.#traits.larger[0]) return undefined
    if (this.#raiseAt !== undefined && this.#raiseAt <= now) this.#open()
    // When loss shows only later that it took a probe, the size is probed again.
    const enough = Math.max(this.#fewestProbes, this.#evidence.probesLostByChance + 1)
    if (enough <= this.#exhausted) return undefined
    const size = this.#nextSize(enough)
    if (size === undefined) this.#exhausted = enough
    return size
  }

  probeSent(): void {
    this.#probing = true
  }

  acked(number: number, bytes: number, probe: boolean): void {
    this.#confirmed = true
    this.#evidence.acked(number, bytes)
    if (!probe) return
    this.#probing = false
    if (bytes > this.#size) this.#resize(bytes)
  }

  lost(number: number, bytes: number, probe: boolean, now: Instant): void {
    if (probe) {
      this.#probing = false
      this.#lostProbes.set(bytes, (this.#lostProbes.get(bytes) ?? 0) + 1)
      this.#raiseAt ??= later(now, RAISE_AFTER)
      return
    }
    this.#evidence.lost(number, bytes)
    if (this.#size === this.#traits.base || !this.#evidence.narrower) return
    // A black hole. If it was chance after all, the first probe tells.
    this.#evidence.startOver()
    this.#resize(this.#traits.base)
    this.#open()
    this.#fewestProbes = PROBES_AFTER_FALL
  }

  get #evidence(): SizeEvidence {
    this.#counted ??= new SizeEvidence(this.#traits.base, this.#traits.larger)
    return this.#counted
  }

  /** @param enough so many lost probes give a size up */
  #nextSize(enough: number): number | undefined {
    const { larger, search = false } = this.#traits
    const isGivenUp = (size: number): boolean => (this.#lostProbes.get(size) ?? 0) >= enough
    const listed = larger.find((size) => size > this.#size && !isGivenUp(size))
    if (listed !== undefined || !search) return listed
    const tooLarge = [...this.#lostProbes.keys()].filter((size) => size > this.#size && isGivenUp(size))
    const gap = Math.min(...tooLarge) - this.#size
    return gap > CLOSE_ENOUGH ? this.#size + Math.floor(gap / 2) : undefined
  }

  #resize(size: number): void {
    this.#size = size
    this.#exhausted = 0
    this.#evidence.fullSize(size - CLOSE_ENOUGH)
  }

  /** Every size may be probed. */
  #open(): void {
    this.#raiseAt = undefined
    this.#exhausted = 0
    this.#lostProbes.clear()
  }
}

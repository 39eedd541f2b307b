/**
 * Packetization-layer path MTU discovery (RFC 8899): how large a record a path takes. A path begins
 * at a size that every such path takes. Once it is confirmed to carry anything, probes of larger
 * sizes, which carry only padding, are sent from the largest down until one is acknowledged. A size
 * is given up when more of its probes are lost than the loss of the path explains. When large
 * records are lost and small ones are not, it falls back to the base size (a black hole, §4.3), and
 * probes begin at the largest size again.
 *
 * The sizes are a short list, not a search to the byte, because Node cannot set DF. After an ICMP
 * "packet too big" the kernel fragments larger datagrams, so a larger probe would appear to
 * succeed. The size below the first one that is lost is therefore one that nearly every narrow path
 * takes whole.
 */
import { type Duration, duration, type Instant, later } from '../../endpoint/machine.ts'
import type { PathTraits } from './path-traits.ts'
import { SizeEvidence } from './size-evidence.ts'

/** RFC 8899 §5.1.1, PMTU_RAISE_TIMER: when sizes that did not pass are probed again. */
const RAISE_AFTER: Duration = duration(600_000)
/** RFC 8899 §5.1.2, MAX_PROBES: probes of a size that records of it passed before. */
const PROBES_AFTER_FALL = 3

export class MtuDiscovery {
  readonly #traits: PathTraits
  readonly #evidence: SizeEvidence
  #size: number
  /** Of each larger size, how many probes were lost since one was acknowledged. */
  readonly #lostProbes: number[]
  /** So many probes of a size at least are lost before it is given up. */
  #fewestProbes = 1
  /** Whether the path is confirmed to carry anything (RFC 8899 §5.2, BASE). */
  #confirmed = false
  #probing = false
  #raiseAt: Instant | undefined

  constructor(traits: PathTraits) {
    this.#traits = traits
    this.#size = traits.base
    this.#evidence = new SizeEvidence(traits.base, traits.larger)
    this.#lostProbes = traits.larger.map(() => 0)
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
    const { larger } = this.#traits
    if (!this.#confirmed || this.#probing || this.#size === larger[0]) return undefined
    if (this.#raiseAt !== undefined && this.#raiseAt <= now) this.#open()
    // When loss shows only later that it took a probe, the size is probed again.
    const enough = Math.max(this.#fewestProbes, this.#evidence.probesLostByChance + 1)
    const size = larger[this.#lostProbes.findIndex((lost) => lost < enough)]
    return size !== undefined && size > this.#size ? size : undefined
  }

  probeSent(): void {
    this.#probing = true
  }

  acked(number: number, bytes: number, probe: boolean): void {
    this.#confirmed = true
    this.#evidence.acked(number, bytes)
    if (!probe) return
    this.#probing = false
    this.#size = Math.max(this.#size, bytes)
  }

  lost(number: number, bytes: number, probe: boolean, now: Instant): void {
    if (probe) {
      this.#probing = false
      const index = this.#traits.larger.indexOf(bytes)
      this.#lostProbes[index] = (this.#lostProbes[index] ?? 0) + 1
      this.#raiseAt ??= later(now, RAISE_AFTER)
      return
    }
    this.#evidence.lost(number, bytes)
    if (this.#size === this.#traits.base || !this.#evidence.narrower) return
    // A black hole. If it was chance after all, the first probe tells.
    this.#size = this.#traits.base
    this.#evidence.startOver()
    this.#open()
    this.#fewestProbes = PROBES_AFTER_FALL
  }

  /** Every size may be probed. */
  #open(): void {
    this.#raiseAt = undefined
    this.#lostProbes.fill(0)
  }
}

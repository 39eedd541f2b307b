/**
 * One attempt to open a direct path to a peer that both ends agreed to (the seed's section 3 after
 * 0x114/0x115; docs/protocol.md, Punch safety). Both ends run the same machine:
 *
 *   0x100 to each candidate, paced, at most 8 each ──► something heard from a candidate, or a
 *   verified 0x101 from anywhere ──► 0x101 there ──► 0x102: the path works both ways
 */
import type { PublicKey } from '@showchain/crypto/core'
import { CAPS, type Endpoint, type Extensions, formatEndpoint, type Message, OP, type PeerId } from '@showchain/wire'
import { type Base, send } from './base.ts'
import type { Exchange, Exchanges } from './exchange.ts'
import { type Instant, later } from './machine.ts'
import type { Stamp } from './sequence.ts'
import type { Timer } from './timers.ts'
import { ATTEMPT_LIFETIME, MAX_CANDIDATES, MAX_PROBES, PROBE_TIMES } from './timing.ts'

export interface PunchAttemptOptions {
  readonly remoteId: PeerId
  readonly key: PublicKey
  /** What the other end can do; undefined when it did not show that it knows extensions. */
  readonly caps: number | undefined
  /** 0x101 was answered: the path works, and this is the stamp that names its session. @param caps what the answer told of the other end. */
  direct(endpoint: Endpoint, stamp: Stamp, caps: number | undefined, now: Instant): void
  /** The attempt is over; called once, also after success. */
  ended(): void
}

type Done = (found: boolean, now: Instant) => void

interface Candidate {
  readonly endpoint: Endpoint
  /** Whether it was announced: only such addresses are probed unasked. */
  announced: boolean
  /** 0x100 sent there. */
  probes: number
  check: Exchange | undefined
}

export class PunchAttempt {
  readonly options: PunchAttemptOptions
  readonly #base: Base
  readonly #exchanges: Exchanges
  /** By endpoint text; at most MAX_CANDIDATES. */
  readonly #candidates = new Map<string, Candidate>()
  readonly #timers = new Set<Timer>()
  /** At most one of each side's own requests: a handful. */
  #waiting: Done[] = []
  #found = false
  #over = false

  constructor(base: Base, exchanges: Exchanges, options: PunchAttemptOptions, now: Instant) {
    this.#base = base
    this.#exchanges = exchanges
    this.options = options
    this.#timers.add(base.timers.set(later(now, ATTEMPT_LIFETIME), (at) => this.end(at)))
  }

  /** Whether a path was found. */
  get found(): boolean {
    return this.#found
  }

  /** Calls back once: when a path was found, or when the attempt ends without. */
  whenDone(done: Done, now: Instant): void {
    if (this.#found || this.#over) done(this.#found, now)
    else this.#waiting.push(done)
  }

  /** Adds an announced address or a host candidate and starts probing it. The caller has asked the address policy. */
  probe(endpoint: Endpoint, now: Instant): void {
    const candidate = this.#candidate(endpoint)
    if (candidate === undefined || candidate.announced || this.#found) return
    candidate.announced = true
    for (const after of PROBE_TIMES) {
      const timer = this.#base.timers.set(later(now, after), () => {
        this.#timers.delete(timer)
        if (candidate.check === undefined && !this.#found) this.#sendProbe(candidate)
      })
      this.#timers.add(timer)
    }
  }

  /** A 0x100 with the other end's id came. */
  heard(source: Endpoint): void {
    const known = this.#candidates.get(formatEndpoint(source))
    if (known?.announced === true) return this.#check(known)
    // An address nobody announced (a symmetric NAT's): echo it, so that the other end hears us and sends 0x101.
    const candidate = known ?? this.#candidate(source)
    if (candidate !== undefined) this.#sendProbe(candidate)
  }

  /** A 0x101 of the other end came from here and its signature verified. */
  verified(source: Endpoint): void {
    const candidate = this.#candidate(source)
    if (candidate !== undefined) this.#check(candidate)
  }

  end(now: Instant): void {
    if (this.#over) return
    this.#over = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    for (const { check } of this.#candidates.values()) check?.close()
    this.options.ended()
    this.#tell(now)
  }

  #candidate(endpoint: Endpoint): Candidate | undefined {
    const key = formatEndpoint(endpoint)
    const known = this.#candidates.get(key)
    if (known !== undefined || this.#over || this.#candidates.size === MAX_CANDIDATES) return known
    const candidate: Candidate = { endpoint, announced: false, probes: 0, check: undefined }
    this.#candidates.set(key, candidate)
    return candidate
  }

  #sendProbe(candidate: Candidate): void {
    if (candidate.probes === MAX_PROBES || this.#over) return
    candidate.probes++
    send(this.#base, candidate.endpoint, { op_code: OP.keepAlive, id: this.#base.self, seq: 0, ts: 0 })
  }

  #check(candidate: Candidate): void {
    if (candidate.check !== undefined || this.#found || this.#over) return
    candidate.check = this.#exchanges.start({
      to: candidate.endpoint,
      request: (stamp, cookie) => ({
        op_code: OP.directRequest,
        id: this.#base.self,
        target: this.options.remoteId,
        ...stamp,
        ...this.#extensions(cookie),
      }),
      answered: (message) => this.#answered(candidate, message),
      failed: () => {},
    })
  }

  #extensions(cookie: Uint8Array | undefined): { ext?: Extensions } {
    if (this.options.caps === undefined || this.#base.seedMode) return {}
    return { ext: { caps: CAPS.directData, ...(cookie === undefined ? {} : { cookie }) } }
  }

  #answered(candidate: Candidate, message: Message): void {
    const { check } = candidate
    if (check === undefined || message.op_code !== OP.directResponse || message.id !== this.options.remoteId) return
    check.verify(this.options.key, message, (now) => {
      const { stamp } = check
      check.close()
      if (this.#found) return
      this.#found = true
      for (const other of this.#candidates.values()) other.check?.close()
      this.options.direct(candidate.endpoint, stamp, message.ext?.caps, now)
      this.#tell(now)
    })
  }

  #tell(now: Instant): void {
    for (const done of this.#waiting.splice(0)) done(this.#found, now)
  }
}

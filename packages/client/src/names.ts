/**
 * Host names of relays, STUN servers and peers: each is looked up on its own, beside others that
 * answer, inside a deadline, and again with back-off.
 */
import type { Random } from '@showchain/crypto/core'
import {
  type Address,
  canonicalIp,
  type Endpoint,
  formatAddress,
  formatEndpoint,
  ipFamily,
  ShowchainError,
} from '@showchain/wire'
import { duration, later } from './core/index.ts'
import { Nat64 } from './nat64.ts'
import type { Scheduled } from './runtime/clock.ts'
import type { Runtime } from './runtime/runtime.ts'

/** A system's resolver asks each of its servers for 5 s (resolv.conf(5)), twice. */
export const LOOKUP_TIMEOUT = 10_000
/** Between two looks at the same name: doubles from the first to the last, ±50 %. */
const BACKOFF_FIRST = 1000
const BACKOFF_LAST = 60_000

/** What came of a look: all endpoints of the name, or why there are none. */
export type Looked = { readonly found: readonly Endpoint[] } | { readonly found: readonly []; readonly why: string }

export class Names {
  readonly #runtime: Pick<Runtime, 'clock' | 'resolve' | 'random'>
  readonly nat64: Nat64
  /**
   * Answers that are not there yet, by name: a resolver that never answers is asked once, since it
   * may keep a thread busy. Bounded by the names that relays, servers and tickets have.
   */
  readonly #asked = new Map<string, Promise<Looked>>()

  /** @param localAddresses IP addresses of this host */
  constructor(runtime: Pick<Runtime, 'clock' | 'resolve' | 'random'>, localAddresses: () => readonly string[]) {
    this.#runtime = runtime
    this.nat64 = new Nat64({ resolve: (address) => runtime.resolve(address), localAddresses })
  }

  get random(): Random {
    return this.#runtime.random
  }

  /** Whether it is an IP address that this host may reach as it is. */
  isAtHand({ host }: Address): boolean {
    const ip = canonicalIp(host)
    return ip !== undefined && (ipFamily(ip) === 6 || !this.nat64.applies)
  }

  /**
   * Calls back once, at once for what is at hand.
   * @returns gives up: nothing is called back
   */
  look(address: Address, done: (looked: Looked) => void): () => void {
    const { host, port } = address
    const ip = canonicalIp(host)
    if (ip !== undefined && this.isAtHand(address)) {
      done({ found: [{ ip, port }] })
      return () => {}
    }
    let over = false
    const end = (looked?: Looked): void => {
      if (over) return
      over = true
      timer.cancel()
      if (looked !== undefined) done(looked)
    }
    const timer = this.after(LOOKUP_TIMEOUT, () => end({ found: [], why: `${host} is not resolved: no answer` }))
    void this.#ask(address).then(end)
    return () => end()
  }

  after(ms: number, fire: () => void): Scheduled {
    const { clock } = this.#runtime
    return clock.schedule(later(clock.now(), duration(ms)), fire)
  }

  #ask(address: Address): Promise<Looked> {
    const name = formatAddress(address)
    const asked = this.#asked.get(name) ?? this.#resolve(address).finally(() => this.#asked.delete(name))
    this.#asked.set(name, asked)
    return asked
  }

  async #resolve(address: Address): Promise<Looked> {
    try {
      if (this.nat64.applies) await this.nat64.find()
      const found = await this.#runtime.resolve(address)
      const reached = found.map((endpoint) => this.nat64.synthesised(endpoint) ?? endpoint)
      return { found: [...new Map(reached.map((endpoint) => [formatEndpoint(endpoint), endpoint])).values()] }
    } catch (error) {
      const text = error instanceof ShowchainError && error.cause instanceof Error ? error.cause.message : String(error)
      return { found: [], why: `${address.host} is not resolved: ${text}` }
    }
  }
}

export interface SearchOptions {
  readonly names: Names
  readonly address: Address
  /** Whether another look is still wanted after a pause. */
  needed(): boolean
  found(endpoints: readonly Endpoint[]): void
  /** It is looked up again by itself. */
  failed(why: string): void
}

/** Looks a name up until it has an answer, and again whenever its owner wants. */
export class NameSearch {
  readonly #options: SearchOptions
  #giveUp: (() => void) | undefined
  #timer: Scheduled | undefined
  #looks = 0

  constructor(options: SearchOptions) {
    this.#options = options
  }

  start(): void {
    const { names, address, found, failed } = this.#options
    this.stop()
    this.#giveUp = names.look(address, (looked) => {
      this.#giveUp = undefined
      if (!('why' in looked)) return found(looked.found)
      failed(looked.why)
      this.again()
    })
  }

  /** Looks once more, after a pause that grows; not where it would tell nothing new. */
  again(): void {
    const { names, address, needed } = this.#options
    if (this.#timer !== undefined || this.#giveUp !== undefined || names.isAtHand(address)) return
    const pause = Math.min(BACKOFF_FIRST * 2 ** this.#looks++, BACKOFF_LAST)
    this.#timer = names.after(pause * (0.5 + names.random.uniform()), () => {
      this.#timer = undefined
      if (needed()) this.start()
      else this.settled()
    })
  }

  /** What was found is good: the next pause is a short one. */
  settled(): void {
    this.stop()
    this.#looks = 0
  }

  stop(): void {
    this.#giveUp?.()
    this.#giveUp = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }
}

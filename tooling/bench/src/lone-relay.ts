/**
 * A relay's machine alone, on this thread and on a clock that the caller moves: RSA is done on the
 * spot.
 */
import { type Instant, instant, type Work } from '@showchain/client/core'
import { openssl, type PublicKey } from '@showchain/crypto'
import { type RelayLimits, RelayMachine } from '@showchain/server'
import { SeededRandom } from '@showchain/testkit'
import type { Endpoint } from '@showchain/wire'

/** How work is done; without RSA what is left is the machine itself. */
export interface Arithmetic {
  readonly verify: (work: Extract<Work, { kind: 'verify' }>) => boolean
  readonly sign: (preimage: Uint8Array) => Uint8Array
}

export const verifyNow: Arithmetic['verify'] = ({ key, preimage, signature }) =>
  openssl.verify(key, preimage, signature)

/**
 * Sessions and cookies follow from it: what was signed for one relay of this seed is good for the
 * next.
 */
export const SEED = 'bench'

export interface LoneRelayOptions {
  readonly self: PublicKey
  readonly knownKeys?: readonly PublicKey[]
  readonly limits?: Partial<RelayLimits>
  readonly arithmetic: Arithmetic
  /** Its wall clock when the other one shows `now`. */
  readonly unixMs: (now: Instant) => number
}

export class LoneRelay {
  readonly self: PublicKey
  readonly machine: RelayMachine
  now: Instant = instant(0)
  /** What the last input made it send, in order. */
  readonly sent: Uint8Array[] = []
  readonly #arithmetic: Arithmetic
  readonly #unixMs: (now: Instant) => number
  /** Stands still within one input, as the other clock does. */
  #wall: number

  constructor({ arithmetic, unixMs, ...options }: LoneRelayOptions) {
    this.self = options.self
    this.#arithmetic = arithmetic
    this.#unixMs = unixMs
    this.#wall = unixMs(this.now)
    const random = new SeededRandom(SEED)
    this.machine = new RelayMachine({ ...options, unixMs: () => this.#wall, provider: openssl, random })
  }

  /** @returns what was sent first because of it. */
  receive(bytes: Uint8Array, source: Endpoint): Uint8Array | undefined {
    this.sent.length = 0
    this.#wall = this.#unixMs(this.now)
    this.machine.receive({ bytes, source }, this.now)
    this.#drain()
    return this.sent[0]
  }

  /** Moves the clock, and wakes the machine if it asked for it. */
  pass(ms: number): void {
    this.now = instant(this.now + ms)
    const { deadline } = this.machine
    if (deadline === undefined || deadline > this.now) return
    this.machine.wake(this.now)
    this.#drain()
  }

  #drain(): void {
    const { machine } = this
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      if (output.type === 'transmit') this.sent.push(output.bytes)
      else if (output.type === 'work') this.#do(output)
    }
  }

  #do(work: Work): void {
    if (work.kind === 'sign') work.resume(this.#arithmetic.sign(work.preimage), this.now)
    else if (work.kind === 'verify') work.resume(this.#arithmetic.verify(work), this.now)
  }
}

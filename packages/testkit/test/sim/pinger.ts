/**
 * The smallest machine that does everything: signs its greeting, verifies the other's, retries by a
 * timer.
 */
import {
  type Datagram,
  duration,
  type Instant,
  later,
  type Machine,
  Outbox,
  type Output,
  Timers,
} from '@showchain/client/core'
import type { CryptoProvider, PublicKey } from '@showchain/crypto/core'
import { messagePreimage, verifyMessage } from '@showchain/crypto/core'
import { decode, type Endpoint, encode, OP } from '@showchain/wire'
import type { TestIdentity } from '../../src/index.ts'

export interface PingerOptions {
  readonly identity: TestIdentity
  readonly provider: CryptoProvider
  readonly other: PublicKey
  readonly to: Endpoint | undefined
  readonly unixMs: () => number
}

export class Pinger implements Machine<string> {
  readonly #options: PingerOptions
  readonly #outbox = new Outbox<string>()
  readonly #timers = new Timers()
  #seq = 0

  constructor(options: PingerOptions) {
    this.#options = options
  }

  get deadline(): Instant | undefined {
    return this.#timers.deadline
  }

  wake(now: Instant): void {
    this.#timers.wake(now)
  }

  poll(): Output<string> | undefined {
    return this.#outbox.poll()
  }

  start(now: Instant): void {
    const { identity, other, provider, to, unixMs } = this.#options
    if (to === undefined) return
    const unsigned = {
      op_code: OP.directRequest,
      id: identity.id,
      target: other.id,
      seq: ++this.#seq,
      ts: unixMs(),
    } as const
    this.#outbox.sign(messagePreimage(provider, unsigned), (sign) => {
      if (sign !== undefined) this.#outbox.transmit(to, encode({ ...unsigned, sign }, 'binary'))
    })
    this.#timers.set(later(now, duration(500)), (at) => this.start(at))
  }

  receive({ bytes }: Datagram): void {
    const { other, provider } = this.#options
    const decoded = decode(bytes)
    if (!decoded.ok || decoded.message.op_code !== OP.directRequest) return
    this.#outbox.event(`${decoded.message.seq} ${verifyMessage(provider, other, decoded.message)}`)
  }
}

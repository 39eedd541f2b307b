/**
 * RSA in a simulation: done at once, or after a fixed virtual time, in order; never on a thread.
 */
import { type Duration, type Instant, later, type Work } from '@showchain/client/core'
import type { Clock, Worker } from '@showchain/client/runtime'
import type { CryptoProvider } from '@showchain/crypto/core'

/** What it works with. */
export interface VirtualWorkerOptions {
  readonly clock: Clock
  readonly provider: Pick<CryptoProvider, 'verify'>
  /** Signs without waiting; undefined fails the job. */
  readonly sign: (preimage: Uint8Array) => Uint8Array | undefined
  /** The same by RSASSA-PSS. */
  readonly certify: (preimage: Uint8Array) => Uint8Array | undefined
  /** Virtual time that a signature takes. @default 0: done before the machine is drained */
  readonly signTime?: Duration | undefined
  /** Virtual time that a check takes. @default 0 */
  readonly verifyTime?: Duration | undefined
}

/** Does the work of machines in virtual time. */
export class VirtualWorker implements Worker {
  readonly #options: VirtualWorkerOptions
  /** Nothing waits: each job is done at once, or after its time. */
  readonly waiting = 0
  #closed = false

  constructor(options: VirtualWorkerOptions) {
    this.#options = options
  }

  /** Does one job, and tells its result. */
  run(work: Work, enter: (resume: (now: Instant) => void) => void): void {
    const { provider, sign, certify, signTime, verifyTime } = this.#options
    if (work.kind !== 'verify') {
      const signature = work.kind === 'sign' ? sign(work.preimage) : certify(work.preimage)
      this.#after(signTime, () => enter((now) => work.resume(signature, now)))
    } else {
      const valid = provider.verify(work.key, work.preimage, work.signature)
      this.#after(verifyTime, () => enter((now) => work.resume(valid, now)))
    }
  }

  close(): void {
    this.#closed = true
  }

  #after(time: Duration | undefined, done: () => void): void {
    const { clock } = this.#options
    if (time === undefined) done()
    else {
      clock.schedule(later(clock.now(), time), () => {
        if (!this.#closed) done()
      })
    }
  }
}

/**
 * Where a machine's RSA is done. What is cheap stays on the loop, up to a few per turn, since a trip to
 * a thread costs as much as the work itself: checks, and at a peer a signature of a quick key. The rest
 * goes to OpenSSL's threads, a bounded number at a time, and waits in a bounded queue. A full queue sheds.
 */
import type { CryptoProvider, Identity } from '@showchain/crypto/core'
import type { Instant, Work } from '../core/endpoint/machine.ts'

/** Takes work from a driver and gives each result back through `enter`, at once or later. */
export interface Worker {
  run(work: Work, enter: (resume: (now: Instant) => void) => void): void
  /** Jobs that wait for a thread. */
  readonly waiting: number
  /** Drops what waits; results that come later are never entered. */
  close(): void
}

/** For a machine that has nothing to sign or verify. */
export const NO_WORKER: Worker = { run: () => {}, waiting: 0, close: () => {} }

export interface WorkerLimits {
  /** Signatures made on the loop before the next turn, by an identity that is quick at it. */
  readonly signPerTick: number
  /** Signatures checked on the loop before the next turn. */
  readonly verifyPerTick: number
  /** Signatures being checked on threads. */
  readonly verifyInFlight: number
  /** Signatures that wait for a thread. */
  readonly verifyQueue: number
  /** Signatures being made on threads. */
  readonly signInFlight: number
  /** Signatures that wait to be made. */
  readonly signQueue: number
}

/** Default of UV_THREADPOOL_SIZE (Node's documentation, Command-line API). */
const POOL_THREADS = 4

export const WORKER_LIMITS: WorkerLimits = {
  // Private-key work never blocks the loop of a relay.
  signPerTick: 0,
  // An RSA-2048 check takes some 40 µs: four leave a turn of the loop far below a millisecond.
  verifyPerTick: 4,
  // Enough that no thread runs dry while a turn of the loop hands out the next ones, few enough
  // that a signature to be made stands behind at most a millisecond of checks.
  verifyInFlight: 16 * POOL_THREADS,
  // About 50 ms of checks on one thread: who waits longer is repeated by its sender soon (0.5 s).
  verifyQueue: 1024,
  // One job being done and one ready for each thread.
  signInFlight: 2 * POOL_THREADS,
  // About a second of RSA-2048 on one thread, within the first two retransmissions of who asked.
  signQueue: 1024,
}

/**
 * Of a peer, which signs a few times for each connection: 0.33 ms of its loop, in place of 0.6 and 0.75 ms
 * until a thread that slept has woken and answered (measured).
 */
export const PEER_WORKER_LIMITS: Pick<WorkerLimits, 'signPerTick'> = { signPerTick: 1 }

export interface CryptoWorkerOptions {
  readonly provider: CryptoProvider
  readonly identity: Identity
  /** @default WORKER_LIMITS, each for itself */
  readonly limits?: Partial<WorkerLimits> | undefined
  /** Calls back when the loop has turned. @default setImmediate */
  readonly nextTurn?: ((call: () => void) => void) | undefined
}

export interface WorkerCounters {
  /** Signatures checked on the loop. */
  verifiedOnLoop: number
  /** Signatures handed to threads to check. */
  verifiedOnThreads: number
  /** Signatures made on the loop. */
  signedOnLoop: number
  /** Signatures handed to threads to make. */
  signed: number
  /** Checks that a full queue refused. */
  verifyShed: number
  /** Signatures that a full queue refused. */
  signShed: number
  /** Jobs that ended in an exception. */
  failed: number
}

export class CryptoWorker implements Worker {
  readonly counters: WorkerCounters = {
    verifiedOnLoop: 0,
    verifiedOnThreads: 0,
    signedOnLoop: 0,
    signed: 0,
    verifyShed: 0,
    signShed: 0,
    failed: 0,
  }
  readonly #provider: CryptoProvider
  readonly #identity: Identity
  readonly #limits: WorkerLimits
  readonly #nextTurn: (call: () => void) => void
  readonly #verifications: Lane<boolean>
  readonly #signatures: Lane<Uint8Array>
  #verifiedThisTick = 0
  #signedThisTick = 0
  #turning = false
  #closed = false

  constructor({ provider, identity, limits, nextTurn = setImmediate }: CryptoWorkerOptions) {
    this.#nextTurn = nextTurn
    this.#provider = provider
    this.#identity = identity
    this.#limits = { ...WORKER_LIMITS, ...limits }
    this.#verifications = new Lane(this.#limits.verifyInFlight, this.#limits.verifyQueue)
    this.#signatures = new Lane(this.#limits.signInFlight, this.#limits.signQueue)
  }

  /** Jobs that wait for a thread. */
  get waiting(): number {
    return this.#verifications.waiting + this.#signatures.waiting
  }

  run(work: Work, enter: (resume: (now: Instant) => void) => void): void {
    if (this.#closed) return
    if (work.kind !== 'verify') {
      const identity = this.#identity
      if (work.kind === 'sign' && identity.signNow !== undefined && this.#maySignOnLoop()) {
        this.counters.signedOnLoop++
        const signature = this.#onLoop(() => identity.signNow?.(work.preimage))
        enter((now) => work.resume(signature, now))
        return
      }
      const queued = this.#signatures.offer(
        () => (work.kind === 'certify' ? identity.certify(work.preimage) : identity.sign(work.preimage)),
        (result) => this.#settle(result, (signature, now) => work.resume(signature, now), enter),
      )
      if (queued) this.counters.signed++
      else {
        this.counters.signShed++
        enter((now) => work.resume(undefined, now))
      }
      return
    }
    const { key, preimage, signature } = work
    if (this.#mayVerifyOnLoop()) {
      this.counters.verifiedOnLoop++
      const valid = this.#onLoop(() => this.#provider.verify(key, preimage, signature))
      enter((now) => work.resume(valid, now))
      return
    }
    const queued = this.#verifications.offer(
      () => this.#provider.verifyAsync(key, preimage, signature),
      (result) => this.#settle(result, (valid, now) => work.resume(valid, now), enter),
    )
    if (queued) this.counters.verifiedOnThreads++
    else {
      this.counters.verifyShed++
      enter((now) => work.resume(undefined, now))
    }
  }

  close(): void {
    this.#closed = true
    this.#verifications.clear()
    this.#signatures.clear()
  }

  /** Each counts up to its limit, then not again until the loop has turned. */
  #mayVerifyOnLoop(): boolean {
    if (this.#verifiedThisTick >= this.#limits.verifyPerTick) return false
    this.#verifiedThisTick++
    this.#untilTurned()
    return true
  }

  #maySignOnLoop(): boolean {
    if (this.#signedThisTick >= this.#limits.signPerTick) return false
    this.#signedThisTick++
    this.#untilTurned()
    return true
  }

  #untilTurned(): void {
    if (this.#turning) return
    this.#turning = true
    this.#nextTurn(() => {
      this.#turning = false
      this.#verifiedThisTick = 0
      this.#signedThisTick = 0
    })
  }

  #onLoop<Result>(job: () => Result): Result | undefined {
    try {
      return job()
    } catch {
      this.counters.failed++
      return undefined
    }
  }

  #settle<Result>(
    result: Result | undefined,
    resume: (result: Result | undefined, now: Instant) => void,
    enter: (resume: (now: Instant) => void) => void,
  ): void {
    if (this.#closed) return
    if (result === undefined) this.counters.failed++
    enter((now) => resume(result, now))
  }
}

interface Job<Result> {
  readonly start: () => Promise<Result>
  /** @param result undefined when the job failed. */
  readonly settle: (result: Result | undefined) => void
}

/** Jobs of one kind: some being done, some waiting in order, no more. */
class Lane<Result> {
  readonly #inFlightLimit: number
  readonly #queueLimit: number
  /** At most `queueLimit`; newcomers are refused. */
  #queue: Job<Result>[] = []
  #inFlight = 0

  constructor(inFlightLimit: number, queueLimit: number) {
    this.#inFlightLimit = inFlightLimit
    this.#queueLimit = queueLimit
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** @returns false when the queue is full. */
  offer(start: Job<Result>['start'], settle: Job<Result>['settle']): boolean {
    if (this.#inFlight < this.#inFlightLimit) this.#start({ start, settle })
    else if (this.#queue.length < this.#queueLimit) this.#queue.push({ start, settle })
    else return false
    return true
  }

  clear(): void {
    this.#queue = []
  }

  #start(job: Job<Result>): void {
    this.#inFlight++
    const ended = (result: Result | undefined): void => {
      this.#inFlight--
      const next = this.#queue.shift()
      if (next !== undefined) this.#start(next)
      job.settle(result)
    }
    // The async wrapper makes a rejection of what is thrown before there is a promise.
    const run = async (): Promise<Result> => job.start()
    run().then(ended, () => ended(undefined))
  }
}

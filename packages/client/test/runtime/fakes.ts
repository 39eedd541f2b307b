/** The ports of the runtime, played by hand. */
import type { CryptoProvider, Identity, PublicKey } from '@showchain/crypto'
import type { Endpoint, PeerId } from '@showchain/wire'
import { type Datagram, type Instant, instant, type Machine, type Work } from '../../src/core/endpoint/machine.ts'
import { Outbox } from '../../src/core/endpoint/outbox.ts'
import type { Clock, DatagramSocket, Worker } from '../../src/runtime/index.ts'

export const here: Endpoint = { ip: '127.0.0.1', port: 1 }
export const there: Endpoint = { ip: '127.0.0.1', port: 2 }

/** A clock that stands still until it is set; timers fire when the test says so. */
export class HandClock implements Clock {
  time = 0
  /** Everything ever scheduled, in order. */
  readonly timers: { at: Instant; fire: () => void; cancelled: boolean }[] = []

  now(): Instant {
    return instant(this.time)
  }

  unixMs(): number {
    return 1_000_000 + this.time
  }

  schedule(at: Instant, fire: () => void): { cancel(): void } {
    const timer = { at, fire, cancelled: false }
    this.timers.push(timer)
    return {
      cancel: () => {
        timer.cancelled = true
      },
    }
  }

  /** Fires the newest timer at its time, or at another. */
  fire(time?: number): void {
    const timer = this.timers.at(-1)
    this.time = time ?? timer?.at ?? this.time
    timer?.fire()
  }
}

/** A socket that keeps what is sent and delivers what the test gives it. */
export class HandSocket implements DatagramSocket {
  readonly localEndpoints = [here]
  readonly sent: { to: Endpoint; first: number | undefined }[] = []
  closed = false
  #receive: (batch: readonly Datagram[]) => void = () => {}

  flush?: () => void

  send(to: Endpoint, bytes: Uint8Array): void {
    this.sent.push({ to, first: bytes[0] })
  }

  onDatagrams(receive: (batch: readonly Datagram[]) => void): void {
    this.#receive = receive
  }

  deliver(...values: number[]): void {
    this.deliverBatch(values)
  }

  deliverBatch(...datagrams: (readonly number[])[]): void {
    this.#receive(datagrams.map((values) => ({ source: there, bytes: Uint8Array.from(values) })))
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

/** A worker that keeps its work until the test finishes it. */
export class HandWorker implements Worker {
  readonly jobs: { work: Work; enter: (resume: (now: Instant) => void) => void }[] = []
  closed = false

  get waiting(): number {
    return this.jobs.length
  }

  run(work: Work, enter: (resume: (now: Instant) => void) => void): void {
    this.jobs.push({ work, enter })
  }

  close(): void {
    this.closed = true
  }

  /** Gives the oldest signing job its result. */
  finish(signature: Uint8Array | undefined): void {
    const job = this.jobs.shift()
    if (job !== undefined && job.work.kind !== 'verify') {
      const { work, enter } = job
      enter((now) => work.resume(signature, now))
    }
  }
}

/** A machine that keeps what went in and puts out what the test tells it to. */
export class ScriptedMachine implements Machine<string> {
  readonly outbox: Outbox<string> = new Outbox()
  readonly inputs: string[] = []
  deadline: Instant | undefined
  onReceive: (datagram: Datagram, now: Instant) => void = () => {}
  onWake: (now: Instant) => void = () => {}

  receive(datagram: Datagram, now: Instant): void {
    this.inputs.push(`receive ${datagram.bytes[0]} at ${now}`)
    this.onReceive(datagram, now)
  }

  wake(now: Instant): void {
    this.inputs.push(`wake at ${now}`)
    this.onWake(now)
  }

  poll(): ReturnType<Outbox<string>['poll']> {
    return this.outbox.poll()
  }
}

export const key: PublicKey = { id: 'key' as PeerId, spki: new Uint8Array(1), bits: 2048, signatureLength: 256 }

/** A promise that the test settles. */
export function deferred<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Crypto whose asynchronous jobs wait for the test; what is valid starts with a 1. */
export class HandCrypto {
  readonly verifying: ReturnType<typeof deferred<boolean>>[] = []
  readonly signing: ReturnType<typeof deferred<Uint8Array>>[] = []
  readonly provider: CryptoProvider
  readonly identity: Identity

  /** @param quick whether its identity signs on the calling thread, too: the first byte plus 1 */
  constructor(quick: boolean = false) {
    const parts: Pick<CryptoProvider, 'verify' | 'verifyAsync'> = {
      verify: (_key, _message, signature) => {
        if (signature[0] === 0xff) throw new Error('broken')
        return signature[0] === 1
      },
      verifyAsync: () => {
        const job = deferred<boolean>()
        this.verifying.push(job)
        return job.promise
      },
    }
    this.provider = parts as CryptoProvider
    this.identity = {
      id: key.id,
      publicKey: key,
      toPem: () => '',
      sign: (message) => {
        if (message[0] === 0xff) throw new Error('broken')
        const job = deferred<Uint8Array>()
        this.signing.push(job)
        return job.promise
      },
      ...(quick && {
        signNow: ([first = 0]) => {
          if (first === 0xff) throw new Error('broken')
          return Uint8Array.of(first + 1)
        },
      }),
      certify: () => Promise.reject(new Error('nothing is certified by hand')),
    }
  }
}

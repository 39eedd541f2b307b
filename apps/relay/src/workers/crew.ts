/** The processes of a relay that has several: started, started again when one dies, and ended. */
import cluster, { type Worker as Process } from 'node:cluster'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Line } from './line.ts'
import type { Assignment, PrimaryOffers, Ready, WorkerOffers } from './offers.ts'
import { BUS_DESCRIPTOR, stdioWith } from './stdio.ts'
import { WORKER_ARGUMENT, WorkerFailed } from './worker-program.ts'

/** Milliseconds: one that died so soon after its start waits before the next one. */
const TOO_SOON = 5000
const PAUSE = 1000
/** Milliseconds that a worker has to end at once. */
const END_PATIENCE = 3000

export interface CrewOptions {
  readonly size: number
  readonly log: Logger
  /** The primary's descriptors of its sockets. */
  readonly sockets: (worker: number) => readonly number[]
  readonly assignment: (worker: number) => Assignment
  readonly offers: (worker: number) => Omit<PrimaryOffers, 'assignment' | 'ready'>
  /** A worker has started, with its end of the bus. */
  readonly joined: (worker: number, bus: Duplex) => void
  /** It serves, after one that died. */
  readonly again: (member: Member) => void
}

/** A worker that serves. */
export interface Member {
  readonly worker: number
  readonly line: Line<WorkerOffers>
}

interface Ended {
  readonly code: number
  readonly signal: string | null
  /** Milliseconds. */
  readonly lived: number
}

interface Launched {
  readonly ready: Promise<Ready>
  readonly gone: Promise<Ended>
}

export class Crew {
  restarts = 0
  readonly #options: CrewOptions
  readonly #members = new Map<number, Member>()
  readonly #processes = new Map<number, Process>()
  readonly #gone = new Map<number, Promise<Ended>>()
  #ending = false

  constructor(options: CrewOptions) {
    this.#options = options
    cluster.setupPrimary({ args: [WORKER_ARGUMENT], serialization: 'advanced' })
  }

  /** Starts all, the first one alone: what is wrong is said once. @throws WorkerFailed, and none is left */
  async start(): Promise<Ready> {
    try {
      const [ready] = await this.#startSome([0])
      await this.#startSome(Array.from({ length: this.#options.size - 1 }, (_, index) => index + 1))
      return ready as Ready
    } catch (error) {
      await this.end()
      throw error
    }
  }

  /** Those that serve, in their order. */
  get members(): readonly Member[] {
    return [...this.#members.values()].sort((one, other) => one.worker - other.worker)
  }

  /** Answers of those that answer. */
  async ask<Name extends keyof WorkerOffers>(
    name: Name,
    ...values: Parameters<WorkerOffers[Name]>
  ): Promise<Awaited<ReturnType<WorkerOffers[Name]>>[]> {
    const answers = await Promise.allSettled(this.members.map(({ line }) => line.ask(name, ...values)))
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  }

  tell<Name extends keyof WorkerOffers>(name: Name, ...values: Parameters<WorkerOffers[Name]>): void {
    for (const { line } of this.#members.values()) line.tell(name, ...values)
  }

  /** They drain; nobody is started again. */
  async drained(): Promise<void> {
    this.#ending = true
    this.tell('drain')
    await this.#allGone()
  }

  /** They end at once; of one that does not serve yet there is nothing to end. */
  async end(): Promise<void> {
    this.#ending = true
    this.tell('end')
    this.#kill((worker) => !this.#members.has(worker))
    const enough = new AbortController()
    const killed = wait(END_PATIENCE, undefined, { signal: enough.signal }).then(
      () => this.#kill(() => true),
      () => {},
    )
    await this.#allGone()
    enough.abort()
    await killed
  }

  async #startSome(workers: readonly number[]): Promise<readonly Ready[]> {
    if (this.#ending) return []
    const launched = workers.map((worker) => ({ worker, ...this.#launch(worker) }))
    const ready = await Promise.all(launched.map((each) => each.ready))
    for (const { worker, ...each } of launched) void this.#keep(worker, each)
    return ready
  }

  #kill(which: (worker: number) => boolean): void {
    for (const [worker, { process }] of this.#processes) if (which(worker)) process.kill('SIGKILL')
  }

  async #allGone(): Promise<void> {
    await Promise.all(this.#gone.values())
  }

  /** One that dies has a successor, until they end. */
  async #keep(worker: number, first: Launched): Promise<void> {
    for (let launched = first; ; ) {
      const { code, signal, lived } = await launched.gone
      if (this.#ending) return
      this.#options.log.error({ worker, code, signal }, 'a worker died, and is started again')
      this.restarts++
      if (lived < TOO_SOON) await wait(PAUSE)
      if (this.#ending) return
      launched = this.#launch(worker)
      const ready = launched.ready.then(
        () => this.#options.again(this.#members.get(worker) as Member),
        // It has said why, and the next one may.
        () => {},
      )
      await ready
    }
  }

  #launch(worker: number): Launched {
    const { sockets, assignment, offers, joined, log } = this.#options
    cluster.setupPrimary({ stdio: stdioWith(sockets(worker)) as never })
    const started = performance.now()
    const process = cluster.fork()
    this.#processes.set(worker, process)
    joined(worker, process.process.stdio[BUS_DESCRIPTOR] as Duplex)
    const line = new Line<WorkerOffers>(process.process)
    process.on('message', (message: object) => line.received(message))
    process.on('error', (error) => {
      log.error({ worker }, error.message)
      // Without a process there is no end of one.
      if (process.process.pid === undefined) process.emit('exit', 1, '')
    })
    const ready = new Promise<Ready>((resolve, reject) => {
      line.offer<PrimaryOffers>({
        ...offers(worker),
        assignment: () => assignment(worker),
        ready: (said) => {
          this.#members.set(worker, { worker, line })
          if (this.#ending) line.tell('end')
          resolve(said)
        },
      })
      process.once('exit', (code) => reject(new WorkerFailed(code || 1)))
    })
    const gone = new Promise<Ended>((resolve) => {
      process.once('exit', (code, signal) => {
        line.close()
        this.#members.delete(worker)
        this.#processes.delete(worker)
        resolve({ code, signal, lived: performance.now() - started })
      })
    })
    this.#gone.set(worker, gone)
    return { ready, gone }
  }
}

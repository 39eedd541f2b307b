/** A program of ours in a namespace: what it prints is a list of events, and whoever waits for one waits with a deadline. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** One line of `--json`. */
export interface ProgramEvent {
  readonly event: string
  readonly [name: string]: unknown
}

/** Longer than anything that a scenario waits for takes. */
const PATIENCE_MS = 90_000
const LINES_SHOWN = 30
const MAX_SHOWN = 300

interface Waiter {
  readonly wanted: (event: ProgramEvent) => boolean
  readonly found: (event: ProgramEvent) => void
}

export class Program {
  readonly name: string
  readonly child: ChildProcess
  readonly events: ProgramEvent[] = []
  readonly ended: Promise<number | null>
  readonly #complaints: string[] = []
  readonly #waiters = new Set<Waiter>()
  readonly #listeners = new Set<(event: ProgramEvent) => void>()

  /** @param raw its stdout is bytes, for whoever reads them */
  constructor(name: string, child: ChildProcess, raw = false) {
    this.name = name
    this.child = child
    this.ended = new Promise((resolve) => child.once('exit', resolve))
    for (const stream of raw ? [child.stderr] : [child.stdout, child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#line(line))
    // A program that ended does not read any more.
    child.stdin?.on('error', () => {})
  }

  /** Calls back for each event from now on. */
  on(listener: (event: ProgramEvent) => void): void {
    this.#listeners.add(listener)
  }

  /** The first event, of those before and those to come, that is wanted. @throws Error when none comes in time, or the program ends */
  async until(what: string, wanted: (event: ProgramEvent) => boolean): Promise<ProgramEvent> {
    const known = this.events.find(wanted)
    return known ?? this.next(what, wanted)
  }

  /** As `until`, but only what is still to come. */
  async next(what: string, wanted: (event: ProgramEvent) => boolean): Promise<ProgramEvent> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        this.#waiters.delete(waiter)
        reject(new Error(`${this.name} did not say that ${what} (${why}).\n${this.said()}`))
      }
      const timer = setTimeout(() => fail(`waited ${PATIENCE_MS / 1000} s`), PATIENCE_MS)
      const waiter: Waiter = {
        wanted,
        found: (event) => {
          clearTimeout(timer)
          resolve(event)
        },
      }
      this.#waiters.add(waiter)
      void this.ended.then((code) => {
        clearTimeout(timer)
        if (this.#waiters.has(waiter)) fail(`it ended with ${code}`)
      })
    })
  }

  /** What it printed last, for people. */
  said(): string {
    const events = this.events
      .filter(({ event }) => event !== 'message' && event !== 'line')
      .map((event) => JSON.stringify(event))
    return [...events.slice(-LINES_SHOWN), ...this.#complaints.slice(-LINES_SHOWN)]
      .map((line) => `  ${this.name}: ${line.slice(0, MAX_SHOWN)}`)
      .join('\n')
  }

  type(line: string): boolean {
    return this.child.stdin?.write(`${line}\n`) ?? false
  }

  /** Whether it read all that was typed; false: it ended, or reads no more. */
  async reads(): Promise<boolean> {
    const { stdin } = this.child
    if (stdin === null || stdin.destroyed) return false
    const drained = once(stdin, 'drain').then(
      () => true,
      () => false,
    )
    return Promise.race([drained, this.ended.then(() => false)])
  }

  async kill(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.child.kill(signal)
    await this.ended
  }

  #line(line: string): void {
    if (!line.startsWith('{')) {
      this.#complaints.push(line)
      // A relay's ticket is no JSON.
      return this.#tell(/^showchain:\S/.test(line) ? { event: 'ticket', ticket: line } : { event: 'line', text: line })
    }
    this.#tell(JSON.parse(line) as ProgramEvent)
  }

  #tell(event: ProgramEvent): void {
    this.events.push(event)
    for (const listener of this.#listeners) listener(event)
    for (const waiter of this.#waiters) {
      if (!waiter.wanted(event)) continue
      this.#waiters.delete(waiter)
      waiter.found(event)
    }
  }
}

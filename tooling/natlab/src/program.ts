/**
 * A program in a namespace: its output as a list of events, which can be awaited with a deadline.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** One line of `--json`. */
export interface ProgramEvent {
  readonly event: string
  readonly [name: string]: unknown
}

/** Longer than any event of a scenario takes. */
const TIMEOUT_MS = 90_000
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
  readonly #stderrLines: string[] = []
  readonly #waiters = new Set<Waiter>()
  readonly #listeners = new Set<(event: ProgramEvent) => void>()

  /** @param raw its stdout carries data rather than events */
  constructor(name: string, child: ChildProcess, raw = false) {
    this.name = name
    this.child = child
    this.ended = new Promise((resolve) => child.once('exit', resolve))
    for (const stream of raw ? [child.stderr] : [child.stdout, child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#line(line))
    // EPIPE: the program has exited.
    child.stdin?.on('error', () => {})
  }

  /** Calls back for each event from now on. */
  on(listener: (event: ProgramEvent) => void): void {
    this.#listeners.add(listener)
  }

  /**
   * The first matching event, past or future.
   * @throws Error at the deadline, or when the program exits
   */
  async until(what: string, wanted: (event: ProgramEvent) => boolean): Promise<ProgramEvent> {
    const known = this.events.find(wanted)
    return known ?? this.next(what, wanted)
  }

  /** Like `until`, but for future events only. */
  async next(what: string, wanted: (event: ProgramEvent) => boolean): Promise<ProgramEvent> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        this.#waiters.delete(waiter)
        reject(new Error(`${this.name} did not report that ${what} (${why}).\n${this.transcript()}`))
      }
      const timer = setTimeout(() => fail(`timed out after ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS)
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
        if (this.#waiters.has(waiter)) fail(`exited with ${code}`)
      })
    })
  }

  /** Its last lines of output, for error messages. */
  transcript(): string {
    const events = this.events
      .filter(({ event }) => event !== 'message' && event !== 'line')
      .map((event) => JSON.stringify(event))
    return [...events.slice(-LINES_SHOWN), ...this.#stderrLines.slice(-LINES_SHOWN)]
      .map((line) => `  ${this.name}: ${line.slice(0, MAX_SHOWN)}`)
      .join('\n')
  }

  writeLine(line: string): boolean {
    return this.child.stdin?.write(`${line}\n`) ?? false
  }

  /** Waits until its stdin has drained; resolves to false when it has exited or closed stdin. */
  async drained(): Promise<boolean> {
    const { stdin } = this.child
    if (stdin === null || stdin.destroyed) return false
    const drain = once(stdin, 'drain').then(
      () => true,
      () => false,
    )
    return Promise.race([drain, this.ended.then(() => false)])
  }

  async kill(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.child.kill(signal)
    await this.ended
  }

  #line(line: string): void {
    if (!line.startsWith('{')) {
      this.#stderrLines.push(line)
      // A relay prints its ticket as plain text.
      return this.#emit(/^showchain:\S/.test(line) ? { event: 'ticket', ticket: line } : { event: 'line', text: line })
    }
    this.#emit(JSON.parse(line) as ProgramEvent)
  }

  #emit(event: ProgramEvent): void {
    this.events.push(event)
    for (const listener of this.#listeners) listener(event)
    for (const waiter of this.#waiters) {
      if (!waiter.wanted(event)) continue
      this.#waiters.delete(waiter)
      waiter.found(event)
    }
  }
}

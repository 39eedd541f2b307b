/** A process that does what it is told over IPC, and what it has reported so far. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Report {
  readonly type: string
  readonly [detail: string]: unknown
}

export class Actor {
  readonly #child: ChildProcess
  readonly #reports: Report[] = []
  readonly #look = new Set<() => void>()

  /** @param script in this folder. */
  constructor(script: string) {
    this.#child = fork(fileURLToPath(new URL(script, import.meta.url)), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    })
    this.#child.on('message', (report: Report) => {
      this.#reports.push(report)
      for (const look of this.#look) look()
    })
  }

  tell(command: Readonly<Record<string, unknown>>): void {
    this.#child.send(command)
  }

  /** Every op code that went this way, once each, in the order in which they first came. */
  ops(direction: 'sent' | 'received'): readonly number[] {
    const traced = this.#reports.filter((report) => report.type === 'trace' && report.direction === direction)
    return [...new Set(traced.map(({ op }) => op as number))]
  }

  get reports(): readonly Report[] {
    return this.#reports
  }

  /** The next report that fits; each is taken once. @throws Error when something failed first. */
  async next(type: string, fits: (report: Report) => boolean = () => true): Promise<Report> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const failed = this.#reports.find((report) => report.type === 'failed')
        const index = this.#reports.findIndex((report) => report.type === type && fits(report))
        if (index === -1 && failed === undefined) return
        this.#look.delete(look)
        if (index === -1) reject(new Error(`${String(failed?.what)}: ${String(failed?.why)}`))
        else resolve(this.#reports.splice(index, 1)[0] as Report)
      }
      this.#look.add(look)
      look()
    })
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

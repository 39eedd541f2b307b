/** The demo's processes: the relay program and the peers. None of them outlives the demo. */
import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { PeerCommand, PeerReport } from './reports.ts'

/** A message on the wire, as its sender reports it. */
export interface Sent {
  readonly from: string
  readonly at: number
  /** `ip:port`. */
  readonly to: string
  readonly size: number
  readonly op: number
  readonly text: string
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const children = new Set<ChildProcess>()
let ended = false

function start(path: string, args: readonly string[], execArgv: readonly string[] = []): ChildProcess {
  if (ended) throw new Error('the demo has ended')
  const child = fork(path, args, { execArgv: [...execArgv], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Ends every process and waits for it; none can start after this. */
export async function endAll(): Promise<void> {
  ended = true
  await Promise.all(
    [...children].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once('exit', () => resolve())
          child.kill('SIGKILL')
        }),
    ),
  )
}

export interface DemoRelay {
  readonly pid: number | undefined
  readonly ticket: string
}

/** Starts showchain-relay; resolves when it has printed its ticket. */
export async function startRelay(identity: string, sent: (message: Sent) => void): Promise<DemoRelay> {
  const program = here('../node_modules/@showchain/relay/bin/showchain-relay.js')
  const args = [
    '--identity',
    identity,
    '--listen',
    '127.0.0.1:0',
    '--log-level',
    'error',
    '--log-format',
    'json',
    '--trace',
  ]
  const child = start(program, args, ['--import', here('orphan-guard.js')])
  const errors: string[] = []
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    const entry = line.startsWith('{"trace":') ? (JSON.parse(line) as RelayTrace) : undefined
    if (entry === undefined) errors.push(line)
    else if (entry.trace === 'sent' && entry.op !== undefined)
      sent({ from: 'relay', at: entry.at, to: entry.remote, size: entry.size, op: entry.op, text: entry.text ?? '' })
  })
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', (ticket) =>
      resolve({ pid: child.pid, ticket }),
    )
    child.once('exit', (code) => reject(new Error(`the relay exited (${code}): ${errors.join(' ')}`)))
  })
}

interface RelayTrace {
  readonly trace: 'sent' | 'received'
  readonly at: number
  readonly remote: string
  readonly size: number
  readonly op?: number
  readonly text?: string
}

/** A peer's process, which takes commands and sends reports. */
export class DemoPeer {
  readonly name: string
  readonly #child: ChildProcess
  readonly #reports: PeerReport[] = []
  readonly #waiting = new Set<() => void>()

  constructor(name: string, onReport: (report: PeerReport) => void) {
    this.name = name
    this.#child = start(here('demo-peer.js'), [])
    this.#child.stderr?.pipe(process.stderr)
    this.#child.on('message', (report: PeerReport) => {
      onReport(report)
      if (report.type === 'sent' || report.type === 'progress') return
      this.#reports.push(report)
      for (const look of this.#waiting) look()
    })
    this.#child.once('exit', (code) => {
      this.#reports.push({ type: 'failed', what: 'process', why: `exited (${code})` })
      for (const look of this.#waiting) look()
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  command(command: PeerCommand): void {
    if (this.#child.connected) this.#child.send(command)
  }

  /**
   * The next report of this type, received already or to come; each is taken once.
   * @throws Error when a command failed
   */
  async next<Type extends PeerReport['type']>(type: Type): Promise<Extract<PeerReport, { type: Type }>> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const failed = this.#reports.find((report) => report.type === 'failed')
        const index = this.#reports.findIndex((report) => report.type === type)
        if (index === -1 && failed === undefined) return
        this.#waiting.delete(look)
        if (index === -1)
          reject(new Error(`${this.name}: ${failed?.type === 'failed' ? `${failed.what}: ${failed.why}` : ''}`))
        else resolve(this.#reports.splice(index, 1)[0] as Extract<PeerReport, { type: Type }>)
      }
      this.#waiting.add(look)
      look()
    })
  }
}

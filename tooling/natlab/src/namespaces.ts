/**
 * The network namespaces of one run. Everything of the lab lives in them: no interface and no address of the machine
 * itself is touched. A reaper outside waits for the end of this process, however it comes, and takes them away.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { run } from './machine.ts'

const PREFIX = 'sclab'

/** Until its stdin ends, then everything whose name begins with $1 goes, processes first. */
const REAPER = `cat > /dev/null
for name in $(ip netns list | cut -d ' ' -f 1 | grep "^$1-"); do
  ip netns pids "$name" | xargs -r kill -9
  ip netns delete "$name"
done`

export class Namespaces {
  /** Tells this run from others on the same machine. */
  readonly run: string = `${PREFIX}-${randomBytes(3).toString('hex')}`
  readonly #reaper: ChildProcess
  #closed = false

  constructor() {
    // In a group of its own, so that Ctrl-C does not end it.
    this.#reaper = spawn('sh', ['-c', REAPER, 'reaper', this.run], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
  }

  /** The full name of one, as `ip netns exec` wants it. */
  nameOf(name: string): string {
    return `${this.run}-${name}`
  }

  /** @throws Error when the run has been closed: nobody would take it away */
  add(name: string): void {
    if (this.#closed) throw new Error(`${this.run} is closed`)
    run('ip', ['netns', 'add', this.nameOf(name)])
    this.ip(name, 'link set lo up')
  }

  /** `ip` inside of it; arguments separated by spaces. */
  ip(name: string, command: string): string {
    return run('ip', ['-n', this.nameOf(name), ...command.split(' ')])
  }

  /** Any tool inside of it. */
  exec(name: string, tool: string, args: readonly string[], input = ''): string {
    return run('ip', ['netns', 'exec', this.nameOf(name), tool, ...args], input)
  }

  set(name: string, setting: string, value: string | number): void {
    this.exec(name, 'sysctl', ['-q', '-w', `${setting}=${value}`])
  }

  /** Replaces the rules of a namespace. Tables that are not named stay, and so do connections that are tracked. */
  nft(name: string, rules: string): void {
    this.exec(name, 'nft', ['-f', '-'], rules)
  }

  spawn(name: string, command: readonly string[], options: SpawnOptions): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.nameOf(name), ...command], options)
  }

  /** Leaves everything as it is, for people who want to look. */
  keep(): void {
    // Without the reaper, the end of its stdin means nothing.
    this.#reaper.kill('SIGKILL')
  }

  /** Takes everything away. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#reaper.exitCode !== null || this.#reaper.signalCode !== null) return
    const gone = new Promise<void>((resolve) => this.#reaper.once('exit', () => resolve()))
    this.#reaper.stdin?.end()
    await gone
  }
}

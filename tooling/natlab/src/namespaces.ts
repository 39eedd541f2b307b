/**
 * The network namespaces of one run. The lab creates interfaces and addresses in them only, never
 * on the host. A reaper process waits until this process ends, in whatever way, and removes them.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { run } from './machine.ts'

const PREFIX = 'sclab'

/** Waits for the end of its stdin, then removes the namespaces of run $1, their processes first. */
const REAPER = `cat > /dev/null
for name in $(ip netns list | cut -d ' ' -f 1 | grep "^$1-"); do
  ip netns pids "$name" | xargs -r kill -9
  ip netns delete "$name"
done`

export class Namespaces {
  /** Distinguishes this run from others on the same host. */
  readonly run: string = `${PREFIX}-${randomBytes(3).toString('hex')}`
  readonly #reaper: ChildProcess
  #closed = false

  constructor() {
    // In its own process group, so that Ctrl-C does not end it.
    this.#reaper = spawn('sh', ['-c', REAPER, 'reaper', this.run], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
  }

  /** The full name of a namespace, for `ip netns exec`. */
  nameOf(name: string): string {
    return `${this.run}-${name}`
  }

  /** @throws Error when the run is closed: the namespace would never be removed */
  add(name: string): void {
    if (this.#closed) throw new Error(`${this.run} is closed`)
    run('ip', ['netns', 'add', this.nameOf(name)])
    this.ip(name, 'link set lo up')
  }

  /** Runs `ip` in a namespace. @param command its arguments, separated by spaces */
  ip(name: string, command: string): string {
    return run('ip', ['-n', this.nameOf(name), ...command.split(' ')])
  }

  /** Runs any tool in a namespace. */
  exec(name: string, tool: string, args: readonly string[], input = ''): string {
    return run('ip', ['netns', 'exec', this.nameOf(name), tool, ...args], input)
  }

  set(name: string, setting: string, value: string | number): void {
    this.exec(name, 'sysctl', ['-q', '-w', `${setting}=${value}`])
  }

  /** Loads nftables rules. Other tables and tracked connections stay. */
  nft(name: string, rules: string): void {
    this.exec(name, 'nft', ['-f', '-'], rules)
  }

  spawn(name: string, command: readonly string[], options: SpawnOptions): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.nameOf(name), ...command], options)
  }

  /** Keeps the namespaces after this process ends. */
  keep(): void {
    // The namespaces stay when there is no reaper.
    this.#reaper.kill('SIGKILL')
  }

  /** Removes the namespaces. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#reaper.exitCode !== null || this.#reaper.signalCode !== null) return
    const gone = new Promise<void>((resolve) => this.#reaper.once('exit', () => resolve()))
    this.#reaper.stdin?.end()
    await gone
  }
}

/** What the machine gives to a siege, and what it says of one: cores, resident memory, packets that were lost. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

/** Milliseconds between two looks at the memory. */
const LOOK_EVERY = 200
const KIB = 1024

/** How the cores are shared: half a sentence for people. */
export type Share = 'the target has a core of its own' | 'all share the cores'

/**
 * Gives the target the last core, and the others the rest, where there are two and taskset(1).
 * @returns undefined where that cannot be
 */
export async function giveCore(target: number, others: readonly number[]): Promise<Share> {
  const cores = availableParallelism()
  if (cores < 2) return 'all share the cores'
  try {
    await pin(target, `${cores - 1}`)
    for (const other of others) await pin(other, `0-${cores - 2}`)
    return 'the target has a core of its own'
  } catch {
    await giveBack([target, ...others])
    return 'all share the cores'
  }
}

/** Each may run on any core again. */
export async function giveBack(processes: readonly number[]): Promise<void> {
  for (const process of processes) await pin(process, `0-${availableParallelism() - 1}`).catch(() => {})
}

/** All threads of it, and those that they will start. */
const pin = (process: number, cores: string): Promise<unknown> =>
  promisify(execFile)('taskset', ['-a', '-p', '-c', cores, `${process}`])

/** The resident memory of a process, from outside: to ask it would disturb it. */
export class MemoryWatch {
  readonly before: number
  most: number
  readonly #process: number
  readonly #timer: NodeJS.Timeout

  constructor(process: number) {
    this.#process = process
    this.before = resident(process)
    this.most = this.before
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY)
  }

  /** @returns bytes now */
  stop(): number {
    clearInterval(this.#timer)
    return this.#look()
  }

  #look(): number {
    const now = resident(this.#process)
    this.most = Math.max(this.most, now)
    return now
  }
}

const resident = (process: number): number =>
  KIB * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process}/status`, 'utf8'))?.[1])

/** UDP datagrams of this network namespace for which a socket had no room, since it was made (RcvbufErrors). */
export function lostDatagrams(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '))
  return Number(values?.[names?.indexOf('RcvbufErrors') ?? -1])
}

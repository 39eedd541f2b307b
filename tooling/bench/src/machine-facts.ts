/** What the figures were measured on. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'

export interface MachineFacts {
  readonly cores: number
  readonly cpu: string
  readonly memory: string
  readonly node: string
  readonly openssl: string
  readonly platform: string
  /** Processes that wanted a core during the last minute: what else ran here. */
  readonly load: number
  readonly date: string
}

export const machineFacts = (): MachineFacts => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.versions.node,
  openssl: process.versions.openssl,
  platform: `${process.platform} ${release()} ${process.arch}`,
  load: loadavg()[0] ?? 0,
  date: new Date().toISOString(),
})

export const describeMachine = (facts: MachineFacts): string =>
  `${facts.cores} cores (${facts.cpu}), ${facts.memory}, ${facts.platform}, Node ${facts.node}, ` +
  `OpenSSL ${facts.openssl}, load ${facts.load.toFixed(1)}, ${facts.date}`

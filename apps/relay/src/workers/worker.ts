/**
 * One process of a relay that has several: a relay on sockets that the primary opened, and a node of the
 * fleet that they are. It obeys the primary alone: a signal to all of them reaches it once.
 */
import { Socket } from 'node:net'
import process from 'node:process'
import type { Mailbox } from '@showchain/mailbox/server'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { logOpenSessions, watchLimits } from '../event-log.ts'
import { logger } from '../log.ts'
import { addMetrics } from '../metrics.ts'
import { type OpenedRelay, openBeside, openRelay, takeConfig } from '../opened-relay.ts'
import { StatusSource } from '../status.ts'
import { version } from '../version.ts'
import { PipeBus } from './bus-pipes.ts'
import { type Channel, Line } from './line.ts'
import { type Assignment, type Metric, type PrimaryOffers, taken, type WorkerOffers } from './offers.ts'
import { ToldUsage } from './shared-usage.ts'
import { BUS_DESCRIPTOR } from './stdio.ts'

/** What a worker obeys; the primary gets the same signals, and says what is to be done. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

class Worker {
  readonly #line: Line<PrimaryOffers>
  readonly #nodes: readonly number[]
  readonly #usage: ToldUsage
  readonly #opened: OpenedRelay
  readonly #log: Logger
  readonly #drainTimeout: number
  readonly #status: StatusSource | undefined
  readonly #unwatch: () => void
  #mailbox: Mailbox | undefined

  constructor(
    line: Line<PrimaryOffers>,
    usage: ToldUsage,
    { config, nodes }: Assignment,
    opened: OpenedRelay,
    log: Logger,
  ) {
    this.#line = line
    this.#nodes = nodes
    this.#usage = usage
    this.#opened = opened
    this.#log = log
    this.#drainTimeout = config.drainSeconds * 1000
    this.#status = config.metrics && new StatusSource(opened.relay, version, nodes)
    this.#unwatch = watchLimits(opened.relay, log)
  }

  readonly offers: WorkerOffers = {
    mailbox: async () => {
      const { relay } = this.#opened
      this.#mailbox = await openBeside(this.#opened, this.#log, async (id) => {
        return relay.sourceOf(id) ?? this.#line.ask('sourceOf', id).catch(() => undefined)
      })
      return this.#mailbox?.id
    },
    metrics: async () => (await this.#registry().getMetricsAsJSON()) as Metric[],
    status: () => this.#status?.status(),
    named: (beginning, most) => this.#opened.relay.watch.named(beginning, most),
    pair: (one, other) => this.#opened.relay.watch.pair(one, other),
    bindings: (from, rows) => this.#opened.relay.bindings(from, rows),
    kick: (id) => this.#opened.relay.kick(id),
    learnBans: (records) => this.#opened.relay.learnBans(records),
    sourceOf: (id) => this.#opened.relay.sourceOf(id),
    usedElsewhere: (used) => {
      this.#usage.heard(used)
      this.#opened.relay.usedElsewhere(used)
    },
    reload: (config) => takeConfig(this.#opened, async () => shareOf({ config, nodes: this.#nodes }), this.#log),
    drain: () => void this.#drain(),
    end: () => void this.#end(),
  }

  #measured = false
  #registry(): OpenedRelay['registry'] {
    const { relay, registry } = this.#opened
    // Once, and with the mailbox, which comes when all workers are there.
    if (!this.#measured) addMetrics(registry, { relay, mailbox: this.#mailbox, version })
    this.#measured = true
    return registry
  }

  async #drain(): Promise<void> {
    await this.#mailbox?.close()
    await this.#opened.relay.drain({ timeout: this.#drainTimeout })
    await this.#end()
  }

  async #end(): Promise<void> {
    const { relay } = this.#opened
    await this.#mailbox?.close()
    await relay.close()
    this.#unwatch()
    this.#status?.close()
    logOpenSessions(this.#log, relay)
    if (this.#mailbox !== undefined) this.#log.info(this.#mailbox.counters(), 'mailbox ended')
    this.#log.info(relay.counters(), 'ended')
    // What was said over the channel is written by then.
    process.disconnect()
  }
}

/** What one turn of the loop has is told at once. */
function inTurns<Item>(tell: (items: readonly Item[]) => void): (item: Item) => void {
  let items: Item[] = []
  return (item) => {
    if (items.push(item) > 1) return
    setImmediate(() => {
      tell(items)
      items = []
    })
  }
}

/** The rate of all is divided: who uses less of it than its share leaves the rest to nobody. */
function shareOf({ config, nodes }: Pick<Assignment, 'config' | 'nodes'>): Config {
  const { quota, ...rest } = taken(config)
  const { bytesPerSecond } = quota ?? {}
  if (bytesPerSecond === undefined) return { ...rest, quota }
  return { ...rest, quota: { ...quota, bytesPerSecond: Math.ceil(bytesPerSecond / nodes.length) } }
}

export async function work(): Promise<void> {
  for (const signal of SIGNALS) process.on(signal, () => {})
  const line = new Line<PrimaryOffers>(process as Channel)
  process.on('message', (message: object) => line.received(message))
  const assignment = await line.ask('assignment')
  const config = shareOf(assignment)
  const log = logger(config, assignment.worker)
  const bus = new PipeBus(new Socket({ fd: BUS_DESCRIPTOR }))
  const usage = new ToldUsage(line)
  const { secret, shared, nodes } = assignment
  const node = nodes[assignment.worker] as number
  const beside = assignment.beside ? nodes.filter((other) => other !== node) : []
  const opened = await openRelay(config, {
    ...{ log, shared, quietNodes: nodes },
    usage,
    onBanned: inTurns((records) => line.tell('banned', records)),
    fleet: async () => ({ node, secret, bus, beside }),
  })
  line.offer<WorkerOffers>(new Worker(line, usage, assignment, opened, log).offers)
  opened.relay.learnBans(assignment.bans)
  const { id, ticket, addresses, websocketAddress: websocket } = opened.relay
  line.tell('ready', { id, ticket, addresses, websocket })
}

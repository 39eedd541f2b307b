/**
 * A relay of several processes on one port, to use as many cores: `--workers`. The primary opens the sockets
 * and keeps them, starts the workers, carries what they say to each other, and answers operators for all.
 */
import { randomBytes } from 'node:crypto'
import { openSharedSockets, type SharedSockets } from '@showchain/client/runtime'
import { COUNTER_SENTENCES, UsageInMemory, type UsedBytes } from '@showchain/server/runtime'
import { formatTicket, parseTicket, printable } from '@showchain/wire'
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { closingAll, type Defer } from '../closing-all.ts'
import type { Config, Listen } from '../config.ts'
import { openControl } from '../control.ts'
import { endSignal } from '../end-signal.ts'
import { fleetOf } from '../fleet.ts'
import { logger } from '../log.ts'
import { dropMisnamed } from '../metrics.ts'
import { keysOf } from '../opened-relay.ts'
import { serveOperators } from '../operator-port.ts'
import { keepBans, usageOf } from '../usage.ts'
import { BusSwitch } from './bus-pipes.ts'
import { Crew } from './crew.ts'
import { carried, type Metric } from './offers.ts'
import { UsageLedger } from './shared-usage.ts'
import { descriptorsOf } from './stdio.ts'
import { steered } from './steering.ts'
import { Together } from './together.ts'

const SECRET_BYTES = 32

/** @param again reads the configuration once more, on SIGHUP */
export async function serveTogether(config: Config, again: () => Promise<Config>): Promise<void> {
  await closingAll((defer) => serve(config, again, defer))
}

async function serve(config: Config, again: () => Promise<Config>, defer: Defer): Promise<void> {
  // Before the ticket is printed: the process that reads it may send the signal at once.
  const ended = endSignal()
  const log = logger(config)
  const places = await openPlaces(config)
  defer(() => {
    for (const place of places) place.close()
  })
  const usage = await usageOf(config, log)
  defer(() => usage?.store.close())
  const { identity } = await keysOf(config, log)
  const fleet = await fleetOf(config, identity.id, log, config.workers)
  const bus = new BusSwitch(fleet?.bus)
  defer(() => bus.close())
  const nodes = Array.from({ length: config.workers }, (_, worker) => (fleet?.node ?? 0) + worker)
  const beside = steered(places[0] as SharedSockets, nodes[0] as number, log)
  const secret = fleet?.secret ?? randomBytes(SECRET_BYTES)
  const [own = [], ...stunAlternates] = descriptorsOf(places.map(({ endpoints }) => endpoints.length))
  const ledger = new UsageLedger(usage?.store ?? new UsageInMemory())
  let current = config

  const crew: Crew = new Crew({
    size: config.workers,
    log,
    sockets: (worker) => places.flatMap(({ descriptors }) => descriptors[worker] ?? []),
    assignment: (worker) => ({
      ...{ worker, nodes, beside, secret, shared: { own, stunAlternates } },
      ...{ config: carried(current), bans: together.banRecords },
    }),
    offers: (worker) => ({
      read: (keys) => ledger.read(keys),
      used: (used) => void keepUsed(worker, used),
      banned: (records) => void together.learnBans(records),
      sourceOf: async (id) => (await crew.ask('sourceOf', id)).find((source) => source !== undefined),
    }),
    joined: (worker, pipe) => bus.join(nodes[worker] as number, pipe),
    again: ({ worker, line }) => {
      if (worker === 0) line.ask('mailbox').catch((error: Error) => log.error(`mailbox: ${error.message}`))
    },
  })
  const together = new Together(crew, () => keepBans(usage?.bans, log))
  const keepUsed = async (worker: number, used: readonly UsedBytes[]): Promise<void> => {
    const tell = (): void => {
      for (const member of crew.members) if (member.worker !== worker) member.line.tell('usedElsewhere', used)
    }
    await ledger.add(used, tell).catch((error: Error) => {
      log.warn(`what was used of quotas could not be written: ${printable(error.message)}`)
    })
  }

  usage?.elsewhere?.listen((used) => {
    for (const { line } of crew.members) line.tell('usedElsewhere', used)
  })
  await usage?.bans.join(together)
  defer(() => crew.end())
  const ready = await Promise.race([crew.start(), ended])
  if (typeof ready === 'string') return log.info({ signal: ready }, 'ended before all workers served')
  const [first] = crew.members
  const mailbox = await first?.line.ask('mailbox')
  const operators = config.metrics && (await serveOperators(shownOf(crew, bus, together), config.metrics, log))
  defer(() => operators?.close())
  let tell: (by: string) => void = () => {}
  const told = new Promise<string>((resolve) => {
    tell = resolve
  })
  const controlled = { relay: together, bans: usage?.bans, drain: () => tell('ctl'), log }
  const control = config.control === undefined ? undefined : await openControl(config.control, controlled)
  defer(() => control?.close())
  const reload = async (): Promise<void> => {
    try {
      const { access, allow, accessUrl, quota, limits, logLevel, websocketCert, websocketKey } = await again()
      const wanted = { ...current, access, allow, accessUrl, quota, limits, logLevel, websocketCert, websocketKey }
      const taken = await crew.ask('reload', carried(wanted))
      // One that workers refuse is none for their successors either.
      if (taken.includes(false)) return
      current = wanted
      log.level = logLevel
    } catch (error) {
      log.error(`the configuration was not taken: ${printable((error as Error).message)}`)
    }
  }
  process.on('SIGHUP', reload)
  defer(() => void process.off('SIGHUP', reload))
  process.stdout.write(`${formatTicket({ ...parseTicket(ready.ticket), mailbox })}\n`)
  const { id, addresses, websocket } = ready
  log.info({ id, addresses, websocket, workers: config.workers }, 'listening')
  const signal = await Promise.race([ended, told])
  const second = endSignal()
  together.draining = true
  log.info({ signal }, 'draining; a second signal ends the relay at once')
  await Promise.race([crew.drained(), second])
}

/** The relay's own sockets, and those of each STUN alternate. */
async function openPlaces({ listen, stunAlternate, workers }: Config): Promise<readonly SharedSockets[]> {
  const places: SharedSockets[] = []
  try {
    for (const addresses of [listen, ...stunAlternate.map((each): readonly Listen[] => [each])])
      places.push(await openSharedSockets(addresses, workers))
    return places
  } catch (error) {
    for (const place of places) place.close()
    throw error
  }
}

/** What operators see: sums over the workers, and what the primary has. */
function shownOf(crew: Crew, bus: BusSwitch, together: Together): Parameters<typeof serveOperators>[0] {
  const own = new Registry()
  collectDefaultMetrics({ register: own })
  dropMisnamed(own)
  new Gauge({
    name: 'showchain_relay_workers',
    help: 'Workers that serve',
    registers: [own],
    collect() {
      this.set(crew.members.length)
    },
  })
  counted(own, 'worker_restarts', 'Workers that died and were started again', () => crew.restarts)
  counted(own, 'worker_messages_lost', 'Messages between workers that nobody took', () => bus.lost)
  counted(own, 'fleet_lost', COUNTER_SENTENCES.fleetLost, () => bus.lostBeyond)
  const metrics = {
    contentType: own.contentType,
    async metrics() {
      const all = await Promise.all([own.getMetricsAsJSON() as Promise<Metric[]>, crew.ask('metrics')])
      return AggregatorRegistry.aggregate([all[0], ...all[1]] as never).metrics()
    },
  }
  return { relay: together, metrics, status: together.status }
}

function counted(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name: `showchain_relay_${name}_total`,
    help,
    registers: [registry],
    collect() {
      this.reset()
      this.inc(value())
    },
  })
}

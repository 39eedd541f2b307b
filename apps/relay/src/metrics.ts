/**
 * Metrics for Prometheus, read when asked for. Names and units follow its conventions; the values of
 * every label are known before the relay starts.
 */
import type { Mailbox, MailboxCounter } from '@showchain/mailbox/server'
import { PAIR_PATHS, RELAY_REFUSALS, TRAFFIC_KINDS } from '@showchain/server'
import { COUNTER_SENTENCES, type CounterName, type Relay } from '@showchain/server/runtime'
import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client'
import { kernelDrops } from './kernel-drops.ts'

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Gauges that prom-client names like counters; each is there under its right name too. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']
/** Counters that have a metric of their own kind below, and so none of their own name. */
const ELSEWHERE: ReadonlySet<CounterName> = new Set<CounterName>(['received', 'sent', 'registered', ...RELAY_REFUSALS])

/** What runs, and is read each time that somebody asks. */
export interface Measured {
  readonly relay: Relay
  readonly mailbox?: Mailbox | undefined
  readonly version: string
}

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

/** A counter whose samples are counted elsewhere. */
function counter(registry: Registry, name: string, help: string, read: () => readonly Sample[]): void {
  new Counter({
    name: `showchain_${name}_total`,
    help,
    labelNames: Object.keys(read()[0]?.[0] ?? {}),
    registers: [registry],
    collect() {
      this.reset()
      for (const [labels, value] of read()) this.inc(labels, value)
    },
  })
}

/** @param aggregator what the gauge is of several workers together */
function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => readonly Sample[],
  aggregator: 'sum' | 'first' | 'max' = 'sum',
): void {
  new Gauge({
    name: `showchain_${name}`,
    help,
    aggregator,
    labelNames: Object.keys(read()[0]?.[0] ?? {}),
    registers: [registry],
    collect() {
      for (const [labels, value] of read()) this.set(labels, value)
    },
  })
}

const single = (value: number): readonly Sample[] => [[{}, value]]

const tables = (stats: object): readonly Sample[] =>
  Object.entries(stats).map(([table, size]: [string, number]) => [{ table }, size])

const meanings = (table: Readonly<Record<string, string>>): string =>
  Object.entries(table)
    .map(([name, sentence]) => `${name}: ${sentence}`)
    .join('; ')

export function dropMisnamed(registry: Registry): void {
  for (const name of MISNAMED) registry.removeSingleMetric(name)
}

/** Adds everything that can be read of what runs. */
export function addMetrics(registry: Registry, { relay, mailbox, version }: Measured): void {
  collectDefaultMetrics({ register: registry })
  dropMisnamed(registry)
  const build = { version, node: process.version }
  gauge(registry, 'relay_build_info', 'Which release runs, and on which Node.js', () => [[build, 1]], 'first')
  const kind: Sample = [{ kind: relay.socket.kind }, 1]
  gauge(registry, 'relay_socket_info', 'Who makes the system calls: batched or dgram', () => [kind], 'first')
  addTraffic(registry, relay)
  const draining = (): readonly Sample[] => single(relay.draining ? 1 : 0)
  gauge(registry, 'relay_draining', 'Whether it drains, 1 or 0', draining, 'max')
  gauge(registry, 'relay_bindings', 'Peers that are registered', () => single(relay.stats().bindings))
  gauge(registry, 'relay_sessions', 'Sessions that are open', () => single(relay.stats().sessions))
  gauge(registry, 'relay_table_entries', 'Entries of each table of the relay', () => tables(relay.stats()))
  counter(registry, 'relay_registrations', 'Registrations, first ones and renewals', () =>
    single(relay.counters().registered),
  )
  counter(registry, 'relay_pairs', `Pairs by their path half a minute after they met. ${meanings(PAIR_PATHS)}`, () =>
    Object.entries(relay.pairs()).map(([path, value]) => [{ path }, value]),
  )
  counter(registry, 'relay_refusals', 'What came and was not done, by reason; some are told, most get silence', () => {
    const counters = relay.counters()
    return RELAY_REFUSALS.map((name) => [{ reason: snake(name) }, counters[name]])
  })
  for (const name of Object.keys(COUNTER_SENTENCES) as CounterName[])
    if (!ELSEWHERE.has(name))
      counter(registry, `relay_${snake(name)}`, COUNTER_SENTENCES[name], () => single(relay.counters()[name]))
  addKernelDrops(registry)
  if (mailbox === undefined) return
  for (const [name, sentence] of Object.entries(mailbox.sentences) as [MailboxCounter, string][])
    counter(registry, `mailbox_${snake(name)}`, sentence, () => single(mailbox.counters()[name]))
  gauge(registry, 'mailbox_table_entries', 'Entries of each table of the mailbox', () => tables(mailbox.stats()))
}

function addTraffic(registry: Registry, relay: Relay): void {
  counter(registry, 'relay_bytes', `Bytes of datagrams. ${meanings(TRAFFIC_KINDS)}`, () =>
    Object.entries(relay.traffic()).flatMap(([direction, kinds]) =>
      Object.entries(kinds).map(([kind, value]): Sample => [{ direction, kind }, value]),
    ),
  )
  counter(registry, 'relay_datagrams', 'Datagrams', () => {
    const { received, sent } = relay.counters()
    return [
      [{ direction: 'in' }, received],
      [{ direction: 'out' }, sent],
    ]
  })
}

function addKernelDrops(registry: Registry): void {
  new Counter({
    name: 'showchain_relay_kernel_drops_total',
    help: 'Datagrams that the kernel dropped: a socket was full, or they could be no message (Linux; elsewhere always 0)',
    registers: [registry],
    async collect() {
      const drops = await kernelDrops()
      this.reset()
      this.inc(drops ?? 0)
    },
  })
}

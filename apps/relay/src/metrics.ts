/** Counters and table sizes for Prometheus, read when asked for. */
import { createServer } from 'node:http'
import type { Mailbox, MailboxCounter } from '@showchain/mailbox/server'
import { RELAY_COUNTERS } from '@showchain/server'
import { type Relay, SOCKET_COUNTERS, WEBSOCKET_COUNTERS } from '@showchain/server/runtime'
import { ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Listen } from './config.ts'

const SENTENCES: Readonly<Record<string, string>> = { ...RELAY_COUNTERS, ...SOCKET_COUNTERS, ...WEBSOCKET_COUNTERS }
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export interface MetricsServer {
  close(): Promise<void>
}

/** Gauges that prom-client names like counters; each is there under its right name too. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** What runs, and is read each time that somebody asks. */
export interface Measured {
  readonly relay: Relay
  readonly mailbox?: Mailbox | undefined
}

function counter(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name: `showchain_${name}_total`,
    help,
    registers: [registry],
    collect() {
      this.reset()
      this.inc(value())
    },
  })
}

function tables(registry: Registry, role: 'relay' | 'mailbox', stats: () => object): void {
  new Gauge({
    name: `showchain_${role}_table_entries`,
    help: `Entries of each table of the ${role}`,
    labelNames: ['table'],
    registers: [registry],
    collect() {
      for (const [table, size] of Object.entries(stats())) this.set({ table }, size)
    },
  })
}

export function registryOf({ relay, mailbox }: Measured): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  for (const name of Object.keys(relay.counters()) as (keyof ReturnType<Relay['counters']>)[])
    counter(registry, `relay_${snake(name)}`, SENTENCES[name] ?? name, () => relay.counters()[name])
  tables(registry, 'relay', () => relay.stats())
  if (mailbox !== undefined) {
    for (const [name, sentence] of Object.entries(mailbox.sentences) as [MailboxCounter, string][])
      counter(registry, `mailbox_${snake(name)}`, sentence, () => mailbox.counters()[name])
    tables(registry, 'mailbox', () => mailbox.stats())
  }
  new Gauge({
    name: 'showchain_relay_socket_info',
    help: 'Who makes the system calls: batched or dgram',
    labelNames: ['kind'],
    registers: [registry],
  }).set({ kind: relay.socket.kind }, 1)
  return registry
}

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN` */
export async function serveMetrics(measured: Measured, listen: Listen, log: Logger): Promise<MetricsServer> {
  const { relay } = measured
  const registry = registryOf(measured)
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (path === '/healthz') response.end('ok\n')
    else if (path === '/readyz')
      response.writeHead(relay.draining ? 503 : 200).end(relay.draining ? 'draining\n' : 'ok\n')
    else if (path === '/metrics') {
      response.setHeader('content-type', registry.contentType)
      registry.metrics().then(
        (text) => response.end(text),
        () => response.writeHead(500).end(),
      )
    } else response.writeHead(404).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'ERR_ADDRESS_IN_USE' : 'ERR_CANNOT_LISTEN'
      reject(new ShowchainError(code, `metrics: ${error.message}.`, { cause: error }))
    })
    server.listen(listen, resolve)
  })
  log.info({ metrics: server.address() }, 'metrics')
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

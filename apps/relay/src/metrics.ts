/** Counters and table sizes for Prometheus, read when asked for. */
import { createServer } from 'node:http'
import { RELAY_COUNTERS } from '@showchain/server'
import { type Relay, SOCKET_COUNTERS } from '@showchain/server/runtime'
import { ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Listen } from './config.ts'

const SENTENCES: Readonly<Record<string, string>> = { ...RELAY_COUNTERS, ...SOCKET_COUNTERS }
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export interface MetricsServer {
  close(): Promise<void>
}

/** Gauges that prom-client names like counters; each is there under its right name too. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** A registry that reads the relay each time it is collected. */
export function registryOf(relay: Relay): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  for (const name of Object.keys(relay.counters()) as (keyof ReturnType<Relay['counters']>)[]) {
    new Counter({
      name: `showchain_relay_${snake(name)}_total`,
      help: SENTENCES[name] ?? name,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(relay.counters()[name])
      },
    })
  }
  new Gauge({
    name: 'showchain_relay_table_entries',
    help: 'Entries of each table of the relay',
    labelNames: ['table'],
    registers: [registry],
    collect() {
      for (const [table, size] of Object.entries(relay.stats())) this.set({ table }, size)
    },
  })
  new Gauge({
    name: 'showchain_relay_socket_info',
    help: 'Who makes the system calls: batched or dgram',
    labelNames: ['kind'],
    registers: [registry],
  }).set({ kind: relay.socket.kind }, 1)
  return registry
}

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN` */
export async function serveMetrics(relay: Relay, listen: Listen, log: Logger): Promise<MetricsServer> {
  const registry = registryOf(relay)
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

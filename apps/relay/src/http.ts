/** What the relay shows over HTTP: metrics and health. It is read-only. */
import { createServer } from 'node:http'
import type { Relay } from '@showchain/server/runtime'
import { ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Listen } from './config.ts'

export interface HttpServer {
  close(): Promise<void>
}

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN` */
export async function serveHttp(
  relay: Pick<Relay, 'draining'>,
  registry: Registry,
  listen: Listen,
  log: Logger,
): Promise<HttpServer> {
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

/** The port for those who run a relay: metrics, health and the status page, from what runs. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Listen } from './config.ts'
import { type HttpServer, type Shown, serveHttp } from './http.ts'
import { addMetrics, type Measured } from './metrics.ts'
import { pageFiles } from './page-files.ts'
import { StatusSource } from './status.ts'

/**
 * @param registry gets the metrics of what runs
 * @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`
 */
export async function serveRelay(
  measured: Measured,
  registry: Registry,
  listen: Listen,
  log: Logger,
): Promise<HttpServer> {
  const { relay, version } = measured
  addMetrics(registry, measured)
  const status = new StatusSource(relay, version)
  const server = await serveOperators({ relay, metrics: registry, status }, listen, log)
  return {
    close() {
      status.close()
      return server.close()
    },
  }
}

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN` */
export const serveOperators = async (shown: Omit<Shown, 'files'>, listen: Listen, log: Logger): Promise<HttpServer> =>
  serveHttp({ ...shown, files: await pageFiles() }, listen, log)

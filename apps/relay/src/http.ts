/** What the relay shows over HTTP: metrics, health and the status page. It is read-only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listenAt } from '@showchain/server/runtime'
import { canonicalIp } from '@showchain/wire'
import type { Logger } from 'pino'
import { closeServer } from './close-server.ts'
import type { Listen } from './config.ts'
import type { PageFile } from './page-files.ts'
import type { PairAnswer, Status } from './status-shape.ts'

export interface HttpServer {
  close(): Promise<void>
}

/** What the status page asks. */
export interface StatusAnswers {
  status(): Status | Promise<Status>
  /** @param beginnings what somebody typed: ids, or how they begin */
  pair(beginnings: readonly [string, string]): Promise<PairAnswer>
}

/** What is served. */
export interface Shown {
  readonly relay: { readonly draining: boolean }
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> }
  readonly status: StatusAnswers
  /** Of the status page, by path. */
  readonly files: ReadonlyMap<string, PageFile>
}

/** Nothing from elsewhere, nothing inline, in no frame. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'

interface Answer {
  readonly status?: number
  readonly type: string
  readonly body: string | Uint8Array
}

type Handler = (query: URLSearchParams) => Answer | Promise<Answer>

/**
 * Whether a request names the relay by an address. A page of another site can have its own name point
 * at this host, and would then read what it shows (DNS rebinding).
 */
function namesAddress({ headers: { host = '' } }: IncomingMessage): boolean {
  const name = /^(.*?)(:\d+)?$/.exec(host)?.[1] ?? ''
  return name === 'localhost' || canonicalIp(name.replace(/^\[(.*)\]$/, '$1')) !== undefined
}

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN` */
export async function serveHttp(
  { relay, metrics, status, files }: Shown,
  listen: Listen,
  log: Logger,
): Promise<HttpServer> {
  const json = (value: unknown): Answer => ({ type: JSON_TYPE, body: JSON.stringify(value) })
  /** For monitoring. */
  const plain = new Map<string, Handler>([
    ['/healthz', () => ({ type: TEXT, body: 'ok\n' })],
    [
      '/readyz',
      () => (relay.draining ? { status: 503, type: TEXT, body: 'draining\n' } : { type: TEXT, body: 'ok\n' }),
    ],
    ['/metrics', async () => ({ type: metrics.contentType, body: await metrics.metrics() })],
  ])
  /** For browsers. */
  const page = new Map<string, Handler>([
    ['/status.json', async () => json(await status.status())],
    ['/pair.json', async (query) => json(await status.pair([query.get('one') ?? '', query.get('other') ?? '']))],
    ...[...files].map(([path, file]): [string, Handler] => [path, () => file]),
  ])

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?')
    const forPage = page.get(path)
    const handler = plain.get(path) ?? forPage
    if (handler === undefined) return void response.writeHead(404).end()
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
    if (forPage !== undefined && !namesAddress(request))
      return void response.writeHead(421, { 'content-type': TEXT }).end('Ask for it by its address.\n')
    const { status: code = 200, type, body } = await handler(new URLSearchParams(query))
    const headers = {
      'content-type': type,
      'cache-control': 'no-store',
      ...(forPage === undefined ? {} : PAGE_HEADERS),
    }
    response.writeHead(code, headers).end(body)
  }

  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.writeHead(500).end())
  })
  await listenAt(server, listen, 'metrics')
  log.info({ metrics: server.address() }, 'metrics')
  return { close: () => closeServer(server) }
}

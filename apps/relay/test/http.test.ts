/** What the operators' port answers, and to whom. */
import { request } from 'node:http'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HttpServer, serveHttp } from '../src/http.ts'
import type { PairAnswer, Status } from '../src/status-shape.ts'

const ANSWER: PairAnswer = { sentences: ['They are relayed.'] }
const asked: (readonly [string, string])[] = []
const relay = { draining: false }
let server: HttpServer
let port: number
beforeAll(async () => {
  const log = pino({ level: 'silent' })
  const listening = new Promise<number>((resolve) => {
    log.info = (({ metrics }: { readonly metrics: { readonly port: number } }) =>
      resolve(metrics.port)) as typeof log.info
  })
  const status = {
    status: () => ({ nodes: [] as const }) as unknown as Status,
    async pair(ids: readonly [string, string]) {
      asked.push(ids)
      return ANSWER
    },
  }
  const page = { type: 'text/html; charset=utf-8', body: Buffer.from('<!doctype html>') }
  const files = new Map([['/', page]])
  server = await serveHttp({ relay, metrics: new Registry(), status, files }, { host: '127.0.0.1', port: 0 }, log)
  port = await listening
})
afterAll(() => server.close())

interface Answer {
  readonly code: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** The path as it is: fetch would tidy it up. */
const ask = (path: string, { host = 'localhost', method = 'GET' } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request({ hostname: '127.0.0.1', port, path, method, headers: { host } }, (answer) => {
      let body = ''
      answer.on('data', (piece) => {
        body += piece
      })
      answer.on('end', () => resolve({ code: answer.statusCode, headers: answer.headers, body }))
    })
      .on('error', reject)
      .end()
  })

const PAGE = ['/', '/status.json', '/pair.json?one=aaaa&other=bbbb']
const PLAIN = ['/metrics', '/healthz', '/readyz']

test.each([...PAGE, ...PLAIN])('%s is there, with whatever stands behind a question mark', async (path) => {
  expect((await ask(path)).code).toBe(200)
  expect((await ask(`${path}${path.includes('?') ? '&' : '?'}from=somewhere`)).code).toBe(200)
})

test('a question about a pair has both ids as they were typed', async () => {
  const { body } = await ask(`/pair.json?${new URLSearchParams({ one: 'a&b c', other: 'd' })}`)
  expect(JSON.parse(body)).toEqual(ANSWER)
  expect(asked.at(-1)).toEqual(['a&b c', 'd'])
  await ask('/pair.json')
  expect(asked.at(-1)).toEqual(['', ''])
})

test.each([...PAGE, ...PLAIN])('%s is read and nothing else', async (path) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    expect((await ask(path, { method })).code, method).toBe(405)
  expect(await ask(path, { method: 'HEAD' })).toMatchObject({ code: 200, body: '' })
})

test.each(['/../main.js', '/page/index.html', '/assets/..%2f..%2fmain.js', '//etc/passwd', '/assets/', '/index.html'])(
  'there is nothing at %s',
  async (path) => {
    expect((await ask(path)).code).toBe(404)
  },
)

describe('a page of another site that has its name point here', () => {
  test.each(['evil.example', 'evil.example:9464', '127.0.0.1.evil.example', 'localhost.evil.example'])(
    'learns nothing: %s',
    async (host) => {
      for (const path of PAGE) expect(await ask(path, { host }), path).toMatchObject({ code: 421 })
      // What monitoring asks for may have a name.
      for (const path of PLAIN) expect(await ask(path, { host }), path).toMatchObject({ code: 200 })
    },
  )

  test.each(['localhost', 'localhost:1', '127.0.0.1', '[::1]:9464', '[::1]', '192.0.2.1:80'])(
    '%s is none',
    async (host) => {
      for (const path of PAGE) expect((await ask(path, { host })).code, path).toBe(200)
    },
  )
})

test('what browsers get may load nothing from elsewhere, nothing inline, and be in no frame', async () => {
  for (const path of PAGE) {
    const { headers } = await ask(path)
    const policy = String(headers['content-security-policy']).split('; ')
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]),
    )
    expect(policy.join()).not.toContain('unsafe')
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
  }
})

test('/readyz says when the relay drains, /healthz does not mind', async () => {
  relay.draining = true
  expect(await ask('/readyz')).toMatchObject({ code: 503, body: 'draining\n' })
  expect(await ask('/healthz')).toMatchObject({ code: 200, body: 'ok\n' })
  relay.draining = false
})

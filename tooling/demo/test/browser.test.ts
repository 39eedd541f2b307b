/// <reference lib="dom" />
/** The example page in headless Chromium, against the programs: a peer in a browser and `showchain listen`. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { identityFromPem } from '@showchain/crypto'
import { parseTicket } from '@showchain/wire'
import { certificate, certificateFiles } from '@showchain-tooling/vitest/certificates'
import { needs } from '@showchain-tooling/vitest/needs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build, type InlineConfig } from 'vite'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

/** Where Debian's package has it. */
const CHROMIUM = '/usr/bin/chromium'
const README = fileURLToPath(new URL('../node_modules/@showchain/client/README.md', import.meta.url))
/** What tests have bundled. */
const CODE = 'code.js'
/** A peer in a worker: says hello on a stream. */
const WORKER = `
import { generateIdentity, Peer } from '@showchain/client/browser'
onmessage = async ({ data: { relay, ticket } }) => {
  const peer = await Peer.open({ identity: await generateIdentity(), relays: [relay] })
  const stream = await (await peer.connect(ticket)).openStream()
  await stream.write(new TextEncoder().encode('hello from a worker\\n'))
  await stream.end()
  await peer.close()
  postMessage('done')
}
`
const PAGE = fileURLToPath(new URL('../node_modules/@showchain/examples/browser', import.meta.url))
const BYTES = 10 * 1024 * 1024
/** Over TLS. */
const FILE = 256 * 1024
/** Most bytes of the page's scripts, gzipped. */
const BUDGET = 120_000
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript' }

const bed = new EndingsBed()
/** The page's files, by path. */
const files = new Map<string, string | Uint8Array>()
/** Paths of the example page. */
let page: readonly string[]
let server: Server
let origin = ''
beforeAll(async () => {
  page = await bundle()
  server = createServer(({ url = '' }, response) => {
    const path = url === '/' ? '/index.html' : url
    const content = files.get(path)
    if (content === undefined) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' }).end(content)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())

/** Keeps what vite makes of the page. @returns the paths of it */
async function bundle(options: InlineConfig = {}): Promise<readonly string[]> {
  const { build: more, ...rest } = options
  const common = { configFile: false, root: PAGE, logLevel: 'error' } as const
  // It has one script: nothing to load before it.
  const single = { modulePreload: false, write: false } as const
  const built = await build({ ...common, ...rest, build: { ...more, ...single } })
  const outputs = 'output' in built ? built.output : []
  for (const output of outputs) files.set(`/${output.fileName}`, output.type === 'chunk' ? output.code : output.source)
  return outputs.map(({ fileName }) => `/${fileName}`)
}

/** @returns the path of a script, bundled as if it were a file of the page's folder */
async function scriptOf(code: string): Promise<string> {
  const input = `${PAGE}/${CODE}`
  const resolveId = (id: string): string | undefined => (id === input ? id : undefined)
  const load = (id: string): string | undefined => (id === input ? code : undefined)
  const options = { rollupOptions: { input }, target: 'es2022' }
  const [script = ''] = await bundle({ plugins: [{ name: 'code', resolveId, load }], build: options })
  return script
}

test('the scripts of the page are within their budget', () => {
  const scripts = page.filter((path) => path.endsWith('.js'))
  const bytes = scripts.reduce((sum, path) => sum + gzipSync(files.get(path) ?? '').length, 0)
  console.log(`A page with a peer: ${(bytes / 1000).toFixed(1)} kB of scripts, gzipped.`)
  expect(scripts.length).toBeGreaterThan(0)
  expect(bytes).toBeLessThan(BUDGET)
})

interface Relay {
  readonly program: Program
  readonly ticket: string
}

async function startRelay(
  ports: { readonly udp: number; readonly tcp: number },
  site: string,
  more = '',
): Promise<Relay> {
  const at = `--listen 127.0.0.1:${ports.udp} --websocket 127.0.0.1:${ports.tcp} --websocket-origin ${site}`
  const program = bed.shell(`exec $R --identity $D/relay.pem --create-identity ${at} ${more}`)
  return { program, ticket: await program.stdout.line(/^showchain:/) }
}

/** `listen --pipe`, which sends what the test writes to it and keeps what comes in a file. */
async function listen(relay: Relay): Promise<{ readonly program: Program; readonly ticket: string }> {
  return bed.listen(`--relay '${relay.ticket}' > $D/copy`)
}

const sha256Of = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const sha256 = (bytes: Uint8Array): string => sha256Of(bytes).toString('hex')
const SPKI = { type: 'spki', format: 'der' } as const

describe('in Chromium', needs(existsSync(CHROMIUM), 'no chromium (apt-get install chromium)'), () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  })
  afterAll(() => browser.close())

  async function opened(by = browser): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const context = await by.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => void complaints.push(error.message))
    await page.goto(origin)
    return { page, complaints }
  }

  async function connect(page: Page, ticket: string, file: Uint8Array): Promise<void> {
    await page.locator('#ticket').fill(ticket)
    await page
      .locator('#file')
      .setInputFiles({ name: 'file', mimeType: 'application/octet-stream', buffer: Buffer.from(file) })
    await page.getByRole('button', { name: 'Connect' }).click()
  }

  const received = async (page: Page): Promise<number> => Number(await page.locator('#received').textContent())

  test('10 MiB go both ways while the relay is killed and restarted', {
    tags: ['long'],
    timeout: 120_000,
  }, async () => {
    const [ours, theirs] = [randomBytes(BYTES), randomBytes(BYTES)]
    const relay = await startRelay({ udp: 0, tcp: 0 }, origin)
    const { addresses, websocket } = parseTicket(relay.ticket)
    const { program, ticket } = await listen(relay)
    const { page, complaints } = await opened()
    await connect(page, ticket, ours)
    // The second half is written after the restart: nothing can be over before.
    program.child.stdin?.write(theirs.subarray(0, BYTES / 2))
    await page.waitForFunction(() => Number(document.querySelector('#received')?.textContent) > 1_000_000)
    expect(await page.locator('#state').textContent()).toBe('Connected by a relay.')

    relay.program.kill()
    await relay.program.ended()
    const again = await startRelay({ udp: addresses[0]?.port ?? 0, tcp: websocket?.port ?? 0 }, origin)
    expect(again.ticket).toBe(relay.ticket)
    expect(await received(page)).toBeLessThan(BYTES)
    program.child.stdin?.end(theirs.subarray(BYTES / 2))

    await page.getByText('Done.').waitFor({ timeout: 100_000 })
    const copy = await page.evaluate(async () => {
      const link = document.querySelector<HTMLAnchorElement>('a[download]')
      const bytes = await (await fetch(link?.href ?? '')).arrayBuffer()
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
      return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
    })
    expect(copy).toBe(sha256(theirs))
    const { code, stderr } = await program.ended()
    expect(code).toBe(0)
    expect(bed.sha256('copy')).toBe(sha256(ours))
    // The page keeps who it is.
    const kept = await page.evaluate(() => localStorage.getItem('showchain identity'))
    const [, shown] = /connected with ([\w-]+)/.exec(stderr) ?? []
    expect(shown).toMatch(/^.{4}/)
    expect(identityFromPem(kept ?? '').id.startsWith(shown ?? '-')).toBe(true)
    expect(complaints).toEqual([])
  })

  test('a file goes each way over TLS, by wss:', { tags: ['long'] }, async () => {
    const { cert, key } = certificateFiles('first')
    const relay = await startRelay({ udp: 0, tcp: 0 }, origin, `--websocket-cert ${cert} --websocket-key ${key}`)
    expect(parseTicket(relay.ticket).websocket).toMatchObject({ tls: true })
    // Nobody whom browsers know has signed it: it is known by its key.
    const trusted = sha256Of(new X509Certificate(certificate('first').cert).publicKey.export(SPKI))
    const trusting = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', `--ignore-certificate-errors-spki-list=${trusted.toString('base64')}`],
    })
    onTestFinished(() => trusting.close())
    const [ours, theirs] = [randomBytes(FILE), randomBytes(FILE)]
    const { program, ticket } = await listen(relay)
    const { page, complaints } = await opened(trusting)
    const urls: string[] = []
    page.on('websocket', (socket) => void urls.push(socket.url()))
    await connect(page, ticket, ours)
    program.child.stdin?.end(theirs)
    await page.getByText('Done.').waitFor()
    expect(await received(page)).toBe(FILE)
    expect((await program.ended()).code).toBe(0)
    expect(bed.sha256('copy')).toBe(sha256(ours))
    expect(urls.length).toBeGreaterThan(0)
    expect(urls.filter((url) => !url.startsWith('wss://127.0.0.1:'))).toEqual([])
    expect(complaints).toEqual([])
  })

  test("the example of the client's README says hello to `showchain listen`", { tags: ['long'] }, async () => {
    const [, example = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(README, 'utf8')) ?? []
    files.set('/readme.html', `<!doctype html><script type="module" src="${await scriptOf(example)}"></script>`)

    const relay = await startRelay({ udp: 0, tcp: 0 }, origin)
    const program = bed.shell(`exec $S listen --ephemeral $L --relay '${relay.ticket}'`)
    const answers = [relay.ticket, await program.stdout.line(/^showchain:/)]
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const tab = await context.newPage()
    tab.on('dialog', (dialog) => void dialog.accept(answers.shift()))
    const said = tab.waitForEvent('console')
    await tab.goto(`${origin}/readme.html`)
    expect((await said).text()).toBe('sent by a relay')
    expect(await program.stdout.line(/hello from a page/)).toContain('hello from a page')
  })

  test('a worker of a page has a peer, too', { tags: ['long'] }, async () => {
    const script = await scriptOf(WORKER)
    const relay = await startRelay({ udp: 0, tcp: 0 }, origin)
    const program = bed.shell(`exec $S listen --ephemeral $L --relay '${relay.ticket}'`)
    const tickets = { relay: relay.ticket, ticket: await program.stdout.line(/^showchain:/) }
    const { page: tab } = await opened()
    const answer = await tab.evaluate(
      ([url, message]) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(url, { type: 'module' })
          worker.onmessage = ({ data }) => resolve(data)
          worker.onerror = ({ message: why }) => reject(new Error(why))
          worker.postMessage(message)
        }),
      [script, tickets] as const,
    )
    expect(answer).toBe('done')
    expect(await program.stdout.line(/hello from a worker/)).toContain('hello from a worker')
  })

  test('a relay that does not name the site of the page refuses it, and the page says so', {
    tags: ['long'],
  }, async () => {
    const relay = await startRelay({ udp: 0, tcp: 0 }, 'https://example.org')
    const { program, ticket } = await listen(relay)
    const { page } = await opened()
    await connect(page, ticket, randomBytes(1))
    await page.getByText('the relay does not take pages of this origin').waitFor()
    expect(program.child.exitCode).toBeNull()
  })
})

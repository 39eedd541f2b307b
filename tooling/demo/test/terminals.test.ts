/** The `showchain` and `showchain-relay` programs together: real processes, real sockets. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { generateIdentity } from '@showchain/crypto'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../node_modules/@showchain/peer-cli/bin/showchain.js', import.meta.url))
const RELAY = fileURLToPath(new URL('../node_modules/@showchain/relay/bin/showchain-relay.js', import.meta.url))
const LOCAL = ['--lab', '--host', '127.0.0.1']
const SEED = [...LOCAL, '--plaintext']

let folder: Folder
const programs: Program[] = []
const start = (bin: string, args: readonly string[]): Program => {
  const program = new Program(bin, args)
  programs.push(program)
  return program
}
const showchain = (...args: readonly string[]): Program => start(BIN, args)

beforeAll(() => {
  folder = new Folder()
})
afterEach(() => {
  for (const program of programs.splice(0)) program.kill()
})
afterAll(() => folder.remove())

async function keygen(
  name: string,
): Promise<{ readonly file: string; readonly id: string; readonly publicKey: string }> {
  const file = folder.file(`${name}.pem`)
  const { stdout: id } = await showchain('keygen', '--out', file).ended()
  const { stdout: pem } = await showchain('id', '--identity', file, '--pem').ended()
  return { file, id, publicKey: folder.write(`${name}.pub.pem`, `${pem}\n`) }
}

async function startRelay(
  ...args: readonly string[]
): Promise<{ readonly program: Program; readonly ticket: string; readonly publicKey: string }> {
  const identity = folder.file(`relay-${programs.length}-${Math.random()}.pem`)
  const program = start(RELAY, ['--identity', identity, '--create-identity', '--listen', '127.0.0.1:0', ...args])
  const ticket = await program.stdout.line(/./)
  const { stdout } = await showchain('id', '--identity', identity, '--pem').ended()
  return { program, ticket, publicKey: folder.write(`${Math.random()}.pem`, `${stdout}\n`) }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function digestOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  stream.on('data', (chunk: Buffer) => hash.update(chunk))
  await once(stream, 'end')
  return hash.digest('hex')
}

const withoutAddress = (ticket: string): string => ticket.replace(/&addr=.*/, '')

describe('showchain listen and connect', () => {
  test.each([
    ['direct', /directly/],
    ['punch', /directly/],
    ['relay-only', /through the relay/],
    ['auto', /connected with/],
  ])('exchange lines in both directions with --via %s', async (via, path) => {
    const relay = await startRelay()
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--relay', relay.ticket)
    const ticket = await bob.stdout.line(/^showchain:/)
    const alice = showchain(
      'connect',
      '--ephemeral',
      ...LOCAL,
      '--via',
      via,
      via === 'direct' ? ticket : withoutAddress(ticket),
    )
    await alice.stderr.line(path)
    alice.type('hello Bob')
    await bob.stdout.line(/^hello Bob$/)
    bob.type('hello Alice')
    await alice.stdout.line(/^hello Alice$/)
    alice.child.stdin?.end()
    expect((await alice.ended()).code).toBe(0)
  })

  test('warn with --plaintext that the path can read the data', async () => {
    const bob = showchain('listen', '--ephemeral', ...SEED)
    await bob.stderr.line(/relays and networks on the path can read/)
  })

  test('need no relay when the ticket has an address, whose port --port sets', async () => {
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--echo')
    const ticket = await bob.stdout.line(/^showchain:/)
    expect(ticket).not.toContain('relay=')
    const port = Number(/:(\d+)$/.exec(ticket)?.[1])
    bob.child.kill('SIGTERM')
    expect((await bob.ended()).code).toBe(0)
    const again = showchain('listen', '--ephemeral', ...LOCAL, '--port', String(port))
    expect(await again.stdout.line(/^showchain:/)).toMatch(new RegExp(`addr=127\\.0\\.0\\.1:${port}$`))
  })

  test('return every line with --echo, and end when all of stdin is acknowledged', async () => {
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--echo')
    const alice = showchain('connect', '--ephemeral', ...LOCAL, await bob.stdout.line(/^showchain:/))
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`)
    alice.child.stdin?.end(`${lines.join('\n')}\n`)
    const { code, stdout } = await alice.ended()
    expect(code).toBe(0)
    expect(stdout.split('\n').sort()).toEqual([...lines].sort())
  })

  test('print every event as one JSON object a line with --json', async () => {
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--echo', '--json')
    const { ticket } = JSON.parse(await bob.stdout.line(/"ticket"/)) as { readonly ticket: string }
    const alice = showchain('connect', '--ephemeral', ...LOCAL, '--json', ticket)
    alice.child.stdin?.end('hello\n')
    const { stdout } = await alice.ended()
    const events = stdout
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly event: string; readonly text?: string })
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['connected', 'message']))
    expect(events.find(({ event }) => event === 'message')?.text).toBe('hello')
  })

  test('refuse peers that --allow does not name, to which the listener looks absent', async () => {
    const friend = await keygen('friend')
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--allow', friend.id, '--echo')
    const ticket = await bob.stdout.line(/^showchain:/)
    const stranger = showchain('connect', '--ephemeral', ...LOCAL, '--timeout', '2', ticket)
    expect(await stranger.ended()).toMatchObject({ code: 3, stderr: expect.stringContaining('Could not connect') })
    const alice = showchain('connect', '--identity', friend.file, ...LOCAL, ticket)
    alice.child.stdin?.end('it is me\n')
    expect(await alice.ended()).toMatchObject({ code: 0, stdout: 'it is me' })
  })

  test.each([
    ['binary', 'binary'],
    ['json', 'binary'],
    ['json', 'json'],
  ])('work in seed mode with configured keys: %s to %s', async (ours, theirs) => {
    const [alice, bob] = [await keygen(`seed-a-${ours}-${theirs}`), await keygen(`seed-b-${ours}-${theirs}`)]
    const relay = await startRelay('--peer-key', alice.publicKey, '--peer-key', bob.publicKey)
    const keys = [relay.publicKey, alice.publicKey, bob.publicKey].flatMap((file) => ['--peer-key', file])
    const listening = showchain(
      'listen',
      '--identity',
      bob.file,
      ...SEED,
      ...keys,
      '--seed-mode',
      '--echo',
      '--encoding',
      theirs,
      '--relay',
      relay.ticket,
    )
    const ticket = withoutAddress(await listening.stdout.line(/^showchain:/))
    const talking = showchain(
      'connect',
      '--identity',
      alice.file,
      ...SEED,
      ...keys,
      '--seed-mode',
      '--via',
      'auto',
      '--encoding',
      ours,
      ticket,
    )
    talking.child.stdin?.end('plain\n')
    expect(await talking.ended()).toMatchObject({ code: 0, stdout: 'plain' })
  })

  test('register again when the relay comes back, and accept connections through it', async () => {
    const relay = await startRelay()
    const port = /:(\d+)$/.exec(relay.ticket)?.[1]
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--relay', relay.ticket, '--keep-alive', '200', '--echo')
    const ticket = withoutAddress(await bob.stdout.line(/^showchain:/))
    relay.program.kill()
    await relay.program.ended()
    await bob.stderr.line(/lost: nothing comes back from it/)
    const identity = relay.program.child.spawnargs[3] as string
    start(RELAY, ['--identity', identity, '--listen', `127.0.0.1:${port}`])
    await bob.stderr.line(/registered with the relay[\s\S]*/)
    const alice = showchain('connect', '--ephemeral', ...LOCAL, '--via', 'relay-only', ticket)
    alice.type('back again')
    await alice.stdout.line(/^back again$/)
  })

  test('put --addr into the ticket', async () => {
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--addr', 'bob.example.org:4500')
    expect(await bob.stdout.line(/^showchain:/)).toContain('addr=bob.example.org:4500&addr=127.0.0.1:')
  })

  test('exit with 1 when their stdout is closed, since a line was lost', async () => {
    const bob = showchain('listen', '--ephemeral', ...LOCAL)
    const ticket = await bob.stdout.line(/^showchain:/)
    const alice = showchain('connect', '--ephemeral', ...LOCAL, ticket)
    await bob.stderr.line(/connected with/)
    bob.child.stdout?.destroy()
    alice.type('is there anybody')
    expect(await bob.ended()).toMatchObject({ code: 1, stderr: expect.not.stringMatching(/^ {4}at /m) })
  })

  test('exit with 143 on SIGTERM in the middle of stdin', async () => {
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--echo')
    const alice = showchain('connect', '--ephemeral', ...LOCAL, await bob.stdout.line(/^showchain:/))
    const lines = Array.from({ length: 2_000_000 }, (_, index) => `line ${index}`)
    alice.child.stdin?.on('error', () => {})
    alice.child.stdin?.write(`${lines.join('\n')}\n`)
    await alice.stdout.line(/^line 100$/)
    alice.child.kill('SIGTERM')
    expect((await alice.ended()).code).toBe(143)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('exit with 0 on %s', async (signal) => {
    const bob = showchain('listen', '--ephemeral', ...LOCAL)
    const alice = showchain('connect', '--ephemeral', ...LOCAL, await bob.stdout.line(/^showchain:/))
    await alice.stderr.line(/connected with/)
    for (const program of [alice, bob]) {
      program.child.kill(signal)
      expect(await program.ended()).toMatchObject({ code: 0 })
    }
  })
})

describe('--pipe', () => {
  test.each(['direct', 'relay-only'])('carries bytes unchanged in both directions with --via %s', async (via) => {
    const relay = await startRelay()
    const [there, back] = [randomBytes(3_000_000), randomBytes(1_000_000)]
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--pipe', '--relay', relay.ticket)
    const ticket = await bob.stderr.line(/^showchain:/)
    const alice = showchain('connect', '--ephemeral', ...LOCAL, '--pipe', '--via', via, ticket)
    const [atBob, atAlice] = [bob, alice].map(({ child }) => digestOf(child.stdout as Readable))
    alice.child.stdin?.end(there)
    bob.child.stdin?.end(back)
    expect([(await alice.ended()).code, (await bob.ended()).code]).toEqual([0, 0])
    expect([await atBob, await atAlice]).toEqual([sha256(there), sha256(back)])
  })
})

describe('a failure', () => {
  test('of a line too long for one message does not stop the others, and gives exit code 1', async () => {
    const bob = showchain('listen', '--ephemeral', ...SEED)
    const alice = showchain('connect', '--ephemeral', ...SEED, await bob.stdout.line(/^showchain:/))
    alice.child.stdin?.end(`before\n${'x'.repeat(5000)}\nafter\n`)
    await Promise.all([bob.stdout.line(/^before$/), bob.stdout.line(/^after$/)])
    const { code, stderr } = await alice.ended()
    expect(code).toBe(1)
    expect(stderr).toMatch(/not delivered: .*does not fit[\s\S]*not every line was delivered/)
  })

  test('to connect names each attempt and why it failed', async () => {
    const relay = await startRelay()
    const { id } = await generateIdentity()
    const relayId = /showchain:([^?]+)/.exec(relay.ticket)?.[1]
    const address = /addr=(.*)$/.exec(relay.ticket)?.[1]
    const alice = showchain(
      'connect',
      '--ephemeral',
      ...LOCAL,
      '--timeout',
      '2',
      `showchain:${id}?relay=${relayId}@${address}`,
    )
    const { code, stderr } = await alice.ended()
    expect(code).toBe(3)
    expect(stderr).toMatch(/Could not connect\. punch and relay by relay 127\.0\.0\.1:\d+: timed out or cancelled\.$/)
  })

  test("is explained when the ticket is the peer's own", async () => {
    const bob = await keygen('own-relay')
    const ticket = `showchain:${bob.id}?addr=127.0.0.1:4400`
    expect(await showchain('listen', '--identity', bob.file, ...LOCAL, '--relay', ticket).ended()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("this peer's own"),
    })
    const alice = await showchain('connect', '--identity', bob.file, ...LOCAL, ticket).ended()
    expect(alice).toMatchObject({ code: 2, stderr: expect.stringContaining("this peer's own") })
  })

  test('to register with a relay that does not answer gives exit code 3', async () => {
    const relay = await startRelay()
    relay.program.kill()
    await relay.program.ended()
    const bob = showchain('listen', '--ephemeral', ...LOCAL, '--relay', relay.ticket, '--timeout', '1')
    expect(await bob.ended()).toMatchObject({ code: 3, stdout: '' })
  })
})

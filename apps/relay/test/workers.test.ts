/** A relay of several processes on one port: real processes, real sockets. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { Connection, Peer } from '@showchain/client'
import { openUdp } from '@showchain/client/runtime'
import { generateIdentity } from '@showchain/crypto'
import { MAX_PROBED_DATAGRAM, parseTicket } from '@showchain/wire'
import { certificateFiles } from '@showchain-tooling/vitest/certificates'
import { needs } from '@showchain-tooling/vitest/needs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { peerOf, refusalOf, relayLab, said, sendUntilLimited } from './relay-lab.ts'

const { folder, start, running } = relayLab()
/** Peers that a test has at each worker, at least. */
const AT_EACH = 2
/** Bytes. */
const QUOTA = 1_000_000
const UNKNOWN = /does not know you/
const batched = needs(
  process.platform === 'linux' && process.env.SHOWCHAIN_UDP !== 'dgram',
  'no batched sockets (Linux, koffi)',
)
afterEach(() => void vi.unstubAllEnvs())

const ctl = (...args: readonly string[]) => start('ctl', '--control', folder.file('ctl'), ...args).ended()

const together = (...args: readonly string[]): Program =>
  running('--workers', '2', '--control', folder.file('ctl'), '--log-level', 'debug', ...args)

/** At which worker a peer was registered last. */
function workerOf(relay: Program, { id }: Pick<Peer, 'id'>): number {
  const line = relay.stderr.all.findLast((each) => each.includes('"msg":"bound"') && each.includes(`"id":"${id}"`))
  return (JSON.parse(line ?? '{}') as { worker: number }).worker
}

/** When a peer hears that this relay does not serve it. */
const denied = (peer: Peer): Promise<unknown> =>
  new Promise((resolve) => peer.on('relay', ({ reason }) => UNKNOWN.test(reason ?? '') && resolve(reason)))

/** Registered peers, some at each worker: at which is for the kernel to say. */
async function crowd(relay: Program): Promise<{ readonly peers: Peer[]; close(): Promise<void> }> {
  const ticket = await relay.stdout.line(/./)
  const peers: Peer[] = []
  while ([0, 1].some((worker) => peersAt(relay, peers, worker).length < AT_EACH)) {
    const peer = await peerOf(await generateIdentity(), ticket)
    peers.push(peer)
    await peer.registered()
    await relay.stderr.line(new RegExp(`"id":"${peer.id}".*"msg":"bound"`))
  }
  return { peers, close: async () => void (await Promise.all(peers.map((peer) => peer.close()))) }
}

const peersAt = (relay: Program, peers: readonly Peer[], worker: number): readonly Peer[] =>
  peers.filter((peer) => workerOf(relay, peer) === worker)

/** One peer of each worker. */
function oneOfEach(relay: Program, peers: readonly Peer[], which = 0): readonly [Peer, Peer] {
  const [here, there] = [0, 1].map((worker) => peersAt(relay, peers, worker)[which])
  return [here as Peer, there as Peer]
}

/** The workers' processes, in their order. */
function workersOf(relay: Program): readonly number[] {
  const { pid } = relay.child
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
}

/** Sends a text by the relay. @returns what arrives */
async function relayed(from: Peer, to: Peer, text: string): Promise<string> {
  const accepted = to.incoming.next()
  const connection = await from.connect(to.ticket, { via: 'relay-only' })
  return said(connection, (await accepted).value as Connection, text)
}

describe('a relay of two workers', () => {
  test('is one relay to peers of both, and to its operator', batched, async () => {
    const relay = together('--metrics', '127.0.0.1:0')
    const { peers, close } = await crowd(relay)
    const [here, there] = oneOfEach(relay, peers)
    expect(await relayed(here, there, 'from 0 to 1')).toBe('from 0 to 1')
    const [back, from] = oneOfEach(relay, peers, 1)
    expect(await relayed(from, back, 'from 1 to 0')).toBe('from 1 to 0')

    const { metrics } = JSON.parse(await relay.stderr.line(/"msg":"metrics"/)) as { metrics: { port: number } }
    const shown = async (path: string) => (await fetch(`http://127.0.0.1:${metrics.port}/${path}`)).text()
    const status = JSON.parse(await shown('status.json'))
    expect(status).toMatchObject({ peers: { count: peers.length }, nodes: [] })
    const text = await shown('metrics')
    expect(text).toContain(`showchain_relay_bindings ${peers.length}\n`)
    expect(text).toContain('showchain_relay_workers 2\n')
    expect(text).toMatch(/showchain_relay_build_info\{[^}]*\} 1\n/)
    const why = JSON.parse(await shown(`pair.json?one=${here.id}&other=${there.id}`)) as { sentences: string[] }
    expect(why.sentences.join(' ')).toMatch(/They are relayed: /)

    const { stdout } = await ctl('list')
    const listed = stdout.split('\n').map((line) => line.split(' ')[0])
    expect(listed.toSorted()).toEqual(peers.map(({ id }) => id).toSorted())
    expect(await ctl('kick', there.id)).toMatchObject({ code: 0 })
    expect(await ctl('ban', here.id)).toMatchObject({ code: 0 })
    expect((await ctl('bans')).stdout).toBe(here.id)
    await close()
  })

  test.each([
    ['', []],
    [', where it counts bytes, too', ['--quota', 'idDay=1G', 'totalDay=10G']],
  ])('passes on between its workers by their port, and not by their bus%s', batched, async (_where, args) => {
    const relay = together('--metrics', '127.0.0.1:0', ...args)
    const { peers, close } = await crowd(relay)
    const [here, there] = oneOfEach(relay, peers)
    const accepted = there.incoming.next()
    const connection = await here.connect(there.ticket, { via: 'relay-only' })
    const other = (await accepted).value as Connection
    const text = 'a line of text for the other one\n'.repeat(2000)
    for (let count = 0; count < 20; count++) expect(await said(connection, other, text)).toHaveLength(text.length)
    const { metrics } = JSON.parse(await relay.stderr.line(/"msg":"metrics"/)) as { metrics: { port: number } }
    const shown = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text()
    const counted = (what: string): number => Number(shown.match(new RegExp(`relay_${what}_total (\\d+)`))?.[1])
    const frames = counted('channel_forwarded')
    expect(frames).toBeGreaterThan((20 * text.length) / MAX_PROBED_DATAGRAM)
    expect(counted('fleet_shared') / frames).toBeGreaterThan(0.9)
    expect((counted('fleet_passed') + counted('fleet_handed')) / frames).toBeLessThan(0.1)
    await close()
  })

  test('has a successor of each worker that is killed: connections go on, and bans hold', {
    tags: ['long'],
    ...batched,
  }, async () => {
    const relay = together()
    const { peers, close } = await crowd(relay)
    const [here, there] = oneOfEach(relay, peers)
    const accepted = there.incoming.next()
    const connection = await here.connect(there.ticket, { via: 'relay-only' })
    const other = (await accepted).value as Connection
    const stranger = await generateIdentity()
    await ctl('ban', stranger.id)

    // Of the one whom `there` talks to; then of the one that has the session.
    for (const worker of [1, 0]) {
      process.kill(workersOf(relay).toSorted((one, next) => one - next)[worker] as number, 'SIGKILL')
      await relay.stderr.line(new RegExp(`"worker":${worker},.*a worker died, and is started again`))
      // Both talk: who is silent hears of it when it keeps its registration alive.
      const both = [said(connection, other, 'there'), said(other, connection, 'and back')]
      expect(await Promise.all(both)).toEqual(['there', 'and back'])
    }
    await using banned = await peerOf(stranger, await relay.stdout.line(/./))
    await expect(banned.registered()).rejects.toThrow(UNKNOWN)
    await close()
  })

  test('drains by a signal to all of its processes, as by one', batched, async () => {
    const relay = together()
    const { peers, close } = await crowd(relay)
    const told = Promise.all(
      peers.map(
        (peer) => new Promise((resolve) => peer.on('relay', ({ state }) => state === 'draining' && resolve(state))),
      ),
    )
    for (const worker of workersOf(relay)) process.kill(worker, 'SIGTERM')
    relay.child.kill('SIGTERM')
    await told
    const { code, stderr } = await relay.ended()
    expect(code).toBe(0)
    expect(stderr.match(/"msg":"ended"/g)).toHaveLength(2)
    await close()
  })

  test('ends at once by a signal that comes while its workers start', batched, async () => {
    const relay = together()
    const commandOf = (pid = 0): string => (pid > 0 ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '')
    // One that is no program of its own yet would hold its primary.
    await expect.poll(() => commandOf(workersOf(relay)[0]), { timeout: 10_000, interval: 5 }).toMatch(/\0worker\0/)
    const [first] = workersOf(relay)
    // None of them may serve before the signal is there.
    process.kill(first as number, 'SIGSTOP')
    relay.child.kill('SIGTERM')
    expect(await relay.ended()).toMatchObject({
      ...{ code: 0, stdout: '' },
      stderr: expect.stringContaining('"signal":"SIGTERM","msg":"ended before all workers served"'),
    })
    expect(existsSync(`/proc/${first}`)).toBe(false)
  })

  test('takes its configuration again at all workers', batched, async () => {
    const config = folder.write('relay.yaml', 'access: everyone\n')
    const relay = together('--config', config)
    const { peers, close } = await crowd(relay)
    const refused = Promise.all(oneOfEach(relay, peers).map(denied))
    folder.write('relay.yaml', `access: ids\nallow: [${'A'.repeat(43)}]\n`)
    relay.child.kill('SIGHUP')
    await refused
    expect(relay.stderr.all.filter((line) => line.includes('configuration read again'))).toHaveLength(2)
    await close()
  })

  test('counts the bytes of a permit at all workers together', { tags: ['long'], ...batched }, async () => {
    const relay = together('--access', 'token')
    const plain = await relay.stdout.line(/./)
    const make = async (...args: readonly string[]): Promise<string> =>
      await start('token', plain, '--identity', folder.file('relay.pem'), ...args).stdout.line(/./)
    const [target, ticket] = [await make(), await make('--bytes', '200k')]
    await using to = await peerOf(await generateIdentity(), target)
    await using from = await peerOf(await generateIdentity(), ticket)
    await Promise.all([to.registered(), from.registered()])
    await sendUntilLimited(from, to)
    // At which worker each registers is for the kernel to say: not all of them at one.
    const refusal = async (): Promise<string> => refusalOf(await generateIdentity(), ticket)
    const refusals = (): Promise<string[]> => Promise.all(Array.from({ length: 6 }, refusal))
    const usedUp = expect.stringMatching(/bytes of the permit .* are used up/)
    // Workers tell each other each second.
    await expect.poll(refusals, { timeout: 20_000, interval: 1000 }).toEqual(new Array(6).fill(usedUp))
  })

  test('lets through the bytes of a quota between its workers, and no more', batched, async () => {
    const relay = together('--quota', `idDay=${QUOTA}`)
    const { peers, close } = await crowd(relay)
    const [here, there] = oneOfEach(relay, peers)
    const accepted = there.incoming.next()
    const connection = await here.connect(there.ticket, { via: 'relay-only' })
    // The session is at the worker of the one that asked for it, and what is counted at that of the other.
    const other = (await accepted).value as Connection
    const limited = new Promise<unknown>((resolve) => {
      there.on('relay', (event) => event.state === 'limited' && resolve(event.reason))
    })
    const stream = await other.openStream()
    stream.write(new Uint8Array(2 * QUOTA)).catch(() => {})
    let received = 0
    const reading = (async () => {
      const { value } = await connection.streams.next()
      for (let piece = await value?.read(); piece !== undefined; piece = await value?.read()) received += piece.length
    })().catch(() => {})
    expect(await limited).toMatch(/used up/)
    // What was sent twice counts twice: where little is left, frames overtake each other.
    await expect.poll(() => received, { timeout: 10_000 }).toBeGreaterThan(QUOTA / 2)
    expect(received).toBeLessThan(QUOTA)
    await close()
    await reading
  })

  test('answers STUN from its other port, whichever worker is asked', batched, async () => {
    const relay = together('--stun-alternate', '127.0.0.1:0')
    const { addresses } = parseTicket(await relay.stdout.line(/./))
    const port = addresses[0]?.port as number
    const answers = Array.from({ length: 8 }, async () => {
      const socket = await openUdp({ listen: [{ host: '127.0.0.1', port: 0 }] })
      const came = new Promise<number>((resolve) => socket.onDatagrams(([first]) => resolve(first?.source.port ?? 0)))
      // RFC 5780: CHANGE-REQUEST with the flag of the port.
      socket.send({ ip: '127.0.0.1', port }, Buffer.from(`000100082112a442${'07'.repeat(12)}0003000400000002`, 'hex'))
      const from = await came
      await socket.close()
      return from
    })
    const ports = new Set(await Promise.all(answers))
    expect(ports.size).toBe(1)
    expect(ports).not.toContain(port)
  })

  test('has a mailbox and takes WebSocket connections', batched, async () => {
    const relay = together('--mailbox', '--websocket', '127.0.0.1:0')
    const ticket = await relay.stdout.line(/&mailbox=.*&via=ws:|&via=ws:.*&mailbox=/)
    const { websocket } = JSON.parse(await relay.stderr.line(/"msg":"listening"/)) as { websocket: { port: number } }
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
    const opened = Array.from({ length: 4 }, async () => {
      const asked = request({
        ...{ host: '127.0.0.1', port: websocket.port, path: '/showchain' },
        headers: { ...headers, 'sec-websocket-key': randomBytes(16).toString('base64') },
      }).end()
      const [{ statusCode }, socket] = await once(asked, 'upgrade')
      socket.destroy()
      return statusCode
    })
    expect(await Promise.all(opened)).toEqual([101, 101, 101, 101])
    expect(parseTicket(ticket).mailbox).toBeDefined()
  })

  test('shares its port with nobody else', batched, async () => {
    const { addresses } = parseTicket(await together().stdout.line(/./))
    const listen = `127.0.0.1:${addresses[0]?.port}`
    const second = start('--identity', folder.file('relay.pem'), '--listen', listen, '--workers', '2')
    expect(await second.ended()).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(listen) })
  })

  test('that does not start says why once, and is gone', batched, async () => {
    const { cert } = certificateFiles('first')
    const { key } = certificateFiles('second')
    const websocket = ['--websocket', '127.0.0.1:0', '--websocket-cert', cert, '--websocket-key', key]
    const { code, stdout, stderr } = await together(...websocket).ended()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.match(/do not fit/g)).toHaveLength(1)
  })

  test('is there only with batched sockets', async () => {
    vi.stubEnv('SHOWCHAIN_UDP', 'dgram')
    const args = ['--identity', folder.file('relay.pem'), '--create-identity', '--workers', '2']
    const { code, stderr } = await start(...args, '--listen', '127.0.0.1:0').ended()
    expect({ code, stderr: stderr.split('\n').at(-1) }).toEqual({
      code: 1,
      stderr: 'showchain-relay: Cannot listen on the local address. No batched socket: SHOWCHAIN_UDP is dgram.',
    })
  })
})

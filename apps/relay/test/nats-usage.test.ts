/** What was used of quotas, kept by the NATS of a fleet: real servers with JetStream. */
import type { ChildProcess } from 'node:child_process'
import { generateIdentity, type Identity } from '@showchain/crypto'
import type { Usage, UsedBytes } from '@showchain/server/runtime'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { NatsUsage } from '../src/nats-usage.ts'
import { UsageShares } from '../src/usage-share.ts'
import { freePort, NATS, startNats } from './nats.ts'
import { peerOf, refusalOf, relayLab, sendUntilLimited } from './relay-lab.ts'

const log = pino({ level: 'silent' })
/** More than writing and reading take. */
const WRITTEN = { timeout: 8000, interval: 500 }
const { folder, running, start } = relayLab()
const stores = new Folder()
const ends: (() => unknown)[] = []
let port: number
let store: string
let count = 0
beforeEach(async () => {
  port = await freePort()
  store = stores.file(`jetstream-${count++}`)
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
afterAll(() => stores.remove())

/** @returns its process */
const nats = (...args: readonly string[]): Promise<ChildProcess> =>
  startNats(port, ['-js', '-sd', store, ...args], ends)

const SECRET = new Uint8Array(32).fill(7)

async function usageAt(node: number, secret = SECRET): Promise<NatsUsage> {
  const servers = [{ at: `127.0.0.1:${port}`, tls: false }]
  const usage = await NatsUsage.open({ servers, fleet: 'fleet_1', node, nodes: [node], secret }, log)
  ends.push(() => usage.close())
  return usage
}

const spent = (day: number, dayBytes: number, monthBytes = dayBytes) => ({ day, dayBytes, month: 650, monthBytes })
const row = (key: string, bytes: number, day = 19_800): Usage => ({ key, ...spent(day, bytes) })

/** Writes at once, as who ends does. */
async function kept(node: number, ...usage: readonly Usage[]): Promise<void> {
  const at = await usageAt(node)
  await at.read(usage.map(({ key }) => key))
  await at.write(usage)
  await at.close()
}

describe('usage in NATS', needsTool(NATS, NATS), () => {
  test('is the sum of what all relays counted, and each adds what it counts to its own', async () => {
    await nats()
    await kept(1, row('total', 100), row('id:a', 7))
    await kept(2, row('total', 130))
    expect(await (await usageAt(3)).read(['total', 'id:a', 'id:b'])).toEqual([row('total', 130), row('id:a', 7)])
    await kept(1, row('total', 131), row('id:a', 6))
    expect(await (await usageAt(2)).read(['total', 'id:a'])).toEqual([row('total', 131), row('id:a', 6)])
  })

  test('is believed of nodes with the secret alone, each of its own and of that account', async () => {
    await nats()
    await kept(1, row('total', 100))
    const stranger = await usageAt(2, new Uint8Array(32))
    await stranger.write([row('total', 1e9)])
    await stranger.close()
    expect(await (await usageAt(3)).read(['total'])).toEqual([row('total', 100)])
    const shares = new UsageShares(SECRET)
    const written = shares.write('a.1', spent(19_800, 5))
    expect(shares.read('a.1', written)).toEqual(spent(19_800, 5))
    for (const other of ['a.2', 'b.1']) expect(shares.read(other, written)).toBeUndefined()
    for (const wrong of ['', '.', 'x', written.slice(1), written.replace('5', '6')])
      expect(shares.read('a.1', wrong)).toBeUndefined()
  })

  test('of an earlier day is not of this one, and still of the month', async () => {
    await nats()
    await kept(1, row('total', 100, 19_799))
    await kept(2, { key: 'total', ...spent(19_800, 30, 130) })
    expect(await (await usageAt(3)).read(['total'])).toEqual([{ key: 'total', ...spent(19_800, 30, 130) }])
  })

  test('outlives the NATS server, and that of permits is kept apart from that of months', async () => {
    const server = await nats()
    await kept(1, row('permit:00ff', 100))
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('exit', resolve))
    await nats()
    expect(await (await usageAt(1)).read(['permit:00ff'])).toEqual([row('permit:00ff', 100)])
  })

  test('that was counted without NATS is added to what was kept, when NATS is there again', {
    tags: ['long'],
  }, async () => {
    const server = await nats()
    await kept(1, row('total', 100, 19_799))
    await kept(2, { key: 'total', ...spent(19_800, 30, 130) })
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('exit', resolve))
    const alone = await usageAt(1)
    expect(await alone.read(['total'])).toEqual([])
    const heard: UsedBytes[] = []
    alone.listen((used) => heard.push(...used))
    await alone.write([row('total', 4)])
    await nats()
    const month = { key: 'total', month: 650 }
    await expect
      .poll(() => heard, { timeout: 12_000 })
      .toEqual([
        { ...month, day: 19_800, bytes: 30 },
        { ...month, day: 19_799, bytes: 100 },
      ])
    await alone.close()
    expect(await (await usageAt(1)).read(['total'])).toEqual([{ key: 'total', ...spent(19_800, 34, 134) }])
  })

  test('counts alone where NATS has no JetStream', { tags: ['long'] }, async () => {
    await startNats(port, [], ends)
    const usage = await usageAt(1)
    expect(await usage.read(['total'])).toEqual([])
  })
})

describe('a fleet with quotas', needsTool(NATS, NATS), () => {
  let alice: Identity
  let bob: Identity
  beforeAll(async () => {
    ;[alice, bob] = await Promise.all([generateIdentity(), generateIdentity()])
  })

  test('counts together, and keeps bans, also when a relay of it is killed', { tags: ['long'] }, async () => {
    await nats()
    const secret = folder.write('fleet.secret', `${'ab'.repeat(32)}\n`, 0o600)
    const fleet = ['--fleet', `nats://127.0.0.1:${port}`, '--fleet-secret', secret, '--usage', 'nats']
    const quota = ['--quota', 'totalDay=200k', 'atCap=refuse', '--log-level', 'debug']
    const control = ['--control', folder.file('ctl')]
    const first = running(...fleet, ...quota, ...control, '--node', '1')
    const ticket = await first.stdout.line(/./)
    const others = ['--control', folder.file('ctl2')]
    const second = running(...fleet, ...quota, ...others, '--node', '2')
    const other = await second.stdout.line(/./)
    await using to = await peerOf(bob, ticket, 'relay-only')
    await using from = await peerOf(alice, ticket, 'relay-only')
    await Promise.all([to.registered(), from.registered()])
    await sendUntilLimited(from, to)
    expect(await start('ctl', ...control, 'ban', '192.0.2.1').ended()).toMatchObject({ code: 0 })
    await first.stderr.line(/"total":(?:19[89]|200)\d{3},"msg":"usage kept"/)
    first.child.kill('SIGKILL')
    await first.ended()
    await expect.poll(() => refusalOf(alice, other), WRITTEN).toMatch(/is used up/)
    expect(await start('ctl', ...others, 'bans').ended()).toMatchObject({ code: 0, stdout: '192.0.2.1' })
    await running(...fleet, ...quota, ...control, '--node', '1').stdout.line(/./)
    expect(await start('ctl', ...control, 'bans').ended()).toMatchObject({ code: 0, stdout: '192.0.2.1' })
  })
})

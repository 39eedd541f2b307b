/** A fleet whose NATS server is there and does nothing: it is suspended, or accepts connections and says nothing. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { needsTool } from '@showchain-tooling/vitest/needs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { connected, fleetLab, fromPort, metricOf } from './fleet-lab.ts'
import { freePort, NATS } from './nats.ts'
import { said } from './relay-lab.ts'

const { folder, ends, startNats, secretFile, startRelay, peerAt } = fleetLab()

/** More than a relay's heap varies by, and less than the bus may keep. */
const GROWTH = 24 * 1024 * 1024
/** For a stream across the fleet: more than fits what waits anywhere. */
const MUCH = new Uint8Array(64 * 1024 * 1024)
/** NATS is found to be away by two pings of 5 s that nothing answers; statuses follow. */
const NOTICED = { timeout: 30_000, interval: 500 }
const FLEET = /"msg":"a node of the fleet is there"/

const residentBytes = ({ child }: Program): number => {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

const LOST = 'showchain_relay_fleet_lost_total'
const NODES = 'showchain_relay_table_entries{table="fleetNodes"}'

/** Nothing more of it runs; its sockets stay. */
function suspend(nats: ChildProcess): void {
  nats.kill('SIGSTOP')
  ends.push(() => nats.kill('SIGCONT'))
}

describe('a fleet', needsTool(NATS, NATS), () => {
  test('whose NATS server is suspended goes on alone, says so, and is whole again afterwards', {
    tags: ['long'],
  }, async () => {
    const port = await freePort()
    const nats = await startNats(port)
    const shared = ['--fleet', `nats://127.0.0.1:${port}`, '--fleet-secret', secretFile()]
    const first = startRelay([...shared, '--node', '1'])
    await first.stdout.line(/./)
    const second = startRelay([...shared, '--node', '2'])
    const relays = [first, second]
    await Promise.all(relays.map((each) => each.stderr.line(FLEET)))
    const [a, b, c] = [await peerAt(first), await peerAt(first), await peerAt(second)]
    const here = await connected(a, b, 'relay-only')
    const across = await connected(a, c, 'relay-only')
    expect(await said(...across, 'across')).toBe('across')
    const before = relays.map(residentBytes)

    suspend(nats)
    const stream = await across[0].openStream()
    stream.write(MUCH).catch(() => {})
    expect(await said(...here, 'by one node')).toBe('by one node')
    const silent = relays.map((each) => each.stderr.line(/"msg":"a node of the fleet is silent"/))
    await Promise.all([...relays.map((each) => each.stderr.line(/NATS is not there/)), ...silent])
    for (const relay of relays) {
      await expect.poll(() => metricOf(relay, LOST), NOTICED).toBeGreaterThan(0)
      expect(await metricOf(relay, NODES)).toBe(0)
      expect((await fromPort(relay, 'readyz')).status).toBe(200)
    }
    expect(await said(...here, 'still by one node')).toBe('still by one node')
    for (const [index, relay] of relays.entries())
      expect(residentBytes(relay) - (before[index] as number)).toBeLessThan(GROWTH)

    const again = relays.map((each) => each.stderr.line(/NATS is there again/))
    nats.kill('SIGCONT')
    await Promise.all(again)
    for (const relay of relays) await expect.poll(() => metricOf(relay, NODES), NOTICED).toBe(1)
    expect(await said(...(await connected(c, b, 'relay-only')), 'across again')).toBe('across again')
    for (const relay of relays)
      expect(relay.stderr.all.filter((line) => /NATS is not there/.test(line))).toHaveLength(1)
  })

  test('whose NATS server accepts connections and says nothing is one as soon as one answers there', {
    tags: ['long'],
  }, async () => {
    const sockets: Socket[] = []
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const close = (): void => {
      for (const socket of sockets) socket.destroy()
      mute.close()
    }
    ends.push(close)
    const { port } = mute.address() as { readonly port: number }
    const shared = [
      '--fleet',
      `nats://127.0.0.1:${port}`,
      '--fleet-secret',
      secretFile(),
      '--usage',
      'nats',
      '--quota',
      'totalDay=1G',
    ]
    const first = startRelay([...shared, '--node', '1'])
    const a = await peerAt(first)
    const second = startRelay([...shared, '--node', '2'])
    const b = await peerAt(second)
    await Promise.all([first, second].map((each) => each.stderr.line(/NATS is not there/)))
    close()
    await startNats(port, ['-js', '-sd', folder.file('jetstream')])
    await Promise.all([first, second].map((each) => each.stderr.line(FLEET)))
    expect(await said(...(await connected(a, b, 'relay-only')), 'across')).toBe('across')
  })
})

/** What anybody says on the NATS server of a fleet, and what nodes say that are set up wrongly: real processes. */
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { parseTicket } from '@showchain/wire'
import { type FleetItem, FleetWriter, fleetSigned, fleetTag } from '@showchain/wire/fleet'
import { needsTool } from '@showchain-tooling/vitest/needs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { connected, fleetLab, metricOf } from './fleet-lab.ts'
import { freePort, NATS } from './nats.ts'
import { said } from './relay-lab.ts'

const { folder, ends, startNats, secretFile, startRelay, ctl, peerAt } = fleetLab()

const FLEET = /"msg":"a node of the fleet is there"/
const HEARD = { timeout: 20_000, interval: 200 }
const FLOOD = 50_000
const GROWTH = 64 * 1024 * 1024

interface Said {
  readonly secret: Uint8Array
  readonly from?: number
  readonly time?: number
  readonly version?: number
}

/** A message to all as a node says it, by what docs/fleet.md says. */
function message(items: readonly FleetItem[], { secret, from = 9, time = Date.now(), version = 1 }: Said): Uint8Array {
  const writer = new FleetWriter()
  for (const item of items) writer.add(item)
  const bytes = writer.take({ to: 'all', from, life: 1, time })
  bytes[0] = version
  const key = createHmac('sha256', secret).update('SHOWCHAIN-P2P-v1 fleet messages').digest()
  fleetTag(bytes).set(createHmac('sha256', key).update(fleetSigned(bytes)).digest().subarray(0, 16))
  return bytes
}

const dropped = ({ stderr }: Program, limit: string): readonly string[] =>
  stderr.all.filter(
    (line) => line.includes('"msg":"messages on the bus of the fleet were dropped"') && line.includes(limit),
  )

/** @returns speaks to all nodes of the fleet */
async function strangerOn(
  port: number,
  relay: Program,
): Promise<{ say(bytes: Uint8Array): void; nats: NatsConnection }> {
  const nats = await connect({ servers: `127.0.0.1:${port}` })
  ends.push(() => nats.close())
  const subject = `showchain.${parseTicket(await relay.stdout.line(/./)).id.slice(0, 8)}.all`
  return { nats, say: (bytes) => nats.publish(subject, bytes) }
}

describe('on the NATS of a fleet', needsTool(NATS, NATS), () => {
  test('garbage, other versions and secrets, old messages and a flood are counted, logged once, and harm nobody', {
    tags: ['long'],
  }, async () => {
    const port = await freePort()
    await startNats(port)
    const file = secretFile()
    const secret = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
    const control = folder.file('ctl')
    const shared = ['--fleet', `nats://127.0.0.1:${port}`, '--fleet-secret', file]
    const first = startRelay([...shared, '--node', '1', '--control', control])
    await first.stdout.line(/./)
    const second = startRelay([...shared, '--node', '2'])
    const relays = [first, second]
    await Promise.all(relays.map((each) => each.stderr.line(FLEET)))
    const [a, b] = [await peerAt(first), await peerAt(second)]
    const across = await connected(a, b, 'relay-only')
    const { nats, say } = await strangerOn(port, first)

    const moved: FleetItem = { kind: 'bound', peer: a.id, at: Date.now() + 20_000 }
    const banned: FleetItem = { kind: 'ban', who: a.id, at: Date.now() }
    const malformed = message([moved], { secret })
    malformed[18] = 0xff
    const wrong = [
      ...[0, 1, 17, 33, 32_768, 100_000].map((length) => randomBytes(length)),
      ...[0, 2, 255].map((version) => message([moved, banned], { secret, version })),
      message([moved, banned], { secret: randomBytes(32) }),
      malformed,
    ]
    for (const bytes of wrong) say(bytes)
    for (const relay of relays)
      await expect.poll(() => metricOf(relay, 'showchain_relay_fleet_refused_total'), HEARD).toBe(wrong.length)
    for (const minutes of [1, -1]) say(message([moved, banned], { secret, time: Date.now() + minutes * 60_000 }))
    for (const relay of relays)
      await expect.poll(() => metricOf(relay, 'showchain_relay_fleet_stale_total'), HEARD).toBe(2)

    const before = await metricOf(first, 'process_resident_memory_bytes')
    const one = message([moved], { secret: randomBytes(32) })
    for (let count = 0; count < FLOOD; count++) say(one)
    await nats.flush()
    expect(await said(...across, 'in a flood')).toBe('in a flood')
    for (const relay of relays) {
      await expect.poll(() => metricOf(relay, 'showchain_relay_fleet_refused_total'), HEARD).toBe(wrong.length + FLOOD)
      expect(await metricOf(relay, 'showchain_relay_fleet_moved_total')).toBe(0)
      for (const limit of ['fleetRefused', 'fleetStale'])
        await expect.poll(() => dropped(relay, limit).length, HEARD).toBe(1)
    }
    expect(await ctl(control, 'bans')).toMatchObject({ code: 0, stdout: '' })
    expect((await metricOf(first, 'process_resident_memory_bytes')) - before).toBeLessThan(GROWTH)
    expect(await said(...(await connected(await peerAt(second), a, 'relay-only')), 'across')).toBe('across')
  })

  test('a node with another secret is believed by nobody, and a number that is used twice leaves others alone', {
    tags: ['long'],
  }, async () => {
    const port = await freePort()
    await startNats(port)
    const shared = ['--fleet', `nats://127.0.0.1:${port}`, '--fleet-secret', secretFile()]
    const first = startRelay([...shared, '--node', '1'])
    await first.stdout.line(/./)
    const second = startRelay([...shared, '--node', '2'])
    await Promise.all([first, second].map((each) => each.stderr.line(FLEET)))
    const stranger = startRelay([...shared.slice(0, -1), secretFile('other.secret'), '--node', '3'])
    const twin = startRelay([...shared, '--node', '2'])
    await Promise.all(
      [first, stranger].map((each) => expect.poll(() => dropped(each, 'fleetRefused').length, HEARD).toBe(1)),
    )
    await Promise.all([second, twin].map((each) => each.stderr.line(/another relay has the number of this one/)))
    const [a, b, c] = [await peerAt(first), await peerAt(second), await peerAt(stranger)]
    expect(await said(...(await connected(a, b, 'relay-only')), 'beside a twin')).toBe('beside a twin')
    await expect(connected(a, c)).rejects.toThrow()
    for (const relay of [second, twin])
      expect(relay.stderr.all.filter((line) => /another relay has the number/.test(line))).toHaveLength(1)
  })
})

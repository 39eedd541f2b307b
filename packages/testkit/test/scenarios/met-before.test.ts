/** docs/protocol.md, Where a peer was: what a dial sends to an address that it remembers. */
import { AcquaintancesInMemory, type DialPolicy, duration, type Instant } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import type { Endpoint } from '@showchain/wire'
import { expect, test } from 'vitest'
import { PAIRINGS, play } from '../../src/index.ts'
import { Lab } from './lab.ts'

const AWAY: Endpoint = { ip: '93.4.0.99', port: 4400 }

interface Told {
  readonly connected: boolean
  /** When each datagram to the address left, in ms after the dial. */
  readonly sent: readonly number[]
}

/** Alice knows that address of bob's, and dials him by his relay. */
async function dialRemembering(address: Endpoint, policy: DialPolicy, days = 0.5): Promise<Told> {
  const acquaintances = new AcquaintancesInMemory()
  const told: { connected: boolean; sent: number[] } = { connected: false, sent: [] }
  await Lab.run('met', {}, (lab) => {
    const relay = lab.relay()
    const endToEnd = nodeEndToEnd()
    const alice = lab.peer('alice', '81.2.0.1', { endToEnd, acquaintances })
    const bob = lab.peer('bob', '93.4.0.1', { endToEnd })
    lab.registered(relay, alice, bob)
    acquaintances.set(bob.id, {
      address: { endpoint: address, untilMs: lab.sim.clock.unixMs() + days * 24 * 3_600_000 },
    })
    alice.ledger.called(address)
    const since: Instant = lab.sim.clock.now()
    const dialled = alice.dial(bob.id, policy, { relays: [relay] })
    lab.advance(duration(60_000))
    told.connected = dialled.link !== undefined
    for (const entry of lab.sim.timeline.entries)
      if (entry.type === 'packet' && entry.at >= since && entry.packet.destination.ip === address.ip)
        told.sent.push(entry.at - since)
  })
  return told
}

test('a target that answers strangers is reached in two trips by its relay ticket', async () => {
  const trips = async (requester: string): Promise<number | undefined> => {
    const pairing = PAIRINGS.find((each) => each.requester === requester && each.target === 'T1')
    return pairing && (await play(pairing, 1)).opened
  }
  expect([await trips('T3'), await trips('T3, met before')]).toEqual([4, 2])
})

test('where somebody else is by now gets two requests at most, though the dial found its target', async () => {
  const { connected, sent } = await dialRemembering(AWAY, 'auto')
  expect(connected).toBe(true)
  expect(sent.length).toBeGreaterThan(0)
  expect(sent.length).toBeLessThanOrEqual(2)
})

test.each([
  ['a dial through relays only', AWAY, 'relay-only', 0.5],
  ['an address of a private network', { ip: '192.168.1.20', port: 4400 }, 'auto', 0.5],
  ['an address of a day ago', AWAY, 'auto', -0.1],
] as const)('nothing is sent for %s', async (_name, address, policy, days) => {
  expect(await dialRemembering(address, policy, days)).toEqual({ connected: true, sent: [] })
})

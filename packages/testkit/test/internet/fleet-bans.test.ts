/** Bans of a fleet: what is said at one node holds at all, whatever the bus does. */
import { type ConnectionHandle, duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimRelay } from '../../src/index.ts'

const SECOND = 1000
/** Registered peers are gone by then. */
const GONE = 11 * SECOND
const [ONE, OTHER, THIRD] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const
const NODES = 3

type Nodes = readonly [SimRelay, SimRelay, SimRelay]
const bansOf = (relay: SimRelay): readonly string[] => relay.machine.access.bans.list.map(({ who }) => who).sort()
const all = (relays: readonly SimRelay[]): readonly (readonly string[])[] => relays.map(bansOf)

describe('a ban', () => {
  test('ends a connection that is relayed by two nodes, wherever it is given', async () => {
    await Internet.run('banned', {}, async (internet) => {
      const { relays } = internet.fleet(NODES)
      internet.advance(duration(SECOND))
      const [first, second, third] = relays as Nodes
      const how = { behind: nat.T4(), endToEnd: opensslEndToEnd }
      const target = await internet.simPeer({ name: 'target', ...how, relays: [first] })
      const requester = await internet.simPeer({ name: 'requester', ...how, relays: [second] })
      const dialled = requester.dial(target.id, 'relay-only', { relays: requester.relays })
      internet.until(() => dialled.ended !== undefined)
      const ours = requester.open[0]?.id as ConnectionHandle
      requester.send(ours, Uint8Array.of(1))
      internet.until(() => target.arrived.length === 1)
      third.ban({ who: target.id })
      internet.advance(duration(GONE))
      expect(first.machine.stats().bindings).toBe(0)
      requester.send(ours, Uint8Array.of(2))
      internet.advance(duration(GONE))
      expect([target.arrived.length, first.machine.stats().bindings]).toEqual([1, 0])
      expect(first.machine.counters().accessRefused).toBeGreaterThan(0)
    })
  })

  test('comes to every node, also by a bus that loses half of what is said, and to one that starts later', async () => {
    await Internet.run('lossy', {}, async (internet) => {
      const { relays } = internet.fleet(NODES, { bus: { loss: 0.5 } })
      internet.advance(duration(20 * SECOND))
      const [first, second, third] = relays as Nodes
      first.ban({ who: ONE })
      second.ban({ who: OTHER })
      first.unban(ONE)
      internet.advance(duration(60 * SECOND))
      expect(all(relays)).toEqual([[OTHER], [OTHER], [OTHER]])
      await third.restart()
      internet.advance(duration(60.5 * SECOND))
      expect(bansOf(third)).toEqual([OTHER])
    })
  })

  test('that was given or taken back while the bus was split counts by when that was', async () => {
    await Internet.run('split', {}, async (internet) => {
      const { bus, relays } = internet.fleet(NODES)
      internet.advance(duration(SECOND))
      const [first, second] = relays as Nodes
      first.ban({ who: ONE })
      first.ban({ who: OTHER })
      internet.advance(duration(SECOND))
      bus.split([1], [2, 3])
      first.unban(ONE)
      second.ban({ who: THIRD })
      internet.advance(duration(SECOND))
      second.unban(OTHER)
      first.ban({ who: OTHER, until: 2 ** 50 })
      internet.advance(duration(SECOND))
      second.ban({ who: ONE })
      internet.advance(duration(30 * SECOND))
      expect(all(relays)).toEqual([[OTHER], [ONE, THIRD], [ONE, THIRD]])
      bus.heal()
      internet.advance(duration(30 * SECOND))
      const [one] = all(relays)
      expect(one).toEqual(expect.arrayContaining([ONE, THIRD]))
      expect(all(relays)).toEqual([one, one, one])
      const { received } = bus.carried
      internet.advance(duration(5 * SECOND))
      // Statuses alone: nobody tells all that it has for ever.
      expect(bus.carried.received - received).toBeLessThanOrEqual(NODES * (NODES - 1))
    })
  })
})

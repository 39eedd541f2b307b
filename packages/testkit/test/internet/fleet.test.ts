/** Relays that serve as one: whatever nodes the ends of a connection are at. */
import type { ConnectionHandle } from '@showchain/client/core'
import { duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { describe, expect, test } from 'vitest'
import { Internet, NAT_PAIRINGS, nat, play, type SimPeer, type SimRelay } from '../../src/index.ts'

const SECOND = 1000
const at = (relays: readonly SimRelay[], index: number): { relays: readonly SimRelay[] } => ({
  relays: [relays[index] as SimRelay],
})
const protectedBy = { endToEnd: opensslEndToEnd } as const

/** The requester asks its own node, as it does of every relay of one id. */
async function connect(internet: Internet, requester: SimPeer, target: SimPeer, via: 'auto' | 'relay-only' = 'auto') {
  const dialled = requester.dial(target.id, via, { relays: requester.relays })
  internet.until(() => dialled.ended !== undefined)
  return requester.open[0]
}

describe('two peers at different nodes', () => {
  test('are introduced, and meet directly', async () => {
    await Internet.run('introduced', {}, async (internet) => {
      const { relays } = internet.fleet(3)
      internet.advance(duration(SECOND))
      const target = await internet.simPeer({ name: 'target', behind: nat.T3(), ...protectedBy, ...at(relays, 0) })
      const requester = await internet.simPeer({
        name: 'requester',
        behind: nat.T3(),
        ...protectedBy,
        ...at(relays, 1),
      })
      await connect(internet, requester, target)
      internet.until(() => requester.open[0]?.path.kind === 'direct')
      expect(requester.open[0]?.path.kind).toBe('direct')
      const counted = relays[1]?.machine.counters()
      expect(counted?.punchConsented).toBe(1)
    })
  })

  test.each(['protected', 'plaintext'])('exchange data through their nodes (%s)', async (kind) => {
    await Internet.run('relayed', {}, async (internet) => {
      const { relays } = internet.fleet(3)
      internet.advance(duration(SECOND))
      const how = kind === 'protected' ? protectedBy : {}
      const target = await internet.simPeer({ name: 'target', behind: nat.T4(), ...how, ...at(relays, 0) })
      const requester = await internet.simPeer({ name: 'requester', behind: nat.T4(), ...how, ...at(relays, 1) })
      const ours = await connect(internet, requester, target, 'relay-only')
      expect(ours?.path.kind).toBe('relay')
      for (let count = 0; count < 20; count++) requester.send(ours?.id as ConnectionHandle, Uint8Array.of(count))
      internet.until(() => target.arrived.length === 20)
      target.send(target.open[0]?.id as ConnectionHandle, Uint8Array.of(1))
      internet.until(() => requester.arrived.length === 1)
      expect(target.arrived).toHaveLength(20)
    })
  })
})

describe('a pair of NATs with its ends at two nodes', () => {
  test.each(NAT_PAIRINGS.map((pairing) => [pairing.requester, pairing.target, pairing] as const))(
    '%s → %s: takes the path that it takes with one relay',
    { timeout: 30_000, tags: ['long'] },
    async (_requester, _target, pairing) => {
      const [one, two] = [await play(pairing, 1), await play(pairing, 1, { fleet: true })]
      const { connected, path, opened, firstByte } = one
      expect(two).toMatchObject({ connected, path, opened, firstByte })
      // Chance decides when two of many ports meet.
      if (pairing.best !== 'birthday') expect(two.direct).toBe(one.direct)
    },
  )
})

import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import type { SimPeer } from '../../src/index.ts'
import { expectExactlyOnce, flow, isOver } from './exchange.ts'
import { Lab, LINES, SEEDS } from './lab.ts'

const POLICIES = ['direct', 'punch', 'relay-only', 'auto'] as const

describe('two peers that dial each other at once', () => {
  const ways = POLICIES.flatMap((via) => SEEDS.map(([seeds, options]) => [via, seeds, options] as const))
  describe.each(ways)('by %s, with %i seeds', (via, seeds, options) => {
    test.each(LINES)('over %s have one connection that carries data both ways', options, async (name, conditions) => {
      for (let seed = 0; seed < seeds; seed++) {
        await Lab.run(`${via} ${seed}`, conditions, (lab) => {
          const { relay, alice, bob } = lab.pair()
          const dial = (from: SimPeer, to: SimPeer): ReturnType<SimPeer['dial']> =>
            from.dial(to.id, via, {
              relays: via === 'direct' ? [] : [relay],
              addresses: via === 'punch' || via === 'relay-only' ? [] : [to.endpoint],
            })
          const dials = [dial(alice, bob), dial(bob, alice)]
          lab.until(() => dials.every(({ ended }) => ended !== undefined))
          const [ours, theirs] = [alice.open[0], bob.open[0]]
          if (!name.includes('loss')) expect(dials.map(({ link }) => link)).toEqual([ours?.id, theirs?.id])
          for (const peer of [alice, bob]) expect(peer.open.length).toBeLessThanOrEqual(1)
          if (ours === undefined || theirs === undefined) return expect(name).toContain('loss')
          const how = { wanted: 10, pause: duration(10) }
          const flows = [flow(lab, alice, bob, () => ours.id, how), flow(lab, bob, alice, () => theirs.id, how)]
          lab.until(() => flows.every(isOver))
          const failed = flows.reduce((sum, each) => sum + expectExactlyOnce(each), 0)
          if (!name.includes('loss')) expect(failed).toBe(0)
        })
      }
    })
  })

  describe.each(POLICIES)('by %s', (via) => {
    test('who dials has consented: it works also when both let nobody in', async () => {
      await Lab.run(`consent ${via}`, {}, (lab) => {
        const nobody = { accept: () => false }
        const { relay, alice, bob } = lab.pair({ alice: nobody, bob: nobody })
        const dials = [alice, bob].map((from) => {
          const to = from === alice ? bob : alice
          return from.dial(to.id, via, {
            relays: via === 'direct' ? [] : [relay],
            addresses: via === 'direct' || via === 'auto' ? [to.endpoint] : [],
          })
        })
        lab.until(() => dials.every(({ ended }) => ended !== undefined))
        for (const { link } of dials) expect(link).toBeDefined()
        for (const peer of [alice, bob]) expect(peer.open).toHaveLength(1)
      })
    })
  })
})

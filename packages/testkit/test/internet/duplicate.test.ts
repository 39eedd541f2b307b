import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimPeer } from '../../src/index.ts'

const reports = (peer: SimPeer): number => peer.events.filter(({ event }) => event.type === 'duplicate').length

describe('one identity on two hosts', () => {
  test.each([
    [0, 1],
    [0.05, 4],
    [0.2, 15],
  ])('at a loss of %d is reported on both within %d minutes', async (loss, minutes) => {
    await Internet.run(`duplicate ${loss}`, { loss }, async (internet) => {
      await internet.relay()
      const identity = internet.sim.identity('alice')
      const first = await internet.simPeer({ name: 'first', behind: nat.T3(), identity })
      const second = internet.addSimPeer({ name: 'second', behind: nat.T3(), identity })
      internet.advance(duration(minutes * 60_000))
      expect([reports(first) > 0, reports(second) > 0]).toEqual([true, true])
    })
  })

  test('is not what a relay that restarts, a new address or a rebooted router looks like', async () => {
    await Internet.run('no duplicate', {}, async (internet) => {
      const relay = await internet.relay()
      const router = internet.router({ nat: nat.T4() })
      const peer = await internet.simPeer({ behind: router })
      for (const fault of [() => relay.restart(), () => router.reboot(), () => router.renumber('81.3.0.9')]) {
        await fault()
        internet.advance(duration(70_000))
      }
      expect(reports(peer)).toBe(0)
      expect(peer.isRegistered(relay)).toBe(true)
    })
  })
})

/** Peers and the relays that they are registered with: how soon each notices what became of them. */
import { duration, later } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimPeer } from '../../src/index.ts'

const SECOND = 1000

/** Virtual seconds until the condition holds. */
function secondsUntil(internet: Internet, holds: () => boolean): number {
  const { clock } = internet.sim
  const began = clock.now()
  internet.until(holds, duration(120 * SECOND))
  return (clock.now() - began) / SECOND
}

const states = (peer: SimPeer): readonly string[] =>
  peer.events.flatMap(({ event }) => (event.type === 'relay' ? [event.state] : []))

describe('a listener that nobody talks to', () => {
  test('notices within 19 s that its relay is gone, and within 3 s that it is back', async () => {
    await Internet.run('relay gone', {}, async (internet) => {
      const relay = await internet.relay()
      const peer = await internet.simPeer({ behind: nat.T3() })
      internet.advance(duration(47 * SECOND))
      for (const minutes of [0.1, 0.9]) {
        await relay.kill()
        expect(secondsUntil(internet, () => !peer.isRegistered(relay))).toBeLessThanOrEqual(19.5)
        internet.advance(duration(minutes * 60 * SECOND))
        relay.start()
        expect(secondsUntil(internet, () => peer.isRegistered(relay))).toBeLessThanOrEqual(3)
        internet.advance(duration(20 * SECOND))
      }
    })
  })

  test('registers again within 16 s of a restart that it did not see', async () => {
    await Internet.run('relay restarts', {}, async (internet) => {
      const relay = await internet.relay()
      const peer = await internet.simPeer({ behind: nat.T3() })
      internet.advance(duration(40 * SECOND))
      await relay.restart()
      const lost = (): boolean => states(peer).includes('lost')
      expect(secondsUntil(internet, lost)).toBeLessThanOrEqual(16)
      expect(peer.isRegistered(relay)).toBe(true)
    })
  })
})

describe('a relayed connection', () => {
  test('whose end gets another public address tells it to its relay within a second, without a keep-alive', async () => {
    await Internet.run('renumbered', {}, async (internet) => {
      const relay = await internet.relay()
      const router = internet.router({ nat: nat.T4() })
      const alice = await internet.simPeer({ name: 'alice', behind: router, endToEnd: opensslEndToEnd })
      const bob = await internet.simPeer({ name: 'bob', behind: nat.T4(), endToEnd: opensslEndToEnd })
      const ours = await alice.connect(bob)
      internet.advance(duration(30 * SECOND))
      const before = alice.events.length
      router.renumber('81.3.0.9')
      const moved = (): boolean =>
        alice.events
          .slice(before)
          .some(({ event }) => event.type === 'relay' && 'observed' in event && event.observed?.ip === '81.3.0.9')
      const { clock } = internet.sim
      const talk = (): void => {
        if (ours.closed === undefined) alice.send(ours.id, Uint8Array.of(7))
        if (!moved()) clock.schedule(later(clock.now(), duration(100)), talk)
      }
      talk()
      expect(secondsUntil(internet, moved)).toBeLessThanOrEqual(1)
      internet.advance(duration(SECOND))
      expect(alice.isRegistered(relay)).toBe(true)
    })
  })
})

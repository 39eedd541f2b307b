/** Peers and the relays that they are registered with: how soon each notices what became of them. */
import { duration, later } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { encode, OP, WIRE_ERROR } from '@showchain/wire'
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

describe('a relay that drains', () => {
  const silence = duration(200)

  test('is left for another one while it still carries what is under way', async () => {
    await Internet.run('drained', {}, async (internet) => {
      const [first, second] = [await internet.relay(), await internet.relay()]
      const options = { behind: nat.T4(), endToEnd: opensslEndToEnd, policy: 'relay-only' } as const
      const alice = await internet.simPeer({ name: 'alice', ...options })
      const bob = await internet.simPeer({ name: 'bob', ...options, behind: nat.T4() })
      const ours = await alice.connect(bob)
      const usedRelay = (): string | undefined => (ours.path.kind === 'relay' ? ours.path.relay : undefined)
      const [used, other] = usedRelay() === first.identity.id ? [first, second] : [second, first]
      const arrivals: number[] = []
      const { clock } = internet.sim
      let talks = true
      const talk = (): void => {
        alice.send(ours.id, Uint8Array.of(7))
        if (talks) clock.schedule(later(clock.now(), duration(50)), talk)
      }
      talk()
      internet.advance(duration(2 * SECOND))
      const before = clock.now()
      used.drain()
      const drained = (): boolean => used.events.some(({ type }) => type === 'drained')
      expect(secondsUntil(internet, drained)).toBeLessThanOrEqual(4)
      expect(usedRelay()).toBe(other.identity.id)
      await used.kill()
      internet.advance(duration(10 * SECOND))
      talks = false
      internet.advance(duration(SECOND))
      arrivals.push(...bob.arrived.flatMap(({ at }) => (at > before ? [at] : [])))
      const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] as number))
      expect(Math.max(...gaps)).toBeLessThanOrEqual(silence)
      expect(states(alice)).toContain('draining')
      expect(ours.closed).toBeUndefined()
    })
  })

  test('is kept where there is no other, and registered with again when it is back', async () => {
    await Internet.run('drained alone', {}, async (internet) => {
      const relay = await internet.relay()
      const options = { endToEnd: opensslEndToEnd, policy: 'relay-only' } as const
      const alice = await internet.simPeer({ name: 'alice', behind: nat.T4(), ...options })
      const bob = await internet.simPeer({ name: 'bob', behind: nat.T4(), ...options })
      const ours = await alice.connect(bob)
      relay.drain()
      internet.advance(duration(3 * SECOND))
      expect(states(alice)).toEqual(['registered', 'draining'])
      expect(ours.path.kind).toBe('relay')
      await relay.restart()
      const back = (): boolean =>
        [alice, bob].every((peer) => peer.isRegistered(relay) && states(peer).at(-1) === 'registered')
      expect(secondsUntil(internet, back)).toBeLessThanOrEqual(19)
      const before = bob.arrived.length
      internet.advance(duration(3 * SECOND))
      alice.send(ours.id, Uint8Array.of(7))
      internet.advance(duration(3 * SECOND))
      expect(bob.arrived.length).toBe(before + 1)
    })
  })

  test('that somebody else announces is asked, and goes on being used', async () => {
    await Internet.run('not drained', {}, async (internet) => {
      const relay = await internet.relay()
      const peer = await internet.simPeer({ name: 'peer' })
      internet.advance(duration(10 * SECOND))
      const bytes = encode(
        { op_code: OP.error, code: WIRE_ERROR.draining, ref_op: OP.keepAlive, seq: 0, ts: 0 },
        'binary',
      )
      const asked = relay.machine.counters().registered
      for (let count = 0; count < 50; count++) {
        peer.machine.receive({ bytes, source: relay.endpoint }, internet.sim.clock.now())
        internet.advance(duration(100))
      }
      const again = relay.machine.counters().registered - asked
      expect(again).toBeGreaterThan(0)
      expect(again).toBeLessThanOrEqual(3)
      expect(states(peer)).toEqual(['registered'])
    })
  })
})

/**
 * Two ends that speak only the seed have no data on a direct path: what they send waits for a relay
 * that carries it.
 */
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { Internet, type SimPeer, type SimRelay } from '../../src/index.ts'

const BYTES = Uint8Array.of(1, 2, 3)

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly a: SimPeer
  readonly b: SimPeer
}

/** Both are reachable at their own addresses, and the relay is far away. */
const run = (name: string, scenario: (scene: Scene) => Promise<void>): Promise<unknown> =>
  Internet.run(`seed data ${name}`, { latency: duration(5) }, async (internet) => {
    const keys = ['a', 'b'].map((each) => internet.sim.identity(each).publicKey)
    const relay = await internet.relay({ knownKeys: keys })
    const place = { seedMode: true, knownKeys: [...keys, relay.identity.publicKey] }
    const [a, b] = [await internet.simPeer({ name: 'a', ...place }), await internet.simPeer({ name: 'b', ...place })]
    for (const { host } of [a, b]) internet.sim.network.between(host, relay.host, { latency: duration(200) })
    await scenario({ internet, relay, a, b })
  })

describe('a message on a direct path of the seed', () => {
  test('waits for the relay, which carries it', () =>
    run('waits', async ({ internet, a, b }) => {
      const link = await a.connect(b, 'auto')
      expect(link.path.kind).toBe('direct')
      const there = a.send(link.id, BYTES)
      internet.advance(duration(100))
      expect([there.ended, b.arrived.length]).toEqual([undefined, 0])
      internet.advance(duration(3000))
      expect([there.failure, b.arrived.map(({ bytes }) => [...bytes])]).toEqual([undefined, [[...BYTES]]])
      expect(there.ended).toBeDefined()
    }))

  test('waits at the end that was dialled too', () =>
    run('waits there', async ({ internet, a, b }) => {
      await a.connect(b, 'auto')
      internet.until(() => b.open.length > 0)
      const back = b.send(b.open[0]?.id as number, BYTES)
      internet.advance(duration(3000))
      expect([back.failure, a.arrived.length]).toEqual([undefined, 1])
    }))

  test('waits no longer than a request does, where no relay answers', () =>
    run('no relay', async ({ internet, relay, a, b }) => {
      const link = await a.connect(b, 'auto')
      await relay.kill()
      const there = a.send(link.id, BYTES)
      internet.advance(duration(11_000))
      expect(there.ended).toBeUndefined()
      internet.advance(duration(1000))
      expect(there.failure?.code).toBe('ERR_NO_DATA_PATH')
    }))

  test('fails at once, where no relay may carry it', () =>
    run('direct only', async ({ a, b }) => {
      const link = await a.connect(b, 'direct-only')
      expect(a.send(link.id, BYTES).failure?.code).toBe('ERR_NO_DATA_PATH')
    }))
})

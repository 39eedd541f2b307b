import { KEEP_ALIVE_INTERVAL } from '@showchain/client/core'
import { OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Lab, LINES } from './lab.ts'

const SEEDS = 50
const TEN_MINUTES = 600_000

describe('registration and keep-alive', () => {
  test('a pair that idles for ten minutes costs 164 packets, and that is all', async () => {
    await Lab.run('idle', {}, (lab) => {
      const relay = lab.relay()
      const [alice, bob] = [lab.peer('alice', '81.2.0.1'), lab.peer('bob', '93.4.0.1')]
      for (const peer of [alice, bob]) peer.register(relay)
      lab.advance(TEN_MINUTES)
      // Each registers within 40 ms by request, challenge, request, response, and is kept alive
      // from then on.
      const keptAlive = Math.floor((TEN_MINUTES - 40) / KEEP_ALIVE_INTERVAL)
      expect(keptAlive).toBe(39)
      expect(lab.sightings(OP.directRequest, OP.challenge, OP.directResponse)).toHaveLength(2 * 4)
      expect(lab.sightings(OP.keepAlive)).toHaveLength(2 * 2 * keptAlive)
      expect(lab.sightings()).toHaveLength(164)
      for (const peer of [alice, bob]) expect(peer.relayStates).toEqual(['registered'])
      expect(relay.bound).toMatchObject([
        { id: alice.id, at: alice.endpoint, moved: false },
        { id: bob.id, at: bob.endpoint, moved: false },
      ])
    })
  })

  test.each(LINES)(
    'over %s every peer gets registered and can be reached ten minutes later',
    async (_name, conditions) => {
      for (let seed = 0; seed < SEEDS; seed++) {
        await Lab.run(seed, conditions, (lab) => {
          const { alice, bob } = lab.pair()
          lab.advance(TEN_MINUTES)
          // Three lost keep-alives in a row lose a registration on a bad line; it is there again
          // soon.
          lab.until(() => [alice, bob].every((peer) => peer.relayStates.at(-1) === 'registered'))
        })
      }
    },
  )
})

/** Early data: its trips (docs/protocol.md, How many trips), and one connection in the end. */
import { expect, test } from 'vitest'
import { PAIRINGS, play } from '../../src/index.ts'

test('early data needs one way through the relay, and one trip to a public address', async () => {
  const trips = new Map<string, number | undefined>()
  for (const pairing of PAIRINGS.filter(({ met }) => met === 'early'))
    trips.set(pairing.target, (await play(pairing, 1)).firstByte)
  expect(Object.fromEntries(trips)).toEqual({ T3: 2, T4: 2, public: 1 })
})

// The requests of these came late: to a target that had begun a handshake without them.
test.each([3, 139, 149, 187, 261, 392])(
  'early data beside a handshake leaves both ends one connection: seed %i',
  async (seed) => {
    const [pairing] = PAIRINGS.filter(({ met, target }) => met === 'early' && target === 'T3')
    if (pairing === undefined) throw new Error('no pairing')
    expect(await play(pairing, seed, { loss: 0.2, plaintext: false })).toMatchObject({
      connected: true,
      path: 'direct',
    })
  },
)

/** docs/protocol.md, How many trips: early data. */
import { expect, test } from 'vitest'
import { PAIRINGS, play } from '../../src/index.ts'

test('early data needs one way through the relay, and one trip to a public address', async () => {
  const trips = new Map<string, number | undefined>()
  for (const pairing of PAIRINGS.filter(({ early }) => early === true))
    trips.set(pairing.target, (await play(pairing, 1)).firstByte)
  expect(Object.fromEntries(trips)).toEqual({ T3: 2, T4: 2, public: 1 })
})

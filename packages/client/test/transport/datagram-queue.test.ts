/** RFC 9221: datagrams are sent once each, and may be lost. */
import { expect, test } from 'vitest'
import { DATAGRAM_QUEUE } from '../../src/core/transport/limits.ts'
import { CUBIC, Pair, type PathShape } from './pair.ts'
import { SECONDS } from './traffic.ts'

const LAN: PathShape = { delay: 5 }

test('datagrams arrive at most once, and lost ones are not sent again', () => {
  const pair = new Pair(CUBIC, { ...LAN, loss: 0.2 }, { seed: 3 })
  let left = 0
  for (let index = 0; index < 200; index++)
    pair.a.transport.datagrams.push(new Uint8Array(900).fill(index), () => left++)
  pair.run(20 * SECONDS)
  const seen = pair.b.datagrams.map(([value]) => value)
  expect(left).toBe(200)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.length).toBeGreaterThan(100)
  expect(seen.length).toBeLessThan(200)
})

test('each datagram that has not left by the end of the connection is reported once', () => {
  const pair = new Pair(CUBIC, LAN)
  const ends: boolean[] = []
  for (let index = 0; index < 50; index++)
    pair.a.transport.datagrams.push(new Uint8Array(1000), (sent) => ends.push(sent))
  pair.a.pump(pair.now)
  const left = ends.length
  expect(left).toBeGreaterThan(0)
  pair.a.transport.datagrams.abandon(pair.now)
  pair.a.transport.datagrams.abandon(pair.now)
  expect(ends).toEqual(Array.from({ length: 50 }, (_, index) => index < left))
})

test('a datagram is refused when 256 wait', () => {
  const pair = new Pair(CUBIC, LAN)
  const taken = Array.from({ length: DATAGRAM_QUEUE + 1 }, () =>
    pair.a.transport.datagrams.push(new Uint8Array(10), () => {}),
  )
  expect(taken.filter((each) => !each).length).toBe(1)
  expect(taken.at(-1)).toBe(false)
})

/** A transport as a whole: when it sends, and what its last records are. */
import { instant } from '@showchain/client/core'
import { expect, test } from 'vitest'
import type { Acks } from '../../src/core/transport/recovery/path-traits.ts'
import { BBR, CUBIC, Pair, type PathShape, TRAITS } from './pair.ts'
import { open, SECONDS, send } from './traffic.ts'

const LAN: PathShape = { delay: 5 }

test('CONNECTION_CLOSE is sent three times, and arrives though two of them are lost', () => {
  const pair = new Pair(CUBIC, LAN)
  pair.a.transport.close({ code: 0, reason: 'enough' })
  pair.a.pump(pair.now)
  expect(pair.a.flights).toHaveLength(3)
  pair.a.flights.splice(0, 2)
  pair.run(SECONDS)
  expect(pair.b.closedBy).toEqual({ code: 0, reason: 'enough' })
  expect([pair.a.sentSizes.length, pair.b.sentSizes.length]).toEqual([3, 0])
})

test('probes without an answer are sent less and less often, and their number is reported', () => {
  const pair = new Pair(CUBIC, { delay: 5, loss: 1 })
  const id = open(pair)
  pair.a.transport.streams.write(id, Uint8Array.of(1))
  pair.run(20 * SECONDS)
  expect(pair.a.probeTimeouts).toBeGreaterThanOrEqual(4)
  expect(pair.a.sentSizes.length).toBeLessThan(20)
})

test('an idle connection sends nothing', () => {
  const pair = new Pair(CUBIC, LAN)
  const id = open(pair)
  send(pair, id, 1000)
  pair.run(SECONDS)
  const before = pair.a.sentSizes.length + pair.b.sentSizes.length
  pair.run(600 * SECONDS)
  expect(pair.a.sentSizes.length + pair.b.sentSizes.length).toBe(before)
})

test('a bulk transfer needs few acknowledgements', () => {
  const pair = new Pair(CUBIC, { delay: 10, rate: 1e8, queue: 250_000 })
  send(pair, open(pair), 3_000_000)
  pair.run(60 * SECONDS, () => pair.b.ended.size === 1)
  expect(pair.b.sentSizes.length).toBeLessThan(pair.a.sentSizes.length / 4)
})

test('acknowledgements are gathered where each costs a signature, and nothing is sent twice for that', () => {
  const run = (acks: Acks, loss = 0): [number, number] => {
    const pair = new Pair(
      CUBIC,
      { delay: 10, rate: 2e6, queue: 250_000, loss },
      { traits: { ...TRAITS, acks }, seed: 4 },
    )
    send(pair, open(pair), 300_000)
    pair.run(120 * SECONDS, () => pair.b.ended.size === 1)
    expect([...pair.b.received.values()]).toEqual([300_000])
    return [pair.b.sentSizes.length, pair.a.transport.statistics.lost]
  }
  const [prompt, gathered] = [run('prompt'), run('gathered')]
  expect(gathered[0]).toBeLessThan(prompt[0] / 4)
  expect([prompt[1], gathered[1]]).toEqual([0, 0])
  expect(run('gathered', 0.05)[0]).toBeLessThan(run('prompt', 0.05)[0] / 4)
})

test('the same seed gives the same run', () => {
  const runs = [1, 2].map(() => {
    const pair = new Pair(BBR, { delay: 20, rate: 10e6, queue: 50_000, loss: 0.05, reorder: 0.1 }, { seed: 11 })
    send(pair, open(pair), 500_000)
    pair.run(60 * SECONDS, () => pair.b.ended.size === 1)
    return [pair.now, pair.a.sentSizes.length, pair.b.sentSizes.length]
  })
  expect(runs[0]).toEqual(runs[1])
  expect(runs[0]?.[0]).toBeLessThan(instant(60 * SECONDS))
})

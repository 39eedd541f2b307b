/** Forwarded bytes over time. */
import type { RelayTraffic } from '@showchain/server/runtime'
import { expect, test } from 'vitest'
import { HISTORY_STEP, History } from '../src/history.ts'

const START = 1_800_000_000
const traffic = (channel: number, data = 0, control = 0): RelayTraffic => ({
  in: { channel, data, control, stun: 0, other: 0 },
  out: { channel: 2 * channel, data, control, stun: 0, other: 0 },
})

test('a step has the rate of what was forwarded in it, and of nothing else', () => {
  const history = new History(traffic(1000), START)
  history.step(traffic(2000, 500, 99_999), START + HISTORY_STEP)
  history.step(traffic(2000, 500, 99_999), START + 2 * HISTORY_STEP)
  expect(history.shown()).toEqual({ stepSeconds: HISTORY_STEP, endsAt: START + 20, in: [150, 0], out: [250, 0] })
})

test('a step that came late has its own length, and a clock that was set back does no harm', () => {
  const history = new History(traffic(0), START)
  history.step(traffic(1000), START + 2 * HISTORY_STEP)
  history.step(traffic(2000), START)
  expect(history.shown().in).toEqual([50, 100])
})

test('an hour is kept', () => {
  const history = new History(traffic(0), START)
  for (let step = 1; step <= 400; step++) history.step(traffic(step * 10), START + step * HISTORY_STEP)
  expect(history.shown().in).toHaveLength(3600 / HISTORY_STEP)
})

/** RFC 9002 §7.7: packets leave at the pacing rate, in bursts of bounded size. */
import { expect, test } from 'vitest'
import { type Instant, instant } from '../../../src/core/index.ts'
import { Pacer } from '../../../src/core/transport/recovery/pacer.ts'

const PACKET = 1000
/** Bytes per millisecond. */
const RATE = 100

/** Sends as the pacer allows, until a time. @returns when each packet left */
function sendUntil(pacer: Pacer, until: number, from: Instant = instant(0)): readonly number[] {
  const left: number[] = []
  for (let now = from; now < until; ) {
    const ready = pacer.readyAt(PACKET, RATE, now)
    if (ready > now) now = ready
    else {
      pacer.sent(PACKET)
      left.push(now)
    }
  }
  return left
}

test('ten packets leave at once, and then one whenever the rate has earned it', () => {
  const left = sendUntil(new Pacer(PACKET), 100)
  expect(left.filter((at) => at === 0)).toHaveLength(10)
  const gaps = left.slice(10).map((at, index) => at - (left[index + 9] as number))
  for (const gap of gaps.slice(1)) expect(gap).toBeCloseTo(PACKET / RATE, 3)
})

test('a pause earns no more than one burst', () => {
  const pacer = new Pacer(PACKET)
  sendUntil(pacer, 50)
  const left = sendUntil(pacer, 10_000.5, instant(10_000))
  expect(left).toHaveLength(10)
})

test('at a high rate a burst is what the rate gives in five milliseconds', () => {
  const pacer = new Pacer(PACKET)
  const rate = 10_000
  pacer.readyAt(PACKET, rate, instant(0))
  pacer.readyAt(PACKET, rate, instant(1000))
  let burst = 0
  for (; pacer.readyAt(PACKET, rate, instant(1000)) === 1000; burst++) pacer.sent(PACKET)
  expect(burst).toBe((rate * 5) / PACKET)
})

test('without a rate nothing waits', () => {
  const pacer = new Pacer(PACKET)
  for (let sent = 0; sent < 1000; sent++) pacer.sent(PACKET)
  expect(pacer.readyAt(PACKET, undefined, instant(7))).toBe(7)
})

/** draft-ietf-ccwg-bbr §4.1: the rate at which a path delivers. */
import { expect, test } from 'vitest'
import { instant } from '../../../src/core/index.ts'
import { DeliveryRate, type DeliverySnapshot } from '../../../src/core/transport/recovery/delivery-rate.ts'

const RTT = 40

/** What a packet that leaves now remembers of the sampler. */
const snapshot = (rate: DeliveryRate, now: number): DeliverySnapshot => ({
  sentAt: instant(now),
  delivered: rate.delivered,
  deliveredAt: rate.deliveredAt(instant(now)),
  firstSentAt: rate.firstSentAt(instant(now)),
})

function started(): DeliveryRate {
  const rate = new DeliveryRate()
  rate.restart(instant(0))
  return rate
}

test('a flight of which all is acknowledged after a round trip was delivered in that time', () => {
  const rate = started()
  const packet = snapshot(rate, 0)
  expect(rate.sample(4000, packet, RTT, instant(RTT))).toBe(4000 / RTT)
  expect(rate.delivered).toBe(4000)
})

test('the longer of the times for sending and for acknowledging counts, so that neither a burst nor its ACKs exaggerate', () => {
  const slowSender = started()
  slowSender.sample(1000, snapshot(slowSender, 0), RTT, instant(50))
  const second = snapshot(slowSender, 100)
  // 100 ms after the first packet was sent, and 90 after that one was acknowledged.
  expect(slowSender.sample(4000, second, RTT, instant(140))).toBe(4000 / 100)
  const slowAcks = started()
  const packet = snapshot(slowAcks, 0)
  expect(slowAcks.sample(4000, packet, RTT, instant(200))).toBe(4000 / 200)
})

test('a sample over less than the shortest round trip is none', () => {
  const rate = started()
  const packet = snapshot(rate, 0)
  expect(rate.sample(4000, packet, RTT, instant(RTT - 1))).toBeUndefined()
})

test('an application-limited phase ends when what was in flight then is delivered, and more', () => {
  const rate = started()
  rate.limitedByApplication(3000)
  expect(rate.appLimited).toBe(true)
  rate.sample(3000, snapshot(rate, 0), RTT, instant(RTT))
  expect(rate.appLimited).toBe(true)
  rate.sample(1, snapshot(rate, RTT), RTT, instant(2 * RTT))
  expect(rate.appLimited).toBe(false)
})

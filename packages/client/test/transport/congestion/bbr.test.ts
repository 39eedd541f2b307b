/** draft-ietf-ccwg-bbr: what is sent follows what is delivered, and the shortest round trip. */
import { describe, expect, test } from 'vitest'
import { Bbr } from '../../../src/core/transport/congestion/bbr.ts'
import { PACKET, Rounds } from './rounds.ts'

/** A path of 10 Mbit/s and 40 ms: 1,250 bytes a ms, 50,000 bytes of bandwidth-delay product. */
const RATE = 1250
const RTT = 40
const BDP = RATE * RTT
/** A little below the estimate, so that queues drain. */
const MARGIN = 0.99
const STARTUP_GAIN = 4 * Math.log(2)

/** At this rate and with this much in flight, for so many round trips. */
function play(rounds: Rounds, times: number, { rate = RATE, inFlight = BDP, rtt = RTT } = {}): void {
  for (let round = 0; round < times; round++) rounds.round({ rtt, rate, inFlightBefore: inFlight, inFlight })
}

/** The pipe was found full and drained: it probes for bandwidth. */
function steady(): Rounds {
  const rounds = new Rounds(new Bbr(PACKET))
  play(rounds, 6)
  return rounds
}

/** Pacing rates of so many round trips, as shares of the path's rate. */
function gains(rounds: Rounds, times: number, inFlight = 1.25 * BDP): readonly number[] {
  return Array.from({ length: times }, () => {
    const rate = rounds.congestion.pacingRate ?? 0
    // A little more than the shortest round trip, which is how long a phase lasts.
    rounds.round({ rtt: RTT + 1, rate: RATE, inFlightBefore: inFlight, inFlight })
    return Math.round((rate / RATE / MARGIN) * 100) / 100
  })
}

describe('startup', () => {
  test('begins with ten packets, paced as soon as a round trip is known', () => {
    const bbr = new Bbr(PACKET)
    expect([bbr.window, bbr.pacingRate]).toEqual([10 * PACKET, undefined])
  })

  test('sends at 2.77 times what was delivered, so that the rate can double in each round', () => {
    const rounds = new Rounds(new Bbr(PACKET))
    rounds.round({ rtt: RTT })
    const delivered = (10 * PACKET) / RTT
    expect((rounds.congestion.pacingRate ?? 0) / delivered / MARGIN).toBeCloseTo(STARTUP_GAIN, 2)
    expect(rounds.congestion.window).toBe(20 * PACKET)
  })

  test('is over when three rounds bring less than a quarter more: it drains at half the rate', () => {
    const rounds = new Rounds(new Bbr(PACKET))
    const over = 3 * BDP
    play(rounds, 3, { inFlight: over })
    expect((rounds.congestion.pacingRate ?? 0) / RATE / MARGIN).toBeCloseTo(STARTUP_GAIN, 2)
    play(rounds, 1, { inFlight: over })
    expect((rounds.congestion.pacingRate ?? 0) / RATE / MARGIN).toBeCloseTo(0.5, 10)
    // Until no more is in flight than the path holds.
    play(rounds, 1, { inFlight: BDP })
    expect((rounds.congestion.pacingRate ?? 0) / RATE / MARGIN).toBeCloseTo(1, 10)
  })

  test('goes on while rounds bring a quarter more, or while the application has little to send', () => {
    const growing = new Rounds(new Bbr(PACKET))
    for (let round = 0; round < 10; round++) play(growing, 1, { rate: RATE * 1.25 ** round, inFlight: 3 * BDP })
    const idle = new Rounds(new Bbr(PACKET))
    for (let round = 0; round < 10; round++) idle.round({ rtt: RTT, rate: 100, appLimited: true })
    expect((growing.congestion.pacingRate ?? 0) / (RATE * 1.25 ** 9) / MARGIN).toBeCloseTo(STARTUP_GAIN, 2)
    expect((idle.congestion.pacingRate ?? 0) / 100 / MARGIN).toBeCloseTo(STARTUP_GAIN, 2)
  })
})

describe('the steady state', () => {
  test('probes for more in one of eight phases, and drains in the next', () => {
    const rounds = steady()
    const seen = gains(rounds, 16)
    const start = seen.indexOf(1.25)
    expect(seen.slice(start, start + 8)).toEqual([1.25, 0.75, 1, 1, 1, 1, 1, 1])
    expect(seen.filter((gain) => gain === 1.25)).toHaveLength(2)
  })

  test('holds its rate and its window when packets are lost: on a radio link they are lost at random', () => {
    const rounds = steady()
    const { window, pacingRate } = rounds.congestion
    for (let times = 0; times < 50; times++) rounds.lose()
    expect([rounds.congestion.window, rounds.congestion.pacingRate]).toEqual([window, pacingRate])
  })

  test('has at most two bandwidth-delay products in flight, beside what acknowledgements gather', () => {
    const rounds = steady()
    play(rounds, 30)
    // One round trip at a time is acknowledged here.
    expect(rounds.congestion.window).toBeLessThanOrEqual(2 * BDP + BDP + 3 * PACKET)
    expect(rounds.congestion.window).toBeGreaterThan(2 * BDP)
  })

  test('takes up a higher rate at once, and forgets one that was not seen for ten rounds', () => {
    const rounds = steady()
    const rate = (): number => Math.max(...gains(rounds, 8))
    play(rounds, 1, { rate: 2 * RATE })
    expect(rate()).toBeGreaterThanOrEqual(2)
    play(rounds, 4)
    expect(rate()).toBeLessThanOrEqual(1.25)
  })

  test('does not take a slow application for a slow path', () => {
    const rounds = steady()
    for (let round = 0; round < 30; round++) rounds.round({ rtt: RTT, rate: 10, appLimited: true, inFlight: BDP })
    expect(rounds.congestion.pacingRate ?? 0).toBeGreaterThanOrEqual(0.75 * RATE * MARGIN)
  })

  test('begins again with four packets after persistent congestion', () => {
    const rounds = steady()
    expect(rounds.lose({ persistent: true })).toBe(4 * PACKET)
    expect((rounds.congestion.pacingRate ?? 0) / RATE / MARGIN).toBeCloseTo(STARTUP_GAIN, 2)
  })
})

describe('the shortest round trip', () => {
  test('that was not seen for ten seconds is looked for: half a bandwidth-delay product is in flight for 200 ms', () => {
    const rounds = steady()
    // Its own queue hides it.
    play(rounds, 50, { rtt: RTT + 5 })
    const { window } = rounds.congestion
    const hidden = rounds.now
    for (let round = 0; round < 300 && rounds.congestion.window === window; round++) play(rounds, 1, { rtt: RTT + 5 })
    expect(rounds.now - hidden).toBeLessThan(10_000)
    const probing = rounds.congestion.window
    const began = rounds.now
    expect(probing).toBeLessThanOrEqual((RATE * (RTT + 5)) / 2)
    // Once no more than that is in flight.
    for (let round = 0; round < 20 && rounds.congestion.window === probing; round++)
      play(rounds, 1, { rtt: RTT + 5, inFlight: probing })
    expect(rounds.now - began).toBeGreaterThanOrEqual(200)
    expect(rounds.now - began).toBeLessThan(200 + 4 * (RTT + 5))
    expect(rounds.congestion.window).toBeGreaterThanOrEqual(window)
  })

  test('is not looked for after a pause: the first flight, which the application limits, measures it', () => {
    const rounds = new Rounds(new Bbr(PACKET))
    rounds.round({ rtt: RTT, rate: 1 })
    rounds.pause(30_000)
    const { window } = rounds.congestion
    expect(rounds.round({ rtt: RTT, appLimited: true })).toBeGreaterThan(window)
  })

  test('does not end startup: rates while it is looked for are low because of the small window', () => {
    const rounds = new Rounds(new Bbr(PACKET))
    play(rounds, 1)
    rounds.pause(30_000)
    play(rounds, 7, { rate: RATE / 10, inFlight: 4 * PACKET })
    expect((rounds.congestion.pacingRate ?? 0) / RATE / MARGIN).toBeCloseTo(STARTUP_GAIN, 2)
  })

  test('that is seen again and again is not looked for', () => {
    const rounds = steady()
    play(rounds, 30)
    const { window } = rounds.congestion
    for (let round = 0; round < 500; round++) {
      play(rounds, 1)
      expect(rounds.congestion.window).toBeGreaterThanOrEqual(0.99 * window)
    }
  })
})

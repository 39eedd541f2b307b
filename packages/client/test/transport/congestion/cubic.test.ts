/** RFC 9438, RFC 9406 and RFC 9002 §7: windows in full packets of 1,200 bytes. */
import { describe, expect, test } from 'vitest'
import { Cubic } from '../../../src/core/transport/congestion/cubic.ts'
import { PACKET, Rounds } from './rounds.ts'

const packets = (window: number): number => window / PACKET

/** Out of slow start: with this window, in packets, right after a loss. */
function reducedFrom(windowMax: number): Rounds {
  const rounds = new Rounds(new Cubic(PACKET))
  while (packets(rounds.congestion.window) < windowMax) {
    const rest = windowMax * PACKET - rounds.congestion.window
    rounds.round({ rtt: 100, rate: Math.min(rest, rounds.congestion.window) / 100 })
  }
  rounds.lose()
  return rounds
}

describe('slow start', () => {
  test('begins with ten packets and doubles with each round trip', () => {
    const rounds = new Rounds(new Cubic(PACKET))
    expect(packets(rounds.congestion.window)).toBe(10)
    expect(packets(rounds.round({ rtt: 50 }))).toBe(20)
    expect(packets(rounds.round({ rtt: 50 }))).toBe(40)
  })

  test('leaves a window as it is of which less than half was used', () => {
    const rounds = new Rounds(new Cubic(PACKET))
    expect(packets(rounds.round({ rtt: 50, rate: 100, inFlightBefore: 4.9 * PACKET }))).toBe(10)
    expect(packets(rounds.round({ rtt: 50, rate: 120, inFlightBefore: 5 * PACKET }))).toBe(15)
  })

  test('slows down when round trips grow, and ends five rounds later: nothing has to be lost', () => {
    const rounds = new Rounds(new Cubic(PACKET))
    const growth = (rtt: number): number => {
      const before = rounds.congestion.window
      return rounds.round({ rtt, acks: 16 }) / before
    }
    expect([growth(40), growth(40)]).toEqual([2, 2])
    // 40 ms and an eighth of it more (RFC 9406 §4.3); noticed with the eighth sample of the round.
    expect(growth(45)).toBeLessThan(2)
    for (let round = 0; round < 4; round++) expect(growth(45)).toBeCloseTo(1.25, 10)
    // It ends with the first acknowledgement of the next round: congestion avoidance, in which
    // little is added.
    growth(45)
    expect(growth(45)).toBeLessThan(1.05)
  })

  test('goes on when the round trips are short again', () => {
    const rounds = new Rounds(new Cubic(PACKET))
    rounds.round({ rtt: 40, acks: 16 })
    rounds.round({ rtt: 50, acks: 16 })
    rounds.round({ rtt: 40, acks: 16 })
    const before = rounds.congestion.window
    expect(rounds.round({ rtt: 40, acks: 16 }) / before).toBe(2)
  })
})

describe('a loss', () => {
  test('takes three tenths of the window, once for each flight', () => {
    const rounds = reducedFrom(100)
    expect(packets(rounds.congestion.window)).toBeCloseTo(70, 10)
    // Of the same flight: sent before the reduction.
    rounds.lose({ ago: 50 })
    expect(packets(rounds.congestion.window)).toBeCloseTo(70, 10)
    rounds.round({ rtt: 100 })
    const before = rounds.congestion.window
    expect(rounds.lose() / before).toBeCloseTo(0.7, 10)
  })

  test('keeps the window until something is acknowledged that was sent after it', () => {
    const rounds = new Rounds(new Cubic(PACKET))
    const after = rounds.lose()
    // This flight was sent at the moment of the loss.
    expect(rounds.round({ rtt: 100 })).toBe(after)
    expect(rounds.round({ rtt: 100 })).toBeGreaterThan(after)
  })

  test('never takes the last two packets', () => {
    const rounds = new Rounds(new Cubic(PACKET))
    for (let times = 0; times < 20; times++) {
      rounds.round({ rtt: 100, inFlightBefore: 0 })
      rounds.lose()
    }
    expect(packets(rounds.congestion.window)).toBe(2)
  })

  test('that is persistent congestion leaves two packets, and slow start up to the former threshold', () => {
    const rounds = reducedFrom(100)
    expect(packets(rounds.lose({ persistent: true }))).toBe(2)
    expect(packets(rounds.round({ rtt: 100 }))).toBe(4)
    expect(packets(rounds.round({ rtt: 100 }))).toBe(8)
  })
})

describe('congestion avoidance', () => {
  /**
   * After so many seconds of full round trips; of short ones Reno would make more (RFC 9438 §4.3).
   */
  const after = (rounds: Rounds, seconds: number): number => {
    const rtt = 200
    for (let passed = 0; passed < seconds * 1000; passed += rtt) rounds.round({ rtt })
    return packets(rounds.congestion.window)
  }

  test('is back at the former window after K, fast at first and slowly near it; then it probes beyond', () => {
    // RFC 9438 §4.2: K = ∛((100 − 70)/0.4) s
    const k = Math.cbrt(30 / 0.4)
    const rounds = reducedFrom(100)
    expect(after(rounds, k / 2)).toBeGreaterThan(94)
    expect(after(rounds, k / 2)).toBeCloseTo(100, 0)
    // 0.4 · 3³ = 10.8 packets more in the three seconds that follow; a round trip makes two
    expect(Math.abs(after(rounds, 3) - 110.8)).toBeLessThan(2)
  })

  test('aims lower when a loss comes before the former window: another flow may want to have its share', () => {
    const rounds = reducedFrom(100)
    rounds.round({ rtt: 100 })
    rounds.lose()
    const window = packets(rounds.congestion.window) / 0.7
    expect(window).toBeLessThan(75)
    // RFC 9438 §4.7: the plateau is at 0.85 of the window, which is reached after K of it.
    const plateau = 0.85 * window
    const k = Math.cbrt((plateau - 0.7 * window) / 0.4)
    expect(after(rounds, k)).toBeLessThan(1.02 * plateau)
    expect(packets(rounds.congestion.window)).toBeGreaterThan(0.98 * plateau)
  })

  test('does not grow while the application has little to send, nor makes up for that time', () => {
    const rounds = reducedFrom(100)
    rounds.round({ rtt: 100 })
    const before = rounds.round({ rtt: 100 })
    for (let round = 0; round < 200; round++) rounds.round({ rtt: 100, rate: 1, inFlightBefore: PACKET })
    expect(rounds.congestion.window).toBe(before)
    expect(rounds.round({ rtt: 100 }) / before).toBeLessThan(1.1)
  })
})

test('packets are paced: at twice the window for each round trip in slow start, at 1.25 of it afterwards', () => {
  const fresh = new Cubic(PACKET)
  expect(fresh.pacingRate).toBeUndefined()
  const rounds = new Rounds(fresh)
  rounds.round({ rtt: 100 })
  expect(fresh.pacingRate).toBe((2 * fresh.window) / 100)
  rounds.lose()
  expect(fresh.pacingRate).toBe((1.25 * fresh.window) / 100)
})

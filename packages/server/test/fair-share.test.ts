/** Fairness at the rate of a relay: by source, whatever the ids (docs/protocol.md, Quotas). */
import { duration, instant, later } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { FairShare, SourceShare } from '../src/core/fair-share.ts'
import { Bed, channelFrame, openSession, type TestPeer } from './relay-bed.ts'

const FRAME = 1200
const SECOND = 1000

/** What each source got, in bytes per second, of what it wanted: `wants` are bytes per second. */
function shared(bytesPerSecond: number, wants: readonly number[], seconds = 20): readonly number[] {
  const rate = new FairShare(bytesPerSecond)
  const sources = wants.map(() => ({ share: new SourceShare(), owed: 0, got: 0 }))
  for (let ms = 0; ms < seconds * SECOND; ms += 10)
    for (const [index, source] of sources.entries()) {
      source.owed += ((wants[index] as number) * 10) / SECOND
      for (; source.owed >= FRAME; source.owed -= FRAME)
        if (rate.take(source.share, FRAME, FRAME, instant(ms)) > 0) source.got += FRAME
    }
  return sources.map(({ got }) => got / seconds)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

describe('a rate that sources share', () => {
  test('gives each what it wants while that is less than there is', () => {
    const wants = [10_000, 200_000, 300_000, 400_000]
    for (const [index, got] of shared(1_000_000, wants).entries())
      expect(got).toBeGreaterThan((wants[index] as number) * 0.98)
  })

  test('gives the rate and no more, when more is wanted', () => {
    const got = sum(shared(1_000_000, [900_000, 900_000, 900_000]))
    expect(got).toBeGreaterThan(900_000)
    expect(got).toBeLessThan(1_050_000)
  })

  test('gives all of it to those who want less than their share, and divides the rest', () => {
    const [small, medium, ...large] = shared(1_000_000, [50_000, 150_000, 5_000_000, 5_000_000])
    expect(small).toBeGreaterThan(0.95 * 50_000)
    expect(medium).toBeGreaterThan(0.95 * 150_000)
    for (const got of large) expect(Math.abs(got - 400_000)).toBeLessThan(50_000)
  })

  test('gives a source that comes later its share at once', () => {
    const rate = new FairShare(1_000_000)
    const [greedy, late] = [new SourceShare(), new SourceShare()]
    let [now, got] = [instant(0), 0]
    for (let ms = 0; ms < 10 * SECOND; ms++, now = later(now, duration(1))) {
      for (let frames = 0; frames < 5; frames++) rate.take(greedy, FRAME, FRAME, now)
      if (ms >= 5 * SECOND && ms % 3 === 0 && rate.take(late, FRAME, FRAME, now) > 0) got += FRAME
    }
    // It wants 400 kB/s, less than half of the rate.
    expect(got / 5).toBeGreaterThan(0.95 * 400_000)
  })
})

test('1,000 sources of which 10 want a hundred times their share: each of the others gets 0.9 of its own', () => {
  const [peers, greedy, share] = [1000, 10, 12_000]
  const limits = { bindings: 2000, sessionsPerId: 2000, framesPerSecondPerId: 1e9, frameBurstPerId: 1e9 }
  const bed = new Bed({
    limits: { ...limits, frameBytesPerSecondPerId: 1e9, frameBytesBurstPerId: 1e9 },
    quotas: { bytesPerSecond: peers * share },
  })
  const target = bed.registered()
  const frames = Array.from({ length: peers }, (_, index) => {
    const source = { ip: `10.1.${index >> 8}.${index & 255}`, port: 4000 }
    const peer: TestPeer = bed.registered({ source })
    const frame = channelFrame(openSession(bed, peer, target), FRAME)
    bed.sendBytes(target.source, frame)
    return { source, frame, got: 0, owed: (index * FRAME) / peers, perTick: (share * (index < greedy ? 100 : 1)) / 100 }
  })
  const seconds = 4
  for (let tick = 0; tick < seconds * 100; tick++) {
    for (const each of frames) {
      for (each.owed += each.perTick; each.owed >= FRAME; each.owed -= FRAME) {
        bed.machine.receive({ bytes: each.frame, source: each.source }, bed.now)
        for (let output = bed.machine.poll(); output !== undefined; output = bed.machine.poll())
          if (output.type === 'transmit') each.got += output.bytes.length
      }
    }
    bed.pass(10)
  }
  const shares = frames.map(({ got }) => got / seconds / share)
  expect(Math.min(...shares.slice(greedy))).toBeGreaterThanOrEqual(0.9)
  expect(sum(shares)).toBeLessThan(peers * 1.03)
  expect(bed.count('overRate')).toBeGreaterThan(0)
})

import { instant } from '@showchain/client/core'
import { FRAME, FrameWriter } from '@showchain/wire/end-to-end'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLOSE_CODE, DATAGRAM_QUEUE, MAX_OPEN_STREAMS, STREAM_WINDOW } from '../../src/core/transport/limits.ts'
import type { Acks } from '../../src/core/transport/recovery/path-traits.ts'
import { BBR, Bottleneck, CUBIC, Pair, type PathShape, runAll, TRAITS } from './pair.ts'

const LAN: PathShape = { delay: 5 }
const SECONDS = 1000

/** The byte of a stream at an offset. */
const byteAt = (stream: number, offset: number): number => (offset * 31 + (offset >> 8) * 7 + stream * 13) & 0xff

/** Writes a stream of so many bytes, whatever the room. */
function send(pair: Pair, stream: number, length: number, chunk = 10_000): void {
  const { streams } = pair.a.transport
  for (let at = 0; at < length; at += chunk) {
    const bytes = Uint8Array.from({ length: Math.min(chunk, length - at) }, (_, index) => byteAt(stream, at + index))
    streams.write(stream, bytes)
  }
  streams.end(stream)
}

/** Counts bytes of a stream that are not what they should be. */
function checking(pair: Pair): { wrong: number } {
  const result = { wrong: 0 }
  const at = new Map<number, number>()
  pair.b.onBytes = (stream, bytes) => {
    const from = at.get(stream) ?? 0
    for (const [index, byte] of bytes.entries()) if (byte !== byteAt(stream, from + index)) result.wrong++
    at.set(stream, from + bytes.length)
  }
  return result
}

const open = (pair: Pair, priority = 0): number => {
  const id = pair.a.transport.streams.open(priority)
  if (id === undefined) throw new Error('no stream')
  return id
}

/** A record with these frames, as if the other end had sent it. */
function inject(pair: Pair, write: (writer: FrameWriter) => void): void {
  const buffer = new Uint8Array(1000)
  const writer = new FrameWriter()
  writer.reset(buffer, 1000)
  write(writer)
  pair.b.transport.receive(pair.a.next++, buffer.slice(0, writer.length), pair.b.next, pair.now)
  pair.b.drain(pair.now)
}

describe('streams', () => {
  it('arrive whole, in order, once, whatever the path does', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
          reorder: fc.double({ min: 0, max: 0.5, noNaN: true }),
        }),
        fc.constantFrom(CUBIC, BBR),
        ({ seed, loss, reorder }, congestion) => {
          const pair = new Pair(congestion, { delay: 20, rate: 20e6, queue: 60_000, loss, reorder }, { seed })
          const found = checking(pair)
          const streams = [open(pair), open(pair), open(pair)]
          for (const stream of streams) send(pair, stream, 60_000)
          pair.run(300 * SECONDS, () => pair.b.ended.size === 3)
          expect(streams.map((stream) => pair.b.received.get(stream))).toEqual([60_000, 60_000, 60_000])
          expect([found.wrong, pair.b.ended.size]).toEqual([0, 3])
        },
      ),
      { numRuns: runs(60) },
    )
  })

  it('go both ways, and are forgotten when both halves are over', () => {
    const pair = new Pair(CUBIC, LAN)
    const id = open(pair)
    pair.a.transport.streams.write(id, Uint8Array.of(1, 2, 3))
    pair.a.transport.streams.end(id)
    pair.run(SECONDS, () => pair.b.ended.has(id))
    expect(pair.b.opened).toEqual([id])
    pair.b.transport.streams.write(id, Uint8Array.of(4, 5))
    pair.b.transport.streams.end(id)
    pair.run(2 * SECONDS)
    expect([pair.a.received.get(id), pair.a.ended.has(id)]).toEqual([2, true])
    expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([0, 0])
    expect([pair.a.transport.busy, pair.b.transport.busy]).toEqual([false, false])
  })

  it('of one end have other ids than those of the other', () => {
    const pair = new Pair(CUBIC, LAN)
    expect([pair.a.transport.streams.open(), pair.a.transport.streams.open(), pair.b.transport.streams.open()]).toEqual(
      [0, 2, 1],
    )
  })

  it('do not wait for each other', () => {
    const pair = new Pair(CUBIC, LAN)
    const [slow, fast] = [open(pair), open(pair)]
    pair.b.reads = false
    send(pair, slow, 10 * STREAM_WINDOW)
    pair.run(SECONDS)
    send(pair, fast, 5000)
    pair.run(2 * SECONDS)
    pair.b.read(fast, pair.now)
    expect([pair.b.received.get(fast), pair.b.ended.has(fast)]).toEqual([5000, true])
  })

  it('of the same priority share the path, and those of a higher one go first', () => {
    const pair = new Pair(CUBIC, { delay: 10, rate: 8e6, queue: 50_000 })
    const [later, first, second] = [open(pair, 1), open(pair), open(pair)]
    for (const stream of [later, first, second]) send(pair, stream, 200_000)
    pair.run(250)
    const [one = 0, two = 0] = [pair.b.received.get(first), pair.b.received.get(second)]
    expect(Math.abs(one - two)).toBeLessThan(20_000)
    expect(one).toBeGreaterThan(50_000)
    expect(pair.b.received.get(later) ?? 0).toBe(0)
    pair.run(20 * SECONDS, () => pair.b.ended.size === 3)
    expect(pair.b.received.get(later)).toBe(200_000)
  })

  it('stop at what the other end is ready to hold, and go on when it reads', () => {
    const pair = new Pair(CUBIC, LAN)
    const id = open(pair)
    pair.b.reads = false
    send(pair, id, 4 * STREAM_WINDOW)
    pair.run(2 * SECONDS)
    const bytes = pair.a.transport.statistics
    expect(bytes.inFlight).toBe(0)
    pair.b.reads = true
    pair.b.read(id, pair.now)
    expect(pair.b.received.get(id)).toBe(STREAM_WINDOW)
    pair.run(10 * SECONDS, () => pair.b.ended.has(id))
    expect(pair.b.received.get(id)).toBe(4 * STREAM_WINDOW)
  })

  it('tell the writer to wait, and when it may go on', () => {
    const pair = new Pair(CUBIC, LAN)
    const id = open(pair)
    const writable: number[] = []
    pair.a.onWritable = (stream) => writable.push(stream)
    let written = 0
    while (pair.a.transport.streams.write(id, new Uint8Array(50_000))) written += 50_000
    expect(written).toBeGreaterThan(100_000)
    expect(writable).toEqual([])
    pair.run(10 * SECONDS)
    expect(writable).toEqual([id])
  })

  it('can be given up by the writer: the reader gets the code', () => {
    const pair = new Pair(CUBIC, { ...LAN, loss: 0.3 }, { seed: 4 })
    const id = open(pair)
    pair.a.transport.streams.write(id, new Uint8Array(100_000))
    pair.run(12)
    pair.a.transport.streams.reset(id, 77)
    pair.b.transport.streams.end(id)
    pair.run(20 * SECONDS)
    expect(pair.b.resets.get(id)).toBe(77)
    expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([0, 0])
  })

  it('can be given up by the reader: the writer is told, and stops', () => {
    const pair = new Pair(CUBIC, { ...LAN, loss: 0.3 }, { seed: 9 })
    const id = open(pair)
    pair.a.transport.streams.write(id, new Uint8Array(3 * STREAM_WINDOW))
    pair.run(12)
    pair.b.transport.streams.stopSending(id, 5, pair.now)
    pair.b.transport.streams.end(id)
    pair.run(20 * SECONDS)
    expect(pair.a.stopped).toEqual([[id, 5]])
    expect([pair.a.transport.statistics.streams, pair.b.transport.statistics.streams]).toEqual([0, 0])
    // What was dropped unread does not count against the connection.
    const next = open(pair)
    send(pair, next, 8 * STREAM_WINDOW)
    pair.run(600 * SECONDS, () => pair.b.ended.has(next))
    expect(pair.b.received.get(next)).toBe(8 * STREAM_WINDOW)
  })

  it('are only so many at a time; more when some are over', () => {
    const pair = new Pair(CUBIC, LAN)
    const ids = Array.from({ length: MAX_OPEN_STREAMS }, () => open(pair))
    expect(pair.a.transport.streams.open()).toBeUndefined()
    for (const id of ids) pair.a.transport.streams.end(id)
    pair.run(SECONDS)
    for (const id of pair.b.opened) pair.b.transport.streams.end(id)
    pair.run(2 * SECONDS)
    expect(pair.a.transport.streams.open()).toBe(2 * MAX_OPEN_STREAMS)
  })
})

describe('datagrams', () => {
  it('arrive at most once, and are not sent again', () => {
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

  it('that never left are told so when nothing is sent any more, each once', () => {
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

  it('are refused when too many wait', () => {
    const pair = new Pair(CUBIC, LAN)
    const taken = Array.from({ length: DATAGRAM_QUEUE + 1 }, () =>
      pair.a.transport.datagrams.push(new Uint8Array(10), () => {}),
    )
    expect(taken.filter((each) => !each).length).toBe(1)
    expect(taken.at(-1)).toBe(false)
  })
})

describe('rules', () => {
  it.each<[string, number, (writer: FrameWriter) => void]>([
    [
      'an acknowledgement of what was never sent',
      CLOSE_CODE.protocolViolation,
      (writer) => writer.ack([1000, 1000], 0),
    ],
    [
      'more of a stream than was allowed',
      CLOSE_CODE.flowControl,
      (writer) => writer.stream(0, STREAM_WINDOW, 1, false),
    ],
    [
      'a stream that may not be open yet',
      CLOSE_CODE.streamLimit,
      (writer) => writer.stream(2 * MAX_OPEN_STREAMS, 0, 1, false),
    ],
    ["a stream of this end's that it never opened", CLOSE_CODE.streamLimit, (writer) => writer.stream(1, 0, 1, false)],
    ['a frame that is none', CLOSE_CODE.frameEncoding, (writer) => writer.numbers(0x3f)],
  ])('%s ends the connection', (_what, code, write) => {
    const pair = new Pair(CUBIC, LAN)
    inject(pair, write)
    expect(pair.b.closedBy?.code).toBe(code)
    pair.run(SECONDS)
    expect(pair.a.closedBy?.code).toBe(code)
  })

  it('two ends of one stream end the connection', () => {
    const pair = new Pair(CUBIC, LAN)
    inject(pair, (writer) => writer.stream(0, 10, 1, true))
    expect(pair.b.closedBy).toBeUndefined()
    inject(pair, (writer) => writer.stream(0, 20, 1, true))
    expect(pair.b.closedBy?.code).toBe(CLOSE_CODE.finalSize)
  })

  it('more over all streams than was allowed ends the connection', () => {
    const pair = new Pair(CUBIC, LAN)
    pair.b.reads = false
    for (let stream = 0; stream < 4; stream++)
      inject(pair, (writer) => writer.stream(2 * stream, STREAM_WINDOW - 1, 1, false))
    expect(pair.b.closedBy).toBeUndefined()
    inject(pair, (writer) => writer.stream(8, STREAM_WINDOW - 1, 1, false))
    expect(pair.b.closedBy?.code).toBe(CLOSE_CODE.flowControl)
  })

  it('late frames of a stream that is over are nothing', () => {
    const pair = new Pair(CUBIC, LAN)
    pair.a.transport.streams.end(open(pair))
    pair.run(SECONDS)
    pair.b.transport.streams.end(0)
    pair.run(2 * SECONDS)
    expect(pair.b.transport.statistics.streams).toBe(0)
    inject(pair, (writer) => writer.stream(0, 0, 1, true))
    inject(pair, (writer) => writer.numbers(FRAME.maxStreamData, 0, 10))
    inject(pair, (writer) => writer.numbers(FRAME.stopSending, 0, 10))
    expect(pair.b.closedBy).toBeUndefined()
  })
})

describe('loss and silence', () => {
  it('a goodbye is said three times, and arrives though two of them are lost', () => {
    const pair = new Pair(CUBIC, LAN)
    pair.a.transport.close(0, 'enough')
    pair.a.pump(pair.now)
    expect(pair.a.flights).toHaveLength(3)
    pair.a.flights.splice(0, 2)
    pair.run(SECONDS)
    expect(pair.b.closedBy).toEqual({ code: 0, reason: 'enough' })
    expect([pair.a.sentSizes.length, pair.b.sentSizes.length]).toEqual([3, 0])
  })

  it('probes go out less and less often, and tell how long nothing came', () => {
    const pair = new Pair(CUBIC, { delay: 5, loss: 1 })
    const id = open(pair)
    pair.a.transport.streams.write(id, Uint8Array.of(1))
    pair.run(20 * SECONDS)
    expect(pair.a.probeTimeouts).toBeGreaterThanOrEqual(4)
    expect(pair.a.sentSizes.length).toBeLessThan(20)
  })

  it('an idle pair sends nothing', () => {
    const pair = new Pair(CUBIC, LAN)
    const id = open(pair)
    send(pair, id, 1000)
    pair.run(SECONDS)
    const before = pair.a.sentSizes.length + pair.b.sentSizes.length
    pair.run(600 * SECONDS)
    expect(pair.a.sentSizes.length + pair.b.sentSizes.length).toBe(before)
  })

  it('acknowledgements of a bulk transfer are few', () => {
    const pair = new Pair(CUBIC, { delay: 10, rate: 1e8, queue: 250_000 })
    send(pair, open(pair), 3_000_000)
    pair.run(60 * SECONDS, () => pair.b.ended.size === 1)
    expect(pair.b.sentSizes.length).toBeLessThan(pair.a.sentSizes.length / 4)
  })

  it('acknowledgements are gathered where each costs a signature, and nothing is sent twice for that', () => {
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
})

describe('moving', () => {
  it.each([
    ['a path that died', true],
    ['a path that still delivers', false],
  ])('from %s to another loses, doubles and reorders nothing', (_what, dead) => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(400), { minLength: 1, maxLength: 4 }), (seed, moves) => {
        const pair = new Pair(BBR, { delay: 30, rate: 20e6, queue: 100_000, loss: 0.02 }, { seed })
        const found = checking(pair)
        const id = open(pair)
        send(pair, id, 1_500_000)
        for (const wait of moves) {
          pair.run(pair.now + wait)
          pair.migrate({ delay: 1 + (wait % 40), rate: 20e6, queue: 100_000, loss: 0.02 }, dead)
        }
        pair.run(60 * SECONDS, () => pair.b.ended.has(id))
        expect([pair.b.received.get(id), found.wrong]).toEqual([1_500_000, 0])
      }),
      { numRuns: runs(15) },
    )
  })

  it('a sender that the flow control holds up sends again what the path before lost, within three round trips', () => {
    const pair = new Pair(CUBIC, { delay: 20 })
    const id = open(pair)
    pair.b.reads = false
    send(pair, id, 2 * STREAM_WINDOW)
    pair.run(SECONDS, () => pair.a.sentSizes.reduce((sum, size) => sum + size, 0) > STREAM_WINDOW)
    pair.run(pair.now + 10)
    pair.a.flights.splice(-8)
    pair.migrate({ delay: 20 }, false)
    pair.run(pair.now + 3 * 40)
    pair.b.read(id, pair.now)
    expect(pair.b.received.get(id)).toBe(STREAM_WINDOW)
  })

  it.each([
    ['cubic', CUBIC],
    ['bbr', BBR],
  ] as const)('%s has half of the new rate within a second', (_name, congestion) => {
    const pair = new Pair(congestion, { delay: 40, rate: 5e6, queue: 50_000 })
    const id = open(pair)
    const feed = (): void => {
      while (pair.a.transport.streams.write(id, new Uint8Array(20_000)));
    }
    pair.a.onWritable = feed
    feed()
    pair.run(5 * SECONDS)
    pair.migrate({ delay: 10, rate: 50e6, queue: 125_000 }, true)
    const before = pair.b.received.get(id) ?? 0
    pair.run(6 * SECONDS)
    const inASecond = (pair.b.received.get(id) ?? 0) - before
    expect(inASecond).toBeGreaterThan(50e6 / 8 / 2)
  })
})

/** Bytes of a second that a flow brings on this path, after it had time to find the rate. */
function goodput(pair: Pair, from: number, to: number): number {
  const id = open(pair)
  const feed = (): void => {
    while (pair.a.transport.streams.write(id, new Uint8Array(50_000)));
  }
  pair.a.onWritable = feed
  feed()
  pair.run(from)
  const before = pair.b.received.get(id) ?? 0
  pair.run(to)
  return ((pair.b.received.get(id) ?? 0) - before) / ((to - from) / 1000)
}

describe('congestion control', () => {
  // Of 1200 bytes 1126 are the stream's. Cubic fills what loses nothing; BBR keeps a margin and
  // probes.
  it.each([
    ['cubic', CUBIC, { delay: 0.5, rate: 50e6, queue: 20_000 }, 0.85],
    ['cubic', CUBIC, { delay: 10, rate: 100e6, queue: 250_000 }, 0.9],
    ['cubic', CUBIC, { delay: 150, rate: 1e6, queue: 40_000 }, 0.9],
    ['bbr', BBR, { delay: 0.5, rate: 50e6, queue: 20_000 }, 0.85],
    ['bbr', BBR, { delay: 10, rate: 100e6, queue: 250_000 }, 0.85],
    ['bbr', BBR, { delay: 10, rate: 100e6, queue: 250_000, loss: 0.01 }, 0.8],
    ['bbr', BBR, { delay: 25, rate: 50e6, queue: 300_000, loss: 0.03 }, 0.8],
    ['bbr', BBR, { delay: 150, rate: 1e6, queue: 40_000 }, 0.85],
  ] as const)('%s fills %o', (_name, congestion, shape, share) => {
    const pair = new Pair(congestion, shape)
    expect(goodput(pair, 5 * SECONDS, 8 * SECONDS)).toBeGreaterThan((shape.rate / 8) * share)
  })

  it('cubic collapses where packets are lost at random, as its theory says, and not further', () => {
    const pair = new Pair(CUBIC, { delay: 10, rate: 100e6, queue: 250_000, loss: 0.01 })
    // RFC 9438 §5.1: about 1.2/√p packets each round trip in the region of Reno.
    const theory = ((1.2 / Math.sqrt(0.01)) * 1200) / 0.02
    expect(goodput(pair, 5 * SECONDS, 15 * SECONDS)).toBeGreaterThan(theory / 2)
  })

  it.each([
    ['cubic', CUBIC, 0.6],
    ['bbr', BBR, 0.5],
  ] as const)('two flows of %s share a bottleneck', (_name, congestion, fairness) => {
    const shape = { delay: 20, rate: 20e6, queue: 100_000 }
    const there = new Bottleneck(shape)
    const back = new Bottleneck(shape)
    const pairs = [1, 2].map((seed) => new Pair(congestion, shape, { seed, there, back }))
    for (const pair of pairs) {
      const id = open(pair)
      const feed = (): void => {
        while (pair.a.transport.streams.write(id, new Uint8Array(50_000)));
      }
      pair.a.onWritable = feed
      feed()
    }
    const received = (): number[] => pairs.map(({ b }) => b.received.get(0) ?? 0)
    runAll(pairs, 10 * SECONDS)
    const before = received()
    runAll(pairs, 40 * SECONDS)
    const [one = 0, two = 0] = received().map((bytes, index) => bytes - (before[index] as number))
    expect(Math.min(one, two) / Math.max(one, two)).toBeGreaterThan(fairness)
    expect(one + two).toBeGreaterThan((20e6 / 8) * 30 * 0.85)
  })
})

it('the same seed gives the same run', () => {
  const runs = [1, 2].map(() => {
    const pair = new Pair(BBR, { delay: 20, rate: 10e6, queue: 50_000, loss: 0.05, reorder: 0.1 }, { seed: 11 })
    send(pair, open(pair), 500_000)
    pair.run(60 * SECONDS, () => pair.b.ended.size === 1)
    return [pair.now, pair.a.sentSizes.length, pair.b.sentSizes.length]
  })
  expect(runs[0]).toEqual(runs[1])
  expect(runs[0]?.[0]).toBeLessThan(instant(60 * SECONDS))
})

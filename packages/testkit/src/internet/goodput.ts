/** How much of a line a stream gets: two peers on the public network, one stream, virtual time. */
import { type CongestionFactory, type Duration, duration } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import type { Seed } from '../sim/random.ts'
import { Internet } from './internet.ts'
import { StreamChecker, StreamWriter } from './sim-streams.ts'

/** A line, in both directions. */
export interface LineShape {
  /** Milliseconds there and back. */
  readonly rtt: number
  /** Bits per second. */
  readonly rate: number
  /** Share of packets that are lost by chance. @default 0 */
  readonly loss?: number | undefined
  /**
   * Bytes that wait at the bottleneck.
   * @default what fills the line for one round trip, at least 64 KiB
   */
  readonly queue?: number | undefined
}

/** What is measured, and on which line. */
export interface GoodputOptions {
  readonly seed: Seed
  readonly line: LineShape
  readonly congestion: CongestionFactory
  /** Before it is measured: for the controller to find the rate. @default 5 s */
  readonly warmUp?: Duration | undefined
  /** @default 5 s */
  readonly measure?: Duration | undefined
}

/** Never reached. */
const ENDLESS = 2 ** 40

/** Bits per second of a stream's bytes. */
export async function goodput({
  seed,
  line: { rtt, rate, loss = 0, queue = Math.max(65_536, (rate / 8000) * rtt) },
  congestion,
  warmUp = duration(5000),
  measure = duration(5000),
}: GoodputOptions): Promise<number> {
  let found = 0
  await Internet.run(seed, { latency: duration(rtt / 2), bandwidth: rate, loss, queue }, async (internet) => {
    const place = { endToEnd: nodeEndToEnd(), congestion }
    const [a, b] = [await internet.simPeer({ name: 'a', ...place }), await internet.simPeer({ name: 'b', ...place })]
    const link = await a.connect(b)
    const checker = new StreamChecker(b)
    new StreamWriter(a, link.id).open(ENDLESS)
    internet.advance(warmUp)
    const before = checker.bytes
    internet.advance(measure)
    if (checker.wrong > 0) throw new Error(`${checker.wrong} pieces are wrong.`)
    found = ((checker.bytes - before) * 8000) / measure
  })
  return found
}

/**
 * Streams through everything: packets are lost, NATs rebind, the relay dies and comes back, the
 * path moves to and fro. Not a byte may be lost, doubled, out of place or altered.
 */
import { type Duration, duration, type Instant, later } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import type { Seed } from '../sim/random.ts'
import { Internet } from './internet.ts'
import { type NatBehaviour, nat } from './nat.ts'
import { StreamChecker, StreamWriter } from './sim-streams.ts'

/** How much goes through which line. */
export interface StreamSoakOptions {
  readonly seed: Seed
  /** In total, over all streams. */
  readonly bytes: number
  /** Share of packets that the public network loses, each way and on each hop. @default 0.2 */
  readonly loss?: number | undefined
  /** Of both ends. @default T3 and T2 */
  readonly nats?: readonly [NatBehaviour, NatBehaviour] | undefined
  /** Bits per second of every line. @default 100,000,000 */
  readonly rate?: number | undefined
  /** One of both NATs forgets everything so often; they take turns. @default 30 s */
  readonly rebind?: Duration | undefined
  /** The relay dies so often, and is back after five seconds. @default 60 s */
  readonly relayDies?: Duration | undefined
  /** Called now and then with what came so far. */
  readonly progress?: ((bytes: number, virtualMs: number) => void) | undefined
}

/** What arrived, and what happened meanwhile. */
export interface StreamSoakOutcome {
  readonly bytes: number
  readonly streams: number
  readonly rebindings: number
  readonly relayDeaths: number
  /** Changes of the sender's path. */
  readonly moves: number
  readonly virtualMs: number
}

/** Bytes of one stream; streams open at a time. */
const STREAM_BYTES = 4_000_000
const OPEN = 8
const RELAY_DOWN: Duration = duration(5000)
const STEP: Duration = duration(1000)
/**
 * Virtual time without a byte after which something is wrong: every recovery is done long before.
 */
const PATIENCE: Duration = duration(300_000)

/** @throws Error when a byte is wrong, the connection ends, or nothing comes any more */
export async function streamSoak({
  seed,
  bytes,
  loss = 0.2,
  nats = [nat.T3(), nat.T2()],
  rate = 100e6,
  rebind = duration(30_000),
  relayDies = duration(60_000),
  progress,
}: StreamSoakOptions): Promise<StreamSoakOutcome> {
  let outcome: StreamSoakOutcome | undefined
  await Internet.run(seed, { loss, bandwidth: rate }, async (internet) => {
    const relay = await internet.relay()
    const routers = [internet.router({ nat: nats[0] }), internet.router({ nat: nats[1] })] as const
    const a = await internet.simPeer({ name: 'a', behind: routers[0], endToEnd: nodeEndToEnd() })
    const b = await internet.simPeer({ name: 'b', behind: routers[1], endToEnd: nodeEndToEnd() })
    const link = await a.connect(b)
    const checker = new StreamChecker(b)
    const writer = new StreamWriter(a, link.id)
    const now = (): Instant => internet.sim.clock.now()
    const started = now()
    const lengths = Array.from({ length: Math.ceil(bytes / STREAM_BYTES) }, (_, index) =>
      Math.min(STREAM_BYTES, bytes - index * STREAM_BYTES),
    )
    let [opened, rebindings, relayDeaths] = [0, 0, 0]
    let [nextRebind, nextDeath] = [later(started, rebind), later(started, relayDies)]
    let back: Instant | undefined
    let [seen, seenAt] = [0, started]
    while (checker.ended < lengths.length) {
      while (opened < lengths.length && opened - checker.ended < OPEN) writer.open(lengths[opened++] as number)
      internet.advance(STEP)
      if (now() >= nextRebind) {
        routers[rebindings++ % 2]?.reboot()
        nextRebind = later(nextRebind, rebind)
      }
      if (now() >= nextDeath) {
        await relay.kill()
        relayDeaths++
        back = later(now(), RELAY_DOWN)
        nextDeath = later(nextDeath, relayDies)
      }
      if (back !== undefined && now() >= back) {
        relay.start()
        back = undefined
      }
      if (checker.wrong > 0) throw new Error(`${checker.wrong} pieces are wrong.`)
      if (link.closed !== undefined) throw new Error(`The connection ended: ${link.closed}.`)
      if (checker.bytes > seen) [seen, seenAt] = [checker.bytes, now()]
      if (later(seenAt, PATIENCE) <= now()) throw new Error(`Nothing has come since ${seenAt} ms.`)
      progress?.(checker.bytes, now() - started)
    }
    if (checker.bytes !== bytes) throw new Error(`${checker.bytes} bytes came, ${bytes} were sent.`)
    outcome = {
      ...{ bytes, streams: lengths.length, rebindings, relayDeaths },
      moves: link.paths.length - 1,
      virtualMs: now() - started,
    }
    if (back !== undefined) relay.start()
  })
  return outcome as StreamSoakOutcome
}

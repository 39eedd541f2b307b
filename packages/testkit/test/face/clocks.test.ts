/** Two peers whose clocks disagree: they connect, or each learns that a clock is the reason. */
import { type Connection, Peer, type PeerOptions } from '@showchain/client'
import { duration } from '@showchain/client/core'
import type { ShowchainError } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, type SimRelay } from '../../src/index.ts'
import { bytesOf, readAll, take, textOf } from './bed.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface ClockedPeer {
  readonly peer: Peer
  /** Its clock minus that of the others, in ms. */
  readonly clock: { offset: number }
}

async function clocked(internet: Internet, name: string, relay: SimRelay, offset = 0): Promise<ClockedPeer> {
  const clock = { offset }
  const runtime = internet.runtime(internet.host(name))
  const { now, schedule, unixMs } = runtime.clock
  const own = runtime.clock
  const options: PeerOptions = {
    identity: internet.sim.identity(name),
    relays: [relay.ticket],
    runtime: {
      ...runtime,
      clock: {
        now: () => now.call(own),
        schedule: (at, fire) => schedule.call(own, at, fire),
        unixMs: () => unixMs.call(own) + clock.offset,
      },
    },
  }
  const peer = await Peer.open(options)
  await peer.registered()
  return { peer, clock }
}

type Played = Connection | ShowchainError

/** Alice, whose clock is off, calls Bob or is called. */
async function play(offset: number, calls: boolean, scene: (it: Played, internet: Internet) => Promise<void>) {
  await Internet.run(`clocks ${offset} ${calls}`, { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay()
    const { peer: alice } = await clocked(internet, 'alice', relay, offset)
    const { peer: bob } = await clocked(internet, 'bob', relay)
    const [caller, callee] = calls ? [alice, bob] : [bob, alice]
    const connection = await caller
      .connect(callee.ticket, { via: 'relay-only', timeout: 60_000 })
      .catch((error) => error)
    await scene(connection as Played, internet)
    await Promise.all([alice.close(), bob.close()])
  })
}

const OFFSETS = [-2 * DAY, -HOUR, HOUR, 20 * HOUR].flatMap((offset) =>
  [true, false].map((calls) => [offset, calls] as const),
)

describe('a clock that is off', () => {
  test.each(OFFSETS.filter(([offset]) => Math.abs(offset) < DAY))(
    'by %i ms (calls: %s) is no obstacle',
    async (offset, calls) => {
      await play(offset, calls, async (connection) => {
        expect(connection).toHaveProperty('remoteId')
      })
    },
  )

  test.each([
    [2 * DAY, true],
    [2 * DAY, false],
    [-2 * DAY, true],
    [-2 * DAY, false],
    [30 * DAY, true],
    [-30 * DAY, false],
  ])('by %i ms (calls: %s) ends the connection at once, and each end is told why', async (offset, calls) => {
    await play(offset, calls, async (played, internet) => {
      const { clock } = internet.sim
      const began = clock.now()
      const why =
        'remoteId' in played
          ? (played.closedBecause ??
            (await new Promise<string>((resolve) => played.on('close', (reason) => resolve(reason)))))
          : played.message
      expect(why).toMatch(/clock of the remote peer is \d+ hours (ahead of|behind) this one/)
      expect(clock.now() - began).toBeLessThanOrEqual(2000)
    })
  })
})

test('a certificate that was made while the clock ran ahead is made anew when it does no longer', () =>
  Internet.run('ran ahead', { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay()
    const alice = await clocked(internet, 'alice', relay, 30 * DAY)
    const bob = await clocked(internet, 'bob', relay)
    const via = { via: 'relay-only', timeout: 60_000 } as const
    const early = await bob.peer.connect(alice.peer.ticket, via).catch(() => undefined)
    await early?.close()
    alice.clock.offset = 0
    await internet.wait(duration(30_000))
    await alice.peer.registered()
    const connection = await alice.peer.connect(bob.peer.ticket, via)
    const theirs = await take(bob.peer.incoming)
    const stream = await connection.openStream()
    await stream.write(bytesOf('of now'))
    await stream.end()
    const arrived = await take(theirs.streams)
    expect(textOf(await readAll(arrived))).toBe('of now')
    await Promise.all([alice.peer.close(), bob.peer.close()])
  }))

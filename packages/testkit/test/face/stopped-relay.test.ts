/**
 * The only relay of two peers is stopped for a while: its process (SIGSTOP), whose socket keeps what
 * comes, or its whole host, to which it is lost.
 */
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { nat } from '../../src/index.ts'
import { connect, contents, type Face, type FaceOptions, face, readAll, same, streamOf, wait } from './bed.ts'

const SECOND = 1000
/** After its socket was read a relay challenges an address once in a second, perhaps by an old request. */
const BACK = 3 * SECOND
/** A registration that backs off is made once more after at most a minute and a half. */
const LONG_BACK = 90 * SECOND

/** Peers that have no way but the relay, on lines that a transfer keeps busy for a while. */
const relayed = (idleTimeout: number): FaceOptions => ({
  both: { behind: nat.T4(), idleTimeout },
  conditions: { bandwidth: 4e6, queue: 50_000 },
})

const stopRelay = async (it: Face, seconds: number, what: 'host' | 'process'): Promise<void> => {
  it.relay.sleep(duration(seconds * SECOND), what)
  await wait(it, seconds * SECOND)
}

/** A transfer in the middle of which the relay stops. @returns whether more came soon after */
async function transfer(it: Face, seconds: number, what: 'host' | 'process'): Promise<boolean> {
  const file = contents(2_000_000)
  const [stream, other] = await streamOf(await connect(it), file.subarray(0, 1000))
  const pieces: Uint8Array[] = []
  const read = readAll(other, pieces)
  const write = stream.write(file.subarray(1000)).then(() => stream.end())
  await wait(it, SECOND)
  await stopRelay(it, seconds, what)
  const before = pieces.length
  await wait(it, BACK)
  const goesOn = pieces.length > before
  await write
  expect(same(await read, file)).toBe(true)
  return goesOn
}

describe.each(['process', 'host'] as const)('a relay whose %s is stopped', (what) => {
  test.each([10, 30, 90])('for %i s: a transfer goes on', (seconds) =>
    face(
      `${what} stopped for ${seconds} s`,
      async (it) => expect(await transfer(it, seconds, what)).toBe(true),
      relayed(300 * SECOND),
    ),
  )

  test('for longer than a third of the idle time-out, in which nothing could be asked: a transfer goes on', () =>
    face(
      `${what} stopped, and a short time-out`,
      async (it) => expect(await transfer(it, 25, what)).toBe(true),
      relayed(30 * SECOND),
    ))

  test('for five minutes: the connection ends, and there is another one when the relay is back', () =>
    face(
      `${what} stopped for long`,
      async (it) => {
        const ends = await connect(it)
        await stopRelay(it, 300, what)
        expect(ends.map(({ end }) => end?.by)).toEqual(['failure', 'failure'])
        await wait(it, LONG_BACK + BACK)
        const [stream, other] = await streamOf(await connect(it))
        expect([stream.id, (await other.read())?.length]).toEqual([other.id, 'first'.length])
      },
      relayed(300 * SECOND),
    ))
})

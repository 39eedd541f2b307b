/** Round trips that the application measures, path by path. */
import { describe, expect, test } from 'vitest'
import { nat } from '../../src/index.ts'
import { codeOf, connect, contents, face, failureOf, stateOf, streamOf, take, wait } from './bed.ts'

/** One way through the lines of the bed: 10 ms, and what a station behind a router adds. */
const TRIP = 10
const SLACK = 5

describe('a ping', () => {
  test('measures the path that data takes: twice two trips through a relay, twice one directly', () =>
    face(
      'paths',
      async (it) => {
        const ours = await it.alice.connect(it.bob.ticket)
        const first = await ours.ping()
        expect(first.path.kind).toBe('relay')
        expect(Math.abs(first.rtt - 4 * TRIP)).toBeLessThan(SLACK)
        await wait(it, 1000)
        const second = await ours.ping()
        expect(second.path).toEqual(ours.path)
        expect(second.path.kind).toBe('direct')
        expect(Math.abs(second.rtt - 2 * TRIP)).toBeLessThan(SLACK)
      },
      { both: { behind: nat.T3() } },
    ))

  test.each(['auto', 'relay-only'] as const)('is answered by either end, %s', (via) =>
    face(`either ${via}`, async (it) => {
      const ours = await it.alice.connect(it.bob.ticket, { via })
      const theirs = await take(it.bob.incoming)
      const pongs = await Promise.all([ours.ping(), theirs.ping()])
      expect(pongs.map(({ rtt }) => rtt > 0)).toEqual([true, true])
    }),
  )

  test('does not wait for data that waits to be sent', () =>
    face(
      'busy',
      async (it) => {
        const ends = await connect(it)
        const [stream] = await streamOf(ends)
        const writing = failureOf(stream.write(contents(4_000_000)))
        await wait(it, 2000)
        // The queue of the line holds data for 50 ms.
        expect((await ends[0].ping()).rtt).toBeLessThan(2 * TRIP + 50 + SLACK)
        await ends[0].close()
        expect((await writing).code).toBe('ERR_CLOSED')
      },
      { conditions: { bandwidth: 2e6, queue: 12_500 } },
    ))

  test('that is lost is not sent again: it times out, and the next one is answered', () =>
    face('lost', async (it) => {
      const [ours] = await connect(it)
      await wait(it, 1000)
      const { network } = it.internet.sim
      network.filter = () => false
      const lost = failureOf(ours.ping({ timeout: 500 }))
      await wait(it, 100)
      network.filter = undefined
      expect((await lost).code).toBe('ERR_TIMEOUT')
      expect((await ours.ping({ timeout: 500 })).rtt).toBeGreaterThan(0)
    }))

  test('takes the place of the oldest when sixteen are under way', () =>
    face('many', async (it) => {
      const [ours] = await connect(it)
      await wait(it, 1000)
      const pings = Array.from({ length: 20 }, () => ours.ping({ timeout: 1000 }).then(() => 'answered', codeOf))
      const outcomes = await Promise.all(pings)
      expect(outcomes).toEqual([...Array(4).fill('ERR_TIMEOUT'), ...Array(16).fill('answered')])
    }))

  test('ends with the connection, with its signal, and on a connection that has ended', () =>
    face('ends', async (it) => {
      const [ours] = await connect(it)
      it.internet.sim.network.filter = () => false
      const abort = new AbortController()
      const aborted = failureOf(ours.ping({ signal: abort.signal }))
      abort.abort()
      expect((await aborted).code).toBe('ERR_ABORTED')
      expect((await failureOf(ours.ping({ signal: abort.signal }))).code).toBe('ERR_ABORTED')
      const open = ours.ping()
      expect(await stateOf(open)).toBe('pending')
      const closed = failureOf(open)
      await ours.close()
      expect((await closed).code).toBe('ERR_CLOSED')
      expect((await failureOf(ours.ping())).code).toBe('ERR_CLOSED')
      it.internet.sim.network.filter = undefined
    }))

  test('is not for plaintext, and its options are checked', async () => {
    await face(
      'plaintext',
      async (it) => {
        const [ours] = await connect(it)
        expect((await failureOf(ours.ping())).code).toBe('ERR_PLAINTEXT_REFUSED')
        expect((await failureOf(ours.ping({ timeout: -1 }))).code).toBe('ERR_BAD_ARGUMENT')
      },
      { both: { plaintext: true } },
    )
  })
})

test('the timeline says of each way that was tried how it ended, as data', () =>
  face(
    'attempts',
    async (it) => {
      const ours = await it.alice.connect(it.bob.ticket)
      await wait(it, 20_000)
      const attempts = ours.timeline.flatMap(({ attempt }) => attempt ?? [])
      expect(attempts.map(({ via, state, why }) => [via, state, why])).toEqual([
        ['relay', 'reached', undefined],
        ['punch', 'failed', expect.stringMatching(/no probe was answered/)],
      ])
    },
    { both: { behind: nat.T4() } },
  ))

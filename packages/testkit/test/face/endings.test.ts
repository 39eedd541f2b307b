/** How a connection ends: what each end is told, and how soon one that is gone is noticed. */
import { describe, expect, test } from 'vitest'
import { bytesOf, connect, contents, type Face, face, failureOf, streamOf, take, textOf, wait } from './bed.ts'

/** From now on nothing of Bob's arrives anywhere, as after `kill -9`. */
function killBob({ internet, bob }: Face): () => void {
  const { network } = internet.sim
  const addresses = bob.addresses.map(({ ip, port }) => `${ip} ${port}`)
  network.filter = ({ source }) => !addresses.includes(`${source.ip} ${source.port}`)
  return () => {
    network.filter = undefined
  }
}

describe('a goodbye', () => {
  test.each([
    [{}, 'closed by this side', 'closed by the remote peer', 0],
    [{ reason: 'enough' }, 'closed by this side: enough', 'closed by the remote peer: enough', 0],
    [{ code: 7, reason: 'full' }, 'closed by this side: full', 'closed by the remote peer with code 7: full', 7],
  ])('%j is told in each end’s own words', (how, here, there, code) =>
    face('words', async (it) => {
      const [ours, theirs] = await connect(it)
      await ours.close(how)
      await wait(it, 1000)
      expect(ours.end).toEqual({ by: 'local', code, reason: here })
      expect(theirs.end).toEqual({ by: 'remote', code, reason: there })
      expect([ours.closedBecause, theirs.closedBecause]).toEqual([here, there])
    }),
  )

  test('that is not one of the protocol’s is refused, and the connection goes on', () =>
    face('wrong', async (it) => {
      const [ours, theirs] = await connect(it)
      const wrong = [
        { code: -1 },
        { code: 1.5 },
        { code: 2 ** 31 },
        { reason: '\u001b[2J' },
        { reason: 'x'.repeat(257) },
      ]
      const errors = await Promise.all(wrong.map((how) => failureOf(ours.close(how))))
      expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['ERR_BAD_ARGUMENT']))
      await ours.sendDatagram(bytesOf('still here'))
      expect(textOf(await take(theirs[Symbol.asyncIterator]()))).toBe('still here')
    }))
})

describe('a remote peer that is gone', () => {
  const idleTimeout = { both: { idleTimeout: 30_000 } }

  test.each(['auto', 'relay-only'] as const)('is noticed after the idle time-out, %s', (via) =>
    face(
      `idle ${via}`,
      async (it) => {
        const ours = await it.alice.connect(it.bob.ticket, { via })
        await take(it.bob.incoming)
        await wait(it, 60_000)
        const back = killBob(it)
        await wait(it, 30_500)
        expect(ours.end).toMatchObject({
          by: 'failure',
          reason: expect.stringMatching(/nothing came from the remote peer for \d+ s/),
        })
        back()
      },
      idleTimeout,
    ),
  )

  test('is noticed after a third of it by an end that sends', () =>
    face(
      'sending',
      async (it) => {
        const ends = await connect(it)
        const [stream] = await streamOf(ends)
        await wait(it, 5000)
        const back = killBob(it)
        const failed = failureOf(stream.write(contents(10_000_000)))
        await wait(it, 10_500)
        expect(ends[0].end?.by).toBe('failure')
        expect((await failed).code).toBe('ERR_CLOSED')
        back()
      },
      idleTimeout,
    ))

  test('is told that it was given up, when it comes back', () =>
    face(
      'given up',
      async (it) => {
        const [ours, theirs] = await connect(it)
        // Nothing that was sent waits for an answer.
        await wait(it, 500)
        it.internet.sim.network.filter = ({ source }) => !it.bob.addresses.some(({ ip }) => ip === source.ip)
        await wait(it, 29_000)
        expect(ours.end).toBeUndefined()
        await wait(it, 2000)
        it.internet.sim.network.filter = undefined
        await wait(it, 1000)
        expect(theirs.end).toMatchObject({
          by: 'failure',
          reason: expect.stringMatching(/^the remote peer gave up: nothing came/),
        })
      },
      { both: { idleTimeout: 30_000 }, bob: { idleTimeout: 300_000 } },
    ))

  test('is not one that is silent because nothing is said', () =>
    face(
      'silent',
      async (it) => {
        const [ours, theirs] = await connect(it)
        await wait(it, 3_600_000)
        expect([ours.end, theirs.end]).toEqual([undefined, undefined])
      },
      idleTimeout,
    ))
})

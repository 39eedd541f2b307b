/** `connection.closed` and `stream.closed`: they settle once, with how it ended, and never reject. */
import { describe, expect, test } from 'vitest'
import { bytesOf, connect, face, failureOf, readAll, stateOf, streamOf, take, wait } from './bed.ts'

describe('connection.closed', () => {
  test('tells both ends how it ended, also who asks afterwards', () =>
    face('connection', async (it) => {
      const [ours, theirs] = await connect(it)
      const before = theirs.closed
      expect([await stateOf(before), theirs.closed === before]).toEqual(['pending', true])
      await ours.close({ code: 7, reason: 'full' })
      expect(await before).toMatchObject({ by: 'remote', code: 7 })
      expect([await before, await ours.closed]).toEqual([theirs.end, ours.end])
      expect(ours.end?.by).toBe('local')
    }))

  test('of a handle is when that is closed', () =>
    face('handle', async (it) => {
      const [one, other] = [await it.alice.connect(it.bob.ticket), await it.alice.connect(it.bob.ticket)]
      await one.close({ code: 3 })
      expect([await one.closed, await stateOf(other.closed)]).toEqual([one.end, 'pending'])
      await it.alice.close()
      expect((await other.closed).by).toBe('local')
    }))
})

describe('stream.closed', () => {
  test('is when both halves are over: all acknowledged, and all read', () =>
    face('stream', async (it) => {
      const [stream, accepted] = await streamOf(await connect(it))
      await stream.end()
      await readAll(accepted)
      expect([await stateOf(stream.closed), await stateOf(accepted.closed)]).toEqual(['pending', 'pending'])
      const ended = accepted.end()
      await wait(it, 1000)
      expect(await stateOf(stream.closed)).toBe('pending')
      await readAll(stream)
      await ended
      expect([await stream.closed, await accepted.closed]).toEqual([{ error: undefined }, { error: undefined }])
    }))

  test('tells the code of a reset, at both ends, and who asks afterwards', () =>
    face('reset', async (it) => {
      const [stream, accepted] = await streamOf(await connect(it))
      const early = accepted.closed
      stream.abort({ streamCode: 4 })
      stream.cancel({ streamCode: 5 })
      expect(await stream.closed).toMatchObject({ error: { code: 'ERR_CLOSED' } })
      await failureOf(readAll(accepted))
      expect(await early).toMatchObject({ error: { code: 'ERR_STREAM_RESET', cause: { streamCode: 5 } } })
      expect(await accepted.closed).toBe(await early)
    }))

  test('is when the connection ends', () =>
    face('end', async (it) => {
      const [ours, theirs] = await connect(it)
      const [stream, accepted] = await streamOf([ours, theirs])
      await accepted.write(bytesOf('unread'))
      await wait(it, 1000)
      await theirs.close()
      expect(await stream.closed).toMatchObject({ error: { code: 'ERR_CLOSED' } })
      expect(await accepted.closed).toMatchObject({ error: { code: 'ERR_CLOSED' } })
      // What came is still there to be read, and changes nothing.
      expect(await stream.read()).toEqual(bytesOf('unread'))
      expect(await stream.closed).toMatchObject({ error: { code: 'ERR_CLOSED' } })
    }))

  test('of a stream that was over before the connection ended says nothing of that', () =>
    face('over before', async (it) => {
      const [ours, theirs] = await connect(it)
      const [stream, accepted] = await streamOf([ours, theirs])
      const ended = stream.end()
      await readAll(accepted)
      await Promise.all([ended, accepted.end(), readAll(stream)])
      await ours.close()
      expect([await stream.closed, await accepted.closed]).toEqual([{ error: undefined }, { error: undefined }])
    }))
})

describe('peer.ping', () => {
  test('measures one round trip, and leaves no connection', () =>
    face('ping', async (it) => {
      const pong = await it.alice.ping(it.bob.ticket)
      expect([pong.rtt > 0, pong.path.kind]).toEqual([true, 'direct'])
      const theirs = await take(it.bob.incoming)
      expect(await theirs.closed).toMatchObject({ by: 'remote', code: 0 })
      expect(it.alice.inspect().connections).toEqual([])
    }))

  test('goes the way that it is told, and closes no connection that was there', () =>
    face('beside', async (it) => {
      const ours = await it.alice.connect(it.bob.ticket, { via: 'relay-only' })
      expect((await it.alice.ping(it.bob.ticket, { via: 'relay-only' })).path.kind).toBe('relay')
      expect(ours.end).toBeUndefined()
    }))

  test('has one deadline, and a signal', () =>
    face('deadline', async (it) => {
      const { network } = it.internet.sim
      const started = it.internet.sim.clock.now()
      // Bob's answer to the dial arrives, and none of his records.
      network.filter = ({ source, bytes }) =>
        bytes[0] !== 0xb2 || !it.bob.addresses.some(({ ip, port }) => ip === source.ip && port === source.port)
      expect((await failureOf(it.alice.ping(it.bob.ticket, { timeout: 2000 }))).code).toBe('ERR_TIMEOUT')
      expect(it.internet.sim.clock.now() - started).toBe(2000)
      const signal = AbortSignal.abort()
      expect((await failureOf(it.alice.ping(it.bob.ticket, { signal }))).code).toBe('ERR_ABORTED')
      expect((await failureOf(it.alice.ping(it.bob.ticket, { retry: true } as never))).code).toBe('ERR_BAD_ARGUMENT')
    }))
})

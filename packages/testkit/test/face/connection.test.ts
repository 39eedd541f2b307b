import { describe, expect, test } from 'vitest'
import { bytesOf, connect, contents, face, failureOf, same, stateOf, take, textOf, wait } from './bed.ts'

describe('datagrams', () => {
  test('arrive each once, in both directions, and the promise settles when they left', () =>
    face('datagrams', async (it) => {
      const [ours, theirs] = await connect(it)
      const started = it.internet.sim.clock.now()
      for (const text of ['one', 'two', 'three']) await ours.sendDatagram(bytesOf(text))
      expect(it.internet.sim.clock.now()).toBe(started)
      await theirs.sendDatagram(bytesOf('back'))
      const read: string[] = []
      for await (const datagram of theirs) if (read.push(textOf(datagram)) === 3) break
      const incoming = ours[Symbol.asyncIterator]()
      expect([read, textOf(await take(incoming))]).toEqual([['one', 'two', 'three'], 'back'])
      const more = incoming.next()
      await wait(it, 5000)
      expect(await stateOf(more)).toBe('pending')
    }))

  test('of maxDatagramSize bytes arrive whole, and one byte more is refused, as is nothing at all', () =>
    face('size', async (it) => {
      const [ours, theirs] = await connect(it)
      const largest = contents(ours.maxDatagramSize)
      await ours.sendDatagram(largest)
      expect(same(await take(theirs[Symbol.asyncIterator]()), largest)).toBe(true)
      const refused = [new Uint8Array(ours.maxDatagramSize + 1), new Uint8Array(0)]
      const errors = await Promise.all(refused.map((bytes) => failureOf(ours.sendDatagram(bytes))))
      expect(errors.map(({ code }) => code)).toEqual(['ERR_TOO_LARGE', 'ERR_TOO_LARGE'])
    }))

  test('that are not read are kept up to 1,024 of them, and the later ones are dropped', () =>
    face('unread', async (it) => {
      const [ours, theirs] = await connect(it)
      for (let sent = 0; sent < 1100; sent++) {
        await ours.sendDatagram(Uint8Array.of(sent >>> 8, sent))
        if (sent % 50 === 0) await wait(it, 100)
      }
      await wait(it, 5000)
      await ours.close()
      await wait(it, 1000)
      const read: number[] = []
      for await (const [high = 0, low = 0] of theirs) read.push(high * 256 + low)
      expect(read).toEqual(Array.from({ length: 1024 }, (_, index) => index))
    }))

  test('are refused after the signal was aborted, and after the connection was closed', () =>
    face('refused', async (it) => {
      const [ours] = await connect(it)
      const aborted = await failureOf(ours.sendDatagram(bytesOf('x'), { signal: AbortSignal.abort('no more') }))
      await ours.close()
      const closed = await failureOf(ours.sendDatagram(bytesOf('x')))
      expect([aborted.code, aborted.cause, closed.code]).toEqual(['ERR_ABORTED', 'no more', 'ERR_CLOSED'])
    }))
})

describe('a plaintext connection', () => {
  const plaintext = { both: { plaintext: true } }

  test('says so, and has no streams', () =>
    face(
      'plaintext streams',
      async (it) => {
        const [ours] = await connect(it)
        const { code } = await failureOf(ours.openStream())
        expect([ours.protected, ours.statistics, code]).toEqual([false, undefined, 'ERR_PLAINTEXT_REFUSED'])
      },
      plaintext,
    ))

  test('settles a datagram when the remote peer has acknowledged it', () =>
    face(
      'plaintext acknowledged',
      async (it) => {
        const [ours, theirs] = await connect(it)
        await wait(it, 10_000)
        const started = it.internet.sim.clock.now()
        const sending = ours.sendDatagram(bytesOf('hello'))
        expect(await stateOf(sending)).toBe('pending')
        await sending
        expect(it.internet.sim.clock.now() - started).toBeGreaterThanOrEqual(20)
        expect(textOf(await take(theirs[Symbol.asyncIterator]()))).toBe('hello')
      },
      plaintext,
    ))

  test('stops waiting for the acknowledgement when the signal is aborted', () =>
    face(
      'plaintext aborted',
      async (it) => {
        const [ours] = await connect(it)
        await wait(it, 10_000)
        it.internet.sim.network.filter = () => false
        const application = new AbortController()
        const sending = failureOf(ours.sendDatagram(bytesOf('hello'), { signal: application.signal }))
        await wait(it, 500)
        const before = await stateOf(sending)
        application.abort('no more')
        const { code, cause } = await sending
        expect([before, code, cause]).toEqual(['pending', 'ERR_ABORTED', 'no more'])
        it.internet.sim.network.filter = undefined
      },
      plaintext,
    ))

  test('makes the sender wait for a reader that is behind, and goes on when it reads', () =>
    face(
      'plaintext behind',
      async (it) => {
        const [ours, theirs] = await connect(it)
        await wait(it, 10_000)
        let acknowledged = 0
        const send = async (index: number): Promise<void> => {
          await ours.sendDatagram(Uint8Array.of(index >>> 8, index))
          acknowledged++
        }
        for (let first = 0; first < 1000; first += 100)
          await Promise.all(Array.from({ length: 100 }, (_, index) => send(first + index)))
        const rest = Promise.all(Array.from({ length: 200 }, (_, index) => send(1000 + index)))
        await wait(it, 1000)
        const behind = acknowledged
        const read = new Set<number>()
        for await (const [high = 0, low = 0] of theirs) if (read.add(high * 256 + low).size === 1200) break
        await rest
        expect([behind < 1200, acknowledged]).toEqual([true, 1200])
      },
      plaintext,
    ))
})

describe('the end of a connection', () => {
  test('is seen at both ends with a reason, and ends every iteration', () =>
    face('end', async (it) => {
      const [ours, theirs] = await connect(it)
      const reasons: string[] = []
      for (const each of [ours, theirs]) each.on('close', (reason) => reasons.push(reason))
      const readers = [ours, theirs].flatMap((each) => [each.streams.next(), each[Symbol.asyncIterator]().next()])
      await ours.close()
      expect((await Promise.all(readers)).map(({ done }) => done)).toEqual([true, true, true, true])
      expect([ours.closedBecause, theirs.closedBecause]).toEqual(reasons)
      expect([reasons.length, ours.statistics, theirs.statistics]).toEqual([2, undefined, undefined])
    }))

  test('comes at the end of the block that uses it, and closing twice is closing once', () =>
    face('using', async (it) => {
      const [kept, theirs] = await connect(it)
      let closed = 0
      kept.on('close', () => closed++)
      {
        await using connection = kept
        expect(connection.closedBecause).toBeUndefined()
      }
      await kept.close()
      await wait(it, 1000)
      expect([closed, theirs.closedBecause === undefined]).toEqual([1, false])
    }))

  test('leaves the datagrams that were not read, then ends their iteration', () =>
    face('unread datagrams', async (it) => {
      const [ours, theirs] = await connect(it)
      await ours.sendDatagram(bytesOf('last words'))
      await wait(it, 1000)
      await ours.close()
      await wait(it, 1000)
      const read: string[] = []
      for await (const datagram of theirs) read.push(textOf(datagram))
      expect([read, theirs.closedBecause === undefined]).toEqual([['last words'], false])
    }))

  test('comes by itself when the remote peer is gone without a goodbye', () =>
    face('gone', async (it) => {
      const [ours] = await connect(it)
      const closed = new Promise<string>((resolve) => ours.on('close', resolve))
      it.internet.sim.network.filter = () => false
      const reason = await closed
      it.internet.sim.network.filter = undefined
      expect(ours.closedBecause).toBe(reason)
    }))
})

describe('what a connection tells', () => {
  test('its timeline has what happened, oldest first, and statistics count what was sent', () =>
    face('timeline', async (it) => {
      const [ours] = await connect(it)
      const stream = await ours.openStream()
      await stream.write(contents(50_000))
      await wait(it, 2000)
      const times = ours.timeline.map(({ at }) => at)
      expect(times.length).toBeGreaterThan(0)
      expect(times).toEqual([...times].sort((a, b) => a - b))
      const { path, why, rtt } = ours.statistics ?? {}
      expect([path, why]).toEqual([ours.path, 'initial path'])
      expect(rtt).toBeGreaterThanOrEqual(20)
    }))
})

/** Peers of a version that does not say that it knows named streams. */
import { expect, test, vi } from 'vitest'
import { bytesOf, connect, face, failureOf, readAll, take, textOf } from './bed.ts'

vi.mock('@showchain/wire/end-to-end', async (original) => {
  const wire = await original<typeof import('@showchain/wire/end-to-end')>()
  const before = { namedStreams: false }
  return {
    ...wire,
    writeHandshakePayload: (fields: Parameters<typeof wire.writeHandshakePayload>[0]) =>
      wire.writeHandshakePayload({ ...fields, ...before }),
    writeHelloOffer: (offer: Parameters<typeof wire.writeHelloOffer>[0]) =>
      wire.writeHelloOffer({ ...offer, ...before }),
    writeHelloRequest: (request: Parameters<typeof wire.writeHelloRequest>[0]) =>
      wire.writeHelloRequest({ ...request, ...before }),
  }
})

test('are sent no name: openStream with a protocol fails, and all else is as it was', () =>
  face('older', async (it) => {
    const [ours, theirs] = await connect(it)
    const failure = await failureOf(ours.openStream({ protocol: 'chat/1' }))
    expect([failure.code, failure.message]).toEqual([
      'ERR_UNKNOWN_PROTOCOL',
      expect.stringContaining('version knows no protocols'),
    ])
    const streams = [await ours.openStream(), await ours.openStream(), await theirs.openStream()]
    // RFC 9000 has steps of 4, and so have two ends that know names.
    expect(streams.map(({ id }) => id - (id % 2))).toEqual([0, 2, 0])
    const writing = streams[0]?.write(bytesOf('hello')).then(() => streams[0]?.end())
    expect(textOf(await readAll(await take(theirs.streams)))).toBe('hello')
    await writing
    expect([ours.end, theirs.end]).toEqual([undefined, undefined])
  }))

/** Peers of a version that does not say that it knows named streams. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const WIRE = '@showchain/wire/end-to-end'
type Wire = typeof import('@showchain/wire/end-to-end')

/** What is loaded anew says nothing of names. Other test files share the modules that were loaded before. */
async function older(): Promise<typeof import('./bed.ts')> {
  vi.resetModules()
  vi.doMock(WIRE, async (original) => {
    const wire = await original<Wire>()
    const before = { namedStreams: false }
    return {
      ...wire,
      writeHandshakePayload: (fields: Parameters<Wire['writeHandshakePayload']>[0]) =>
        wire.writeHandshakePayload({ ...fields, ...before }),
      writeHelloOffer: (offer: Parameters<Wire['writeHelloOffer']>[0]) => wire.writeHelloOffer({ ...offer, ...before }),
      writeHelloRequest: (request: Parameters<Wire['writeHelloRequest']>[0]) =>
        wire.writeHelloRequest({ ...request, ...before }),
    }
  })
  return await import('./bed.ts')
}

let bed: typeof import('./bed.ts')
beforeAll(async () => {
  bed = await older()
})
afterAll(() => {
  vi.doUnmock(WIRE)
  vi.resetModules()
})

test('are sent no name: openStream with a protocol fails, and all else is as it was', () =>
  bed.face('older', async (it) => {
    const { bytesOf, connect, failureOf, readAll, take, textOf } = bed
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

/** Real sockets of each kind under a bad line: every byte of a stream comes, and memory stays as it is. */
import { createHash, randomBytes } from 'node:crypto'
import { type Connection, Peer, type Stream } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { nodeRuntime, openUdp, type Runtime } from '@showchain/client/runtime'
import { generateIdentity } from '@showchain/crypto'
import { needs } from '@showchain-tooling/vitest/needs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { faultySocket, SeededRandom } from '../../src/index.ts'

type Kind = 'batched' | 'dgram'

const MIB = 1024 * 1024
const STREAMS = 4
const PIECE = 256 * 1024
/** After this share of all bytes, memory is as large as it gets. */
const WARM = 0.2

const probe = await openUdp({ kind: 'auto', listen: [{ host: '127.0.0.1', port: 0 }] })
await probe.close()
const needsBatched = needs(probe.implementation.kind === 'batched', probe.implementation.reason)

/** Sockets of one kind, whose datagrams are lost, doubled and held back on their way out. */
const badLine = (kind: Kind): Runtime => ({
  ...nodeRuntime,
  async openSocket(options) {
    const socket = await openUdp({ ...options, kind })
    const line = { loss: 0.05, duplicate: 0.02, reorder: 0.02, reorderDelay: duration(5), latency: duration(0) }
    const faults = {
      ...line,
      clock: nodeRuntime.clock,
      random: new SeededRandom('a bad line'),
      direction: 'sent',
    } as const
    return Object.assign(faultySocket(socket, faults), {
      counters: socket.counters,
      implementation: socket.implementation,
    })
  },
})

async function peer(kind: Kind): Promise<Peer> {
  const opened = await Peer.open({
    ...{ identity: await generateIdentity(), relays: [], addressPolicy: 'lab' },
    listen: [{ host: '127.0.0.1', port: 0 }],
    runtime: badLine(kind),
  })
  onTestFinished(() => opened.close())
  return opened
}

/** @returns the SHA-256 of what was written, by stream */
async function write(connection: Connection, bytes: number): Promise<ReadonlyMap<number, string>> {
  const block = randomBytes(PIECE)
  const one = async (): Promise<readonly [number, string]> => {
    const [stream, hash] = [await connection.openStream(), createHash('sha256')]
    for (let left = bytes / STREAMS; left > 0; left -= PIECE) {
      // Each piece is another one.
      block.writeUInt32LE(left >>> 0, left % (PIECE - 4))
      const piece = Uint8Array.from(block.subarray(0, Math.min(left, PIECE)))
      hash.update(piece)
      await stream.write(piece)
    }
    await stream.end()
    return [stream.id, hash.digest('hex')]
  }
  return new Map(await Promise.all(Array.from({ length: STREAMS }, one)))
}

/** @returns the same of what came */
async function read(connection: Connection, came: (bytes: number) => void): Promise<ReadonlyMap<number, string>> {
  const one = async (stream: Stream): Promise<readonly [number, string]> => {
    const hash = createHash('sha256')
    for await (const piece of stream.readable) {
      hash.update(piece)
      came(piece.length)
    }
    await stream.end()
    return [stream.id, hash.digest('hex')]
  }
  const streams: Promise<readonly [number, string]>[] = []
  for await (const stream of connection.streams) if (streams.push(one(stream)) === STREAMS) break
  return new Map(await Promise.all(streams))
}

async function transfer(kind: Kind, bytes: number): Promise<void> {
  const [a, b] = [await peer(kind), await peer(kind)]
  const [there, { value: here }] = await Promise.all([a.connect(b.ticket), b.incoming.next()])
  expect([there.path.kind, a.inspect().socket.kind]).toEqual(['direct', kind])
  let [count, warm, most] = [0, 0, 0]
  const came = (more: number): void => {
    count += more
    const { rss } = process.memoryUsage()
    if (count < WARM * bytes) warm = Math.max(warm, rss)
    else most = Math.max(most, rss)
  }
  const [sent, received] = await Promise.all([write(there, bytes), read(here as Connection, came)])
  const { sent: records = 0, lost = 0 } = there.statistics ?? {}
  expect([received, count]).toEqual([sent, bytes])
  expect(lost / records).toBeGreaterThan(0.04)
  // Of so few bytes, most is the process that warms up.
  if (bytes > 1e8) expect((most - warm) / MIB).toBeLessThan(64)
}

describe.each([
  ['dgram', {}],
  ['batched', needsBatched],
] as const)('sockets of kind %s that lose 5 %, double 2 % and hold back 2 %', (kind, needed) => {
  test('bring 8 MB over streams', needed, () => transfer(kind, 8e6))
})

describe('batched sockets', needsBatched, () => {
  test('bring 1 GB over streams, and memory stays as it is', { tags: ['long'] }, () => transfer('batched', 1e9))
})

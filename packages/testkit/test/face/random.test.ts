/**
 * Applications that do anything at any time: whatever they do, each promise settles once the
 * connection has ended, with an error that is one of ours, and no stream has bytes that were not
 * written there.
 */
import type { Connection, Stream } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { ShowchainError } from '@showchain/wire'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connect, contents, type Face, face, wait } from './bed.ts'

const ACTS = [
  'accept',
  'open',
  'write',
  'write',
  'write much',
  'read',
  'read',
  'read to the end',
  'end',
  'end',
  'abort',
  'cancel',
  'datagram',
  'receive',
  'another handle',
  'close',
] as const
/** Milliseconds between two acts: within one input, a trip, an acknowledgement's delay, a timeout. */
const PAUSES = [0, 0, 1, 10, 11, 15, 25, 40, 1000]
/** More than the windows of a stream. */
const MUCH = 3_000_000

const step = fc.record({
  act: fc.constantFrom(...ACTS),
  by: fc.constantFrom(0, 1),
  /** Which of its streams, and of its handles. */
  which: fc.nat(7),
  pause: fc.constantFrom(...PAUSES),
})
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

/** What one end has, and what was written on each stream there. */
interface End {
  readonly handles: Connection[]
  readonly streams: Stream[]
  readonly written: Map<number, Uint8Array[]>
  readonly read: Map<number, Uint8Array[]>
}

class Play {
  readonly #it: Face
  readonly #ends: readonly [End, End]
  /** What was asked and has not settled. */
  readonly pending = new Set<string>()
  readonly foreign: unknown[] = []

  constructor(it: Face, connections: readonly [Connection, Connection]) {
    this.#it = it
    const end = (handle: Connection): End => ({ handles: [handle], streams: [], written: new Map(), read: new Map() })
    this.#ends = [end(connections[0]), end(connections[1])]
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const [index, each] of steps.entries()) {
      const name = `${index}: ${each.act} by ${each.by}`
      this.pending.add(name)
      this.#act(each)
        .catch((error) => error instanceof ShowchainError || this.foreign.push(error))
        .finally(() => this.pending.delete(name))
      if (each.pause > 0) await wait(this.#it, each.pause)
    }
  }

  async close(by: 0 | 1): Promise<void> {
    for (const handle of this.#ends[by].handles) await handle.close()
  }

  /** A stream that both have. */
  stream(): Promise<void> {
    return this.play([
      { act: 'open', by: 0, which: 0, pause: 0 },
      { act: 'write', by: 0, which: 0, pause: 0 },
      { act: 'accept', by: 1, which: 0, pause: 15 },
    ])
  }

  /** Bytes that were read are the first of those that were written, in order. */
  get isTrue(): boolean {
    const [one, other] = this.#ends
    return [[one, other] as const, [other, one] as const].every(([from, to]) =>
      [...to.read].every(([id, pieces]) => {
        const read = Buffer.concat(pieces)
        return Buffer.concat(from.written.get(id) ?? [])
          .subarray(0, read.length)
          .equals(read)
      }),
    )
  }

  async #act({ act, by, which }: Step): Promise<void> {
    const end = this.#ends[by] as End
    const handle = end.handles[which % end.handles.length] as Connection
    if (act === 'open') return void end.streams.push(await handle.openStream())
    if (act === 'accept') return this.#accept(end, handle)
    if (act === 'datagram') return handle.sendDatagram(contents(100))
    if (act === 'receive') return void (await handle[Symbol.asyncIterator]().next())
    if (act === 'close') return handle.close({ code: which })
    if (act === 'another handle') {
      const { alice, bob } = this.#it
      return void end.handles.push(await (by === 0 ? alice.connect(bob.ticket) : bob.connect(alice.ticket)))
    }
    const stream = end.streams[which % end.streams.length]
    if (stream === undefined) return
    if (act === 'write') return this.#write(end, stream, 1000 * (which + 1))
    if (act === 'write much') return this.#write(end, stream, MUCH)
    if (act === 'read') return void (await this.#read(end, stream))
    if (act === 'read to the end') while (await this.#read(end, stream));
    if (act === 'end') return stream.end()
    if (act === 'abort') stream.abort({ streamCode: which })
    if (act === 'cancel') stream.cancel({ streamCode: which })
  }

  async #accept(end: End, handle: Connection): Promise<void> {
    const { value, done } = await handle.streams.next()
    if (!done) end.streams.push(value)
  }

  #write({ written }: End, stream: Stream, length: number): Promise<void> {
    const bytes = contents(length, stream.id)
    const taken = stream.write(bytes)
    const pieces = written.get(stream.id) ?? []
    written.set(stream.id, [...pieces, bytes])
    return taken
  }

  async #read({ read }: End, stream: Stream): Promise<boolean> {
    const bytes = await stream.read()
    if (bytes === undefined) return false
    read.set(stream.id, [...(read.get(stream.id) ?? []), bytes])
    return true
  }
}

const ending = fc.record({
  loss: fc.constantFrom(0, 0, 0.1),
  pause: fc.constantFrom(...PAUSES),
  first: fc.constantFrom(0 as const, 1 as const),
})

test(
  'whatever two applications do, everything settles and no byte is wrong',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 25 }), ending, (steps, { loss, pause, first }) =>
        face(
          'anything',
          async (it) => {
            const play = new Play(it, await connect(it))
            await play.stream()
            await play.play(steps)
            await play.close(first)
            if (pause > 0) await wait(it, pause)
            await play.close(first === 0 ? 1 : 0)
            // Who connected again has another connection, which ends with its peer.
            await Promise.all([it.alice.close(), it.bob.close()])
            await wait(it, 10_000)
            expect([[...play.pending], play.foreign, play.isTrue]).toEqual([[], [], true])
          },
          { conditions: { loss, latency: duration(10) } },
        ),
      ),
      { numRuns: runs(30) },
    )
  },
  runs(60_000),
)

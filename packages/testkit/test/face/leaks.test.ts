/**
 * Nothing stays in memory of dials, connections and streams that are over. With SHOWCHAIN_RUNS=5
 * there are 10,000 of each, and 100,000 streams.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { Relay } from '@showchain/server/runtime'
import { runs } from '@showchain-tooling/vitest/random'
import { expect, test } from 'vitest'
import { Internet, nat } from '../../src/index.ts'
import { bytesOf, connect, face, readAll, streamOf, take } from './bed.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Before the first measurement, so that the engine has compiled what it will. */
const WARM_UP = 1000
const TIMES = runs(2000)
const STREAMS = 10 * TIMES
/** Above what everything that a relay or a peer remembers lives for. */
const MEMORY = duration(700_000)
const MEBIBYTE = 2 ** 20

/** The simulator's own record of what happened. */
function forget({ sim }: Internet): void {
  ;(sim.timeline.entries as unknown[]).length = 0
}

/** What is in memory once everything that is remembered for a while is forgotten. */
async function heapOf(internet: Internet): Promise<number> {
  await internet.wait(MEMORY)
  forget(internet)
  collect()
  return process.memoryUsage().heapUsed
}

interface Ends {
  readonly internet: Internet
  readonly caller: Peer
  readonly callee: Peer
  /** A ticket of somebody who is not there. */
  readonly absent: (number: number) => string
}

/** Bytes that are left of doing something many times, on a relay that nobody watches. */
async function leftOf(what: string, once: (ends: Ends, number: number) => Promise<void>): Promise<number> {
  let left = Number.NaN
  await Internet.run(what, { latency: duration(5) }, async (internet) => {
    const place = (name: string, behind?: ReturnType<typeof nat.T3>) => ({
      identity: internet.sim.identity(name),
      runtime: internet.runtime(internet.host(name, behind && { behind: internet.router({ nat: behind }) })),
    })
    const relay = await Relay.open({ ...place('relay'), listen: [{ host: '0.0.0.0', port: 3478 }] })
    const open = async (name: string): Promise<Peer> => {
      const peer = await Peer.open({ ...place(name, nat.T3()), relays: [relay.ticket] })
      await peer.registered()
      return peer
    }
    const [caller, callee] = [await open('caller'), await open('callee')]
    const strangers = Array.from({ length: 40 }, (_, number) => internet.sim.identity(`absent ${number}`).id)
    const absent = (number: number): string =>
      callee.ticket.replace(callee.id, strangers[number % strangers.length] as string)
    const used = async (times: number): Promise<number> => {
      for (let number = 0; number < times; number++) {
        await once({ internet, caller, callee, absent }, number)
        if (number % WARM_UP === 0) forget(internet)
      }
      return heapOf(internet)
    }
    const before = await used(WARM_UP)
    left = (await used(TIMES)) - before
    await Promise.all([caller.close(), callee.close(), relay.close()])
  })
  tell(what, TIMES, left)
  return left
}

const tell = (what: string, times: number, left: number): void =>
  console.log(`${(left / 1024).toFixed(0)} KiB are left of ${times} ${what}.`)

const MINUTES = { tags: ['long'], timeout: runs(600_000) }

test(`of ${TIMES} failed dials`, MINUTES, async () => {
  const left = await leftOf('failed dials', async ({ caller, absent }, number) => {
    // Not by `rejects`, which keeps what it waited for.
    const failure = await caller.connect(absent(number), { timeout: 20_000 }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Error)
  })
  expect(left).toBeLessThan(MEBIBYTE)
})

test(`of ${TIMES} aborted dials`, MINUTES, async () => {
  const left = await leftOf('aborted dials', async ({ internet, caller, absent }, number) => {
    const controller = new AbortController()
    const dial = caller.connect(absent(number), { signal: controller.signal }).catch((error: unknown) => error)
    await internet.wait(duration(number % 2000))
    controller.abort()
    expect(await dial).toBeInstanceOf(Error)
  })
  expect(left).toBeLessThan(MEBIBYTE)
})

test(`of ${TIMES} connections`, MINUTES, async () => {
  const left = await leftOf('connections', async ({ internet, caller, callee }, number) => {
    const connection = await caller.connect(callee.ticket)
    const theirs = await take(callee.incoming)
    const stream = await connection.openStream()
    await stream.write(bytesOf('first'))
    await internet.wait(duration(number % 700))
    await (number % 2 === 0 ? connection : theirs).close()
    await internet.wait(duration(500))
  })
  expect(left).toBeLessThan(MEBIBYTE)
})

test(`of ${STREAMS} short streams`, MINUTES, () =>
  face('short streams', async (it) => {
    const connections = await connect(it)
    const play = async (times: number): Promise<number> => {
      for (let count = 0; count < times; count++) {
        const [ours, theirs] = await streamOf(connections)
        const ended = ours.end()
        expect((await readAll(theirs)).length).toBe(5)
        await Promise.all([ended, theirs.end(), readAll(ours)])
        if (count % WARM_UP === 0) forget(it.internet)
      }
      return heapOf(it.internet)
    }
    const before = await play(10_000)
    const left = (await play(STREAMS)) - before
    tell('short streams', STREAMS, left)
    expect(left).toBeLessThan(MEBIBYTE)
  }),
)

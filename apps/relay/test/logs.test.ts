/** What is logged while a relay runs, beside its beginning and its end. */
import { COUNTER_SENTENCES, type CounterName, RELAY_COUNTERS } from '@showchain/server/runtime'
import { describe, expect, test } from 'vitest'
import { FLEET_COUNTERS, LIMIT_COUNTERS, LimitWatch } from '../src/limit-watch.ts'
import { OperatedRelay, sendRelayed } from './operator.ts'

const BYTES = 20_000
/** A level of pino's. */
const [INFO, WARN] = [30, 40]

test('a session has one line when it ends: whom it joined, bytes, seconds, why', async () => {
  await using relay = await OperatedRelay.start('--limit', 'sessionsPerId=1')
  await using alice = await relay.peer()
  await using bob = await relay.peer()
  await using carol = await relay.peer()
  await sendRelayed(alice, bob, BYTES)
  await sendRelayed(alice, carol, BYTES)
  const line = JSON.parse(await relay.program.stderr.line(/"msg":"session ended"/)) as Record<string, unknown>
  expect(line).toMatchObject({
    level: INFO,
    requester: alice.id.slice(0, 8),
    target: bob.id.slice(0, 8),
    why: 'evicted',
    bytes: expect.any(Number),
    seconds: expect.any(Number),
  })
  expect(line.bytes).toBeGreaterThan(BYTES)
})

test('a session that is open when the relay ends has its line, too', async () => {
  await using relay = await OperatedRelay.start()
  await using alice = await relay.peer()
  await using bob = await relay.peer()
  await sendRelayed(alice, bob, BYTES)
  await Promise.all([alice.close(), bob.close()])
  relay.program.child.kill('SIGTERM')
  const line = JSON.parse(await relay.program.stderr.line(/"msg":"session ended"/)) as Record<string, unknown>
  expect(line).toMatchObject({ requester: alice.id.slice(0, 8), target: bob.id.slice(0, 8), why: 'relay ended' })
  expect(line.bytes).toBeGreaterThan(BYTES)
})

test('a limit that is reached is a warning', async () => {
  await using relay = await OperatedRelay.start('--limit', 'bindingsPerSource=1')
  await using _alice = await relay.peer()
  await using _refused = await relay.newcomer()
  const line = JSON.parse(await relay.program.stderr.line(/"msg":"limit reached"/)) as Record<string, unknown>
  expect(line).toMatchObject({ level: WARN, limit: 'bindingRefused', meaning: RELAY_COUNTERS.bindingRefused })
})

describe('a limit that is reached again and again', () => {
  const counted = (counts: Partial<Record<CounterName, number>>): Record<CounterName, number> => ({
    ...(Object.fromEntries(Object.keys(COUNTER_SENTENCES).map((name) => [name, 0])) as Record<CounterName, number>),
    ...counts,
  })
  const told = (watch: LimitWatch, counts: Partial<Record<CounterName, number>>, now: number): readonly unknown[] =>
    watch.reached(counted(counts), now).map(({ limit, times }) => [limit, times])

  test('is told once a minute, with how often', () => {
    const watch = new LimitWatch(LIMIT_COUNTERS)
    expect(told(watch, {}, 0)).toEqual([])
    expect(told(watch, { rateLimited: 5 }, 1000)).toEqual([['rateLimited', 5]])
    expect(told(watch, { rateLimited: 7 }, 2000)).toEqual([])
    expect(told(watch, { rateLimited: 9 }, 60_999)).toEqual([])
    expect(told(watch, { rateLimited: 9 }, 61_000)).toEqual([['rateLimited', 4]])
    expect(told(watch, { rateLimited: 9 }, 999_000)).toEqual([])
  })

  test('does not keep another one from being told', () => {
    const watch = new LimitWatch(LIMIT_COUNTERS)
    told(watch, { rateLimited: 5 }, 1000)
    expect(told(watch, { rateLimited: 6, verifyShed: 2 }, 2000)).toEqual([['verifyShed', 2]])
  })

  test('has a sentence', () => {
    for (const limit of [...LIMIT_COUNTERS, ...FLEET_COUNTERS]) expect(COUNTER_SENTENCES[limit], limit).toBeTruthy()
  })
})

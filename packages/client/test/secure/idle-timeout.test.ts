import { describe, expect, test } from 'vitest'
import { duration, type Instant, instant } from '../../src/core/endpoint/machine.ts'
import { Timers } from '../../src/core/endpoint/timers.ts'
import { IdleTimeout } from '../../src/core/secure/idle-timeout.ts'

/** A time-out of 30 s that was started at 0, and what it did so far. */
function bed() {
  const timers = new Timers()
  const did: string[] = []
  let now = instant(0)
  const way: { since: Instant | undefined } = { since: now }
  const idle = new IdleTimeout(timers, duration(30_000), {
    ask: () => did.push(`asked at ${now}`),
    reachableSince: () => way.since,
    silent: (why) => did.push(`${why}, at ${now}`),
  })
  idle.start(now)
  /** Wakes the timers at each of their times up to this one. */
  const until = (ms: number): void => {
    for (let at = timers.deadline; at !== undefined && at <= ms; at = timers.deadline) {
      now = at
      timers.wake(at)
    }
    now = instant(ms)
  }
  /** Nothing runs before this time. */
  const suspended = (ms: number): void => {
    now = instant(ms)
    timers.wake(now)
  }
  return { idle, did, until, suspended, way, now: () => now }
}

test('asks after two thirds, and gives up at the end', () => {
  const { did, until } = bed()
  until(60_000)
  expect(did).toEqual(['asked at 20000', 'nothing came from the remote peer for 30 s, at 30000'])
})

test('goes on while anything comes', () => {
  const { idle, did, until, now } = bed()
  for (let at = 19_000; at < 1_000_000; at += 19_000) {
    until(at)
    idle.heard(now())
  }
  expect(did).toEqual([])
})

test('gives up a third after the first of what was sent and not answered, however often it was sent', () => {
  const { idle, did, until, now } = bed()
  for (let at = 5000; at <= 14_000; at += 1000) {
    until(at)
    idle.asked(now())
  }
  until(60_000)
  expect(did).toEqual(['nothing came from the remote peer for 15 s, at 15000'])
})

test('an answer starts it anew', () => {
  const { idle, did, until, now } = bed()
  until(5000)
  idle.asked(now())
  until(14_999)
  idle.heard(now())
  until(40_000)
  expect(did).toEqual(['asked at 34999'])
})

test.each([false, true])('a process that was suspended asks first, whether it had asked before: %s', (asked) => {
  const { idle, did, until, suspended, now } = bed()
  until(1000)
  if (asked) idle.asked(now())
  suspended(90_000)
  until(99_999)
  expect(did).toEqual(asked ? [] : ['asked at 90000'])
  until(100_000)
  expect(did).toContain('nothing came from the remote peer for 100 s, at 100000')
})

describe('without a way to the remote peer', () => {
  test('what was sent and not answered costs nothing of the time-out', () => {
    const { idle, did, until, way, now } = bed()
    until(1000)
    idle.asked(now())
    way.since = undefined
    until(60_000)
    expect(did).toEqual(['nothing came from the remote peer for 30 s, at 30000'])
  })

  test('the last third begins when there is one again', () => {
    const { idle, did, until, way, now } = bed()
    until(1000)
    idle.asked(now())
    way.since = undefined
    until(14_500)
    way.since = now()
    until(60_000)
    expect(did).toEqual(['nothing came from the remote peer for 25 s, at 24500'])
  })

  test('nothing goes on for longer than the time-out, however often there is one again', () => {
    const { idle, did, until, way, now } = bed()
    until(1000)
    idle.asked(now())
    for (let at = 2000; at < 60_000; at += 1000) {
      until(at)
      way.since = now()
    }
    expect(did).toEqual(['nothing came from the remote peer for 30 s, at 30000'])
  })
})

test('does nothing once it was stopped', () => {
  const { idle, did, until } = bed()
  idle.stop()
  until(60_000)
  expect(did).toEqual([])
})

import { expect, test } from 'vitest'
import { type Duration, duration, type Instant, instant, later } from '../../src/core/index.ts'
import { NetworkWatch } from '../../src/runtime/index.ts'

/** A host whose addresses, failures and clock a test sets. */
function host() {
  let now = instant(1000)
  let pending: { readonly at: Instant; readonly fire: () => void } | undefined
  const state = { addresses: ['192.168.1.10', '2001:db8::10'] as readonly string[], failures: 0, changes: 0 }
  const watch = new NetworkWatch({
    clock: {
      now: () => now,
      unixMs: () => now,
      schedule: (at, fire) => {
        const mine = { at, fire }
        pending = mine
        return {
          cancel: () => {
            if (pending === mine) pending = undefined
          },
        }
      },
    },
    localAddresses: () => state.addresses,
    failures: () => state.failures,
    changed: () => state.changes++,
  })
  const pass = (by: Duration): void => {
    const end = later(now, by)
    for (let due = pending; due !== undefined && due.at <= end; due = pending) {
      now = instant(Math.max(due.at, now))
      pending = undefined
      due.fire()
    }
    now = end
  }
  const sleep = (by: Duration): void => {
    now = later(now, by)
  }
  return { state, watch, pass, sleep, pending: () => pending }
}

const SECOND = duration(1000)

test('nothing changes on a quiet host', () => {
  const { state, pass } = host()
  pass(duration(60_000))
  expect(state.changes).toBe(0)
})

test.each([
  ['another IPv4 address', ['10.7.0.3', '2001:db8::10']],
  ['another IPv6 address', ['192.168.1.10', '2001:db8::11']],
  ['one more', ['192.168.1.10', '192.168.2.4', '2001:db8::10']],
  ['one less', ['192.168.1.10']],
  ['none', []],
])('%s is noticed within a second, once', (_what, addresses) => {
  const { state, pass } = host()
  pass(duration(2500))
  state.addresses = addresses
  pass(SECOND)
  expect(state.changes).toBe(1)
  pass(duration(10_000))
  expect(state.changes).toBe(1)
})

test('the order of the addresses says nothing', () => {
  const { state, pass } = host()
  state.addresses = [...state.addresses].reverse()
  pass(duration(3000))
  expect(state.changes).toBe(0)
})

test('an address that goes and comes back is two changes', () => {
  const { state, pass } = host()
  const before = state.addresses
  state.addresses = []
  pass(duration(5000))
  state.addresses = before
  pass(duration(5000))
  expect(state.changes).toBe(2)
})

test.each([
  [1900, 0],
  [3100, 1],
  [3_600_000, 1],
])('a host that slept for %i ms: %i changes', (ms, changes) => {
  const { state, pass, sleep } = host()
  pass(SECOND)
  sleep(duration(ms))
  pass(duration(3000))
  expect(state.changes).toBe(changes)
})

test('sends that fail are no change; that they fail no longer is', () => {
  const { state, pass } = host()
  for (let second = 0; second < 5; second++) {
    state.failures += 3
    pass(SECOND)
  }
  expect(state.changes).toBe(0)
  pass(SECOND)
  expect(state.changes).toBe(1)
  pass(duration(5000))
  expect(state.changes).toBe(1)
})

test('a watch that is closed looks no more', () => {
  const { state, watch, pass, pending } = host()
  watch.close()
  state.addresses = []
  pass(duration(5000))
  expect([state.changes, pending()]).toEqual([0, undefined])
})

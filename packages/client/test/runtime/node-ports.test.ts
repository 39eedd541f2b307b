import { describe, expect, test } from 'vitest'
import { duration, later } from '../../src/core/endpoint/machine.ts'
import { nodeRandom, systemClock } from '../../src/runtime/index.ts'

describe('the clock of Node', () => {
  test('goes forward and fires what is due, also what is overdue', async () => {
    const start = systemClock.now()
    await new Promise<void>((resolve) => systemClock.schedule(later(start, duration(-5)), resolve))
    await new Promise<void>((resolve) => systemClock.schedule(later(start, duration(2)), resolve))
    expect(systemClock.now()).toBeGreaterThan(start)
  })

  test('never fires what was cancelled', async () => {
    const now = systemClock.now()
    systemClock.schedule(now, () => expect.unreachable()).cancel()
    await new Promise<void>((resolve) => systemClock.schedule(later(now, duration(2)), resolve))
  })

  test('takes a deadline that is further away than a timer reaches', () => {
    const never = systemClock.schedule(later(systemClock.now(), duration(1e12)), () => expect.unreachable())
    never.cancel()
  })
})

describe('the randomness of Node', () => {
  test('gives as many bytes as asked for, each time others', () => {
    for (const length of [0, 1, 16, 4096, 5000]) expect(nodeRandom.bytes(length)).toHaveLength(length)
    const seen = new Set(Array.from({ length: 1000 }, () => nodeRandom.bytes(16).join()))
    expect(seen.size).toBe(1000)
  })

  test('what was handed out does not change any more', () => {
    const bytes = nodeRandom.bytes(16)
    const before = bytes.slice()
    for (let i = 0; i < 1000; i++) nodeRandom.bytes(16)
    expect(bytes).toEqual(before)
  })

  test('numbers lie in their ranges', () => {
    for (let i = 0; i < 5000; i++) {
      const [integer, share] = [nodeRandom.uint32(), nodeRandom.uniform()]
      expect(Number.isInteger(integer) && integer >= 0 && integer < 2 ** 32).toBe(true)
      expect(share >= 0 && share < 1).toBe(true)
    }
  })
})

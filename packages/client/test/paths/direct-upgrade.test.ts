/** docs/protocol.md, Choosing a path: a relayed connection tries to become direct. */
import { describe, expect, test } from 'vitest'
import { DirectUpgrade } from '../../src/core/paths/direct-upgrade.ts'
import { ContextBed } from '../context-bed.ts'

const SECOND = 1000

class Bed extends ContextBed {
  readonly upgrade: DirectUpgrade
  /** Whether a direct path is missing and allowed. */
  wanted = true

  constructor() {
    super()
    this.upgrade = new DirectUpgrade(this.context, () => this.wanted)
  }

  /** Time until a punch is wanted. */
  untilPunch(): number {
    const began = this.now
    for (let step = 0; step < 10_000; step++) {
      if (this.upgrade.poll() !== undefined) return this.now - began
      this.advance(100)
    }
    throw new Error('no punch is wanted')
  }
}

test('it tries after 16 s, then after twice as long each time, up to ten minutes, each ±20 %', () => {
  const bed = new Bed()
  const waits: number[] = []
  for (let time = 0; time < 8; time++) {
    bed.upgrade.plan(bed.now)
    waits.push(bed.untilPunch() / SECOND)
    // A punch that finds nothing.
    bed.upgrade.punched(bed.now)
  }
  for (const [index, expected] of [16, 32, 64, 128, 256, 512, 600, 600].entries())
    expect(Math.abs((waits[index] as number) / expected - 1), `try ${index}`).toBeLessThanOrEqual(0.21)
})

describe('something that may help', () => {
  test('makes it try after a second, and begin anew with short waits', () => {
    const bed = new Bed()
    for (let time = 0; time < 4; time++) {
      bed.upgrade.plan(bed.now)
      bed.untilPunch()
      bed.upgrade.punched(bed.now)
    }
    bed.upgrade.soon(bed.now)
    expect(bed.untilPunch()).toBe(SECOND)
    bed.upgrade.punched(bed.now)
    expect(bed.untilPunch()).toBeLessThan(2 * 16 * 1.21 * SECOND)
  })

  test('takes the place of the try that was planned', () => {
    const bed = new Bed()
    bed.upgrade.plan(bed.now)
    bed.upgrade.soon(bed.now)
    expect(bed.untilPunch()).toBe(SECOND)
    bed.advance(60 * SECOND)
    expect(bed.upgrade.poll()).toBeUndefined()
  })

  test('changes nothing while a punch runs', () => {
    const bed = new Bed()
    bed.upgrade.soon(bed.now)
    bed.untilPunch()
    bed.upgrade.soon(bed.now)
    bed.advance(60 * SECOND)
    expect([bed.upgrade.poll(), bed.idle]).toEqual([undefined, true])
  })
})

describe('an address that the other end does not know', () => {
  test('makes it try at once, in place of the try that was planned', () => {
    const bed = new Bed()
    bed.upgrade.plan(bed.now)
    bed.upgrade.announce(bed.now)
    expect(bed.untilPunch()).toBeLessThanOrEqual(100)
    bed.advance(60 * SECOND)
    expect(bed.upgrade.poll()).toBeUndefined()
  })

  test('makes it try once more beside a punch that runs, and the next one waits for both', () => {
    const bed = new Bed()
    bed.upgrade.soon(bed.now)
    bed.untilPunch()
    bed.upgrade.announce(bed.now)
    expect([bed.upgrade.poll(), bed.upgrade.poll()]).toEqual(['punch', undefined])
    bed.upgrade.punched(bed.now)
    bed.advance(60 * SECOND)
    expect(bed.upgrade.poll()).toBeUndefined()
    bed.upgrade.punched(bed.now)
    expect(bed.untilPunch()).toBeGreaterThan(12 * SECOND)
  })

  test('waits for a second from when a try is wanted, at either end, and is told once', () => {
    const bed = new Bed()
    bed.wanted = false
    expect(bed.upgrade.due).toBe(false)
    bed.upgrade.announce(bed.now)
    bed.advance(60 * SECOND)
    expect([bed.upgrade.poll(), bed.upgrade.due]).toEqual([undefined, true])
    bed.wanted = true
    bed.upgrade.plan(bed.now)
    expect(bed.untilPunch()).toBe(SECOND)
    expect(bed.upgrade.due).toBe(false)
    bed.upgrade.punched(bed.now)
    expect(bed.untilPunch()).toBeGreaterThan(12 * SECOND)
  })

  test('is no matter to a connection that has ended', () => {
    const bed = new Bed()
    bed.upgrade.stop()
    bed.upgrade.announce(bed.now)
    expect([bed.upgrade.poll(), bed.idle]).toEqual([undefined, true])
  })
})

test('it plans one try at a time', () => {
  const bed = new Bed()
  bed.upgrade.plan(bed.now)
  bed.advance(5 * SECOND)
  bed.upgrade.plan(bed.now)
  expect(bed.untilPunch()).toBeLessThan(16 * 1.21 * SECOND - 5 * SECOND)
  bed.advance(60 * SECOND)
  expect(bed.upgrade.poll()).toBeUndefined()
})

test('it does not try when a direct path is there by then, and plans nothing while there is one', () => {
  const bed = new Bed()
  bed.upgrade.plan(bed.now)
  bed.wanted = false
  bed.advance(60 * SECOND)
  bed.upgrade.plan(bed.now)
  expect([bed.upgrade.poll(), bed.idle]).toEqual([undefined, true])
})

test('it does nothing any more when its connection has ended', () => {
  const bed = new Bed()
  bed.upgrade.soon(bed.now)
  bed.untilPunch()
  bed.upgrade.stop()
  bed.upgrade.punched(bed.now)
  bed.upgrade.soon(bed.now)
  bed.upgrade.plan(bed.now)
  bed.advance(60 * SECOND)
  expect([bed.upgrade.poll(), bed.idle]).toEqual([undefined, true])
})

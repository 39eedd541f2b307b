import { duration, instant } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { SIMULATED_EPOCH, VirtualClock } from '../../src/index.ts'

describe('the virtual clock', () => {
  test('lets things happen in order of time, then of scheduling', () => {
    const clock = new VirtualClock()
    const seen: string[] = []
    const note = (what: string) => () => seen.push(`${what} at ${clock.now()}`)
    clock.schedule(instant(20), note('late'))
    clock.schedule(instant(10), note('first'))
    clock.schedule(instant(10), note('second'))
    clock.advance(duration(30))
    expect(seen).toEqual(['first at 10', 'second at 10', 'late at 20'])
    expect(clock.now()).toBe(30)
  })

  test('what is scheduled meanwhile happens in the same run when it is due', () => {
    const clock = new VirtualClock()
    const seen: number[] = []
    const tick = (): void => {
      seen.push(clock.now())
      clock.schedule(instant(clock.now() + 10), tick)
    }
    clock.schedule(instant(10), tick)
    clock.runUntil(instant(35))
    expect(seen).toEqual([10, 20, 30])
  })

  test('never goes back: what is overdue happens now', () => {
    const clock = new VirtualClock()
    clock.advance(duration(100))
    const seen: number[] = []
    clock.schedule(instant(50), () => seen.push(clock.now()))
    expect(clock.step()).toBe(true)
    expect(seen).toEqual([100])
    clock.runUntil(instant(20))
    expect(clock.now()).toBe(100)
  })

  test('a cancelled event does not happen', () => {
    const clock = new VirtualClock()
    const event = clock.schedule(instant(10), () => expect.unreachable())
    event.cancel()
    expect(clock.step()).toBe(false)
  })

  test('the wall clock can step without moving any deadline', () => {
    const clock = new VirtualClock()
    clock.advance(duration(1500))
    clock.stepWallClock(duration(-60_000))
    expect(clock.now()).toBe(1500)
    expect(clock.unixMs()).toBe(SIMULATED_EPOCH + 1500 - 60_000)
  })

  test('something that schedules itself without delay is found out', () => {
    const clock = new VirtualClock()
    const again = (): void => void clock.schedule(clock.now(), again)
    again()
    expect(() => clock.step()).toThrow('schedules itself')
  })
})

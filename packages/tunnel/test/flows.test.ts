import { instant } from '@showchain/client/endpoint'
import { describe, expect, test } from 'vitest'
import { ForwardedFlows, MAX_FLOWS, redialDelay, ServedFlows } from '../src/core/index.ts'

/** Milliseconds after which a flow that is idle is forgotten. */
const IDLE = 120_000

class Socket {
  closed = false
  close(): void {
    this.closed = true
  }
}

describe('flows at the end that forwards', () => {
  test('have an id for each local address, which answers lead back by', () => {
    const flows = new ForwardedFlows()
    const [a, b] = [flows.from('a', instant(0)), flows.from('b', instant(0))]
    expect(a).not.toBe(b)
    expect(flows.from('a', instant(1))).toBe(a)
    expect([flows.to(a, instant(2)), flows.to(b, instant(2)), flows.to(99, instant(2))]).toEqual(['a', 'b', undefined])
  })

  test('are forgotten when they were idle, and get another id then', () => {
    const flows = new ForwardedFlows()
    const a = flows.from('a', instant(0))
    expect(flows.to(a, instant(IDLE - 1))).toBe('a')
    expect(flows.to(a, instant(2 * IDLE - 2))).toBe('a')
    expect(flows.to(a, instant(3 * IDLE))).toBeUndefined()
    expect(flows.from('a', instant(3 * IDLE))).not.toBe(a)
    expect(flows.size).toBe(1)
  })

  test('are bounded: one more takes the place of the one that was idle longest', () => {
    const flows = new ForwardedFlows()
    const ids = Array.from({ length: MAX_FLOWS }, (_, number) => flows.from(`${number}`, instant(number)))
    flows.from('0', instant(1000))
    flows.from('one more', instant(1001))
    expect(flows.size).toBe(MAX_FLOWS)
    expect([flows.to(ids[0] ?? -1, instant(1002)), flows.to(ids[1] ?? -1, instant(1002))]).toEqual(['0', undefined])
  })
})

describe('flows at the end that serves', () => {
  test('have a socket each, which is closed when they were idle', () => {
    const flows = new ServedFlows<Socket>()
    const first = flows.of(7, () => new Socket(), instant(0))
    expect(flows.of(7, () => new Socket(), instant(10))).toBe(first)
    const second = flows.of(8, () => new Socket(), instant(10))
    flows.touch(7, instant(100))
    expect(flows.deadline).toBe(IDLE)
    flows.expire(instant(IDLE + 50))
    expect([first.closed, second.closed]).toEqual([false, true])
    flows.expire(instant(IDLE + 100))
    expect([first.closed, flows.size, flows.deadline]).toEqual([true, 0, undefined])
  })

  test('are bounded: the socket that was idle longest is closed for one more', () => {
    const flows = new ServedFlows<Socket>()
    const sockets = Array.from({ length: 10 * MAX_FLOWS }, (_, id) => flows.of(id, () => new Socket(), instant(id)))
    expect(flows.size).toBe(MAX_FLOWS)
    expect(sockets.filter(({ closed }) => !closed)).toEqual(sockets.slice(-MAX_FLOWS))
  })

  test('are all closed at the end', () => {
    const flows = new ServedFlows<Socket>()
    const sockets = [1, 2, 3].map((id) => flows.of(id, () => new Socket(), instant(0)))
    flows.close()
    expect(sockets.every(({ closed }) => closed)).toBe(true)
  })
})

test('a remote peer that is gone is called again after 1 s, then less and less often, up to 30 s', () => {
  const delays = (uniform: number): readonly number[] =>
    [1, 2, 3, 5, 6, 7, 1000].map((failures) => redialDelay(failures, { uniform: () => uniform }))
  expect(delays(0.5)).toEqual([1000, 2000, 4000, 16_000, 30_000, 30_000, 30_000])
  expect([delays(0)[0], delays(0.999999)[0]]).toEqual([500, expect.closeTo(1500, 0)])
})

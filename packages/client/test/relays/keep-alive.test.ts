/** docs/protocol.md, Keep-alive: one path, and the other end in the test's hands. */
import { OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { KeepAlive } from '../../src/core/relays/keep-alive.ts'
import { ContextBed } from '../context-bed.ts'
import { OTHER, self } from '../peer-bed.ts'

const SECOND = 1000
const INTERVAL = 15 * SECOND

class Path extends ContextBed {
  readonly deaths: number[] = []
  readonly keepAlive: KeepAlive

  constructor() {
    super()
    this.keepAlive = this.do((now) => new KeepAlive(this.context, OTHER, now, (at) => this.deaths.push(at)))
  }

  /** The other end sends something every so often. */
  hear(every: number, times: number): void {
    for (let time = 0; time < times; time++) {
      this.advance(every)
      this.keepAlive.heard(this.now)
    }
  }
}

describe('a path', () => {
  test('on which nothing is sent gets a keep-alive after 15 s: a NAT forgets it otherwise', () => {
    const path = new Path()
    path.hear(INTERVAL - 1, 1)
    expect(path.keepAlives).toEqual([])
    path.advance(1)
    expect(path.keepAlives).toEqual([INTERVAL])
    expect(path.sent[0]).toMatchObject({ to: OTHER, message: { op_code: OP.keepAlive, id: self.id, seq: 0, ts: 0 } })
  })

  test('on which something is sent and heard gets none', () => {
    const path = new Path()
    for (let time = 0; time < 100; time++) {
      path.hear(SECOND, 1)
      path.keepAlive.sent(path.now)
    }
    expect(path.keepAlives).toEqual([])
  })

  test('on which much is sent and nothing heard gets one: sending alone proves nothing', () => {
    const path = new Path()
    for (let time = 0; time < 16; time++) {
      path.advance(SECOND)
      path.keepAlive.sent(path.now)
    }
    expect(path.keepAlives).toEqual([INTERVAL])
  })

  test('is dead when three were not answered, and one interval has passed', () => {
    const path = new Path()
    path.advance(10 * INTERVAL)
    expect(path.keepAlives).toEqual([1, 2, 3].map((times) => times * INTERVAL))
    expect(path.deaths).toEqual([4 * INTERVAL])
    expect(path.idle).toBe(true)
  })

  test('lives on by anything that is heard', () => {
    const path = new Path()
    path.advance(3 * INTERVAL + 14 * SECOND)
    path.keepAlive.heard(path.now)
    path.advance(3 * INTERVAL)
    expect(path.deaths).toEqual([])
    path.advance(2 * INTERVAL)
    expect(path.deaths).toHaveLength(1)
  })

  test('that was left wants nothing any more', () => {
    const path = new Path()
    path.keepAlive.stop()
    path.advance(10 * INTERVAL)
    expect([path.sent, path.deaths, path.idle]).toEqual([[], [], true])
  })
})

describe('a suspect path', () => {
  test('is asked at once, then every 5 s, and is dead after three and 5 s', () => {
    const path = new Path()
    path.hear(7 * SECOND, 1)
    path.advance(6 * SECOND)
    const began = path.now
    path.do((now) => path.keepAlive.suspect(now))
    path.advance(60 * SECOND)
    expect(path.keepAlives.map((at) => at - began)).toEqual([0, 5 * SECOND, 10 * SECOND])
    expect(path.deaths.map((at) => at - began)).toEqual([15 * SECOND])
  })

  test('that was heard of in the last 5 s has four: the first may not be answered, since one was sent just now', () => {
    const path = new Path()
    path.hear(7 * SECOND, 1)
    const began = path.now
    path.do((now) => path.keepAlive.suspect(now))
    path.advance(60 * SECOND)
    expect(path.keepAlives.map((at) => at - began)).toEqual([0, 5, 10, 15].map((times) => times * SECOND))
    expect(path.deaths).toHaveLength(1)
  })

  test('is alive again with anything that is heard', () => {
    const path = new Path()
    path.do((now) => path.keepAlive.suspect(now))
    path.advance(6 * SECOND)
    expect(path.keepAlive.suspected).toBe(true)
    path.keepAlive.heard(path.now)
    expect(path.keepAlive.suspected).toBe(false)
    path.sent.length = 0
    // The last one was sent a second ago.
    path.advance(INTERVAL - SECOND - 1)
    expect(path.keepAlives).toEqual([])
  })

  test('is what a host that slept comes back to', () => {
    const path = new Path()
    path.hear(SECOND, 1)
    path.sleep(600 * SECOND)
    expect([path.keepAlives.length, path.keepAlive.suspected]).toEqual([1, true])
    path.advance(5 * SECOND)
    expect(path.keepAlives).toHaveLength(2)
  })

  test('is not what a timer that is a little late makes', () => {
    const path = new Path()
    path.hear(SECOND, 1)
    path.sleep(INTERVAL)
    expect([path.keepAlives.length, path.keepAlive.suspected]).toEqual([1, false])
  })
})

describe('a keep-alive of the other end', () => {
  test('is echoed once in 5 s, so that two ends never echo for ever', () => {
    const path = new Path()
    const echo = (): void => path.do((now) => path.keepAlive.echo('binary', now))
    echo()
    echo()
    path.advance(5 * SECOND - 1)
    echo()
    expect(path.keepAlives).toEqual([0])
    path.advance(1)
    echo()
    expect(path.keepAlives).toEqual([0, 5 * SECOND])
  })

  test('is echoed in its encoding', () => {
    const path = new Path()
    path.do((now) => path.keepAlive.echo('json', now))
    expect(String.fromCharCode(path.sent[0]?.bytes[0] ?? 0)).toBe('{')
  })
})

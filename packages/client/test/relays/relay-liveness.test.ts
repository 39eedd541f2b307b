/** docs/protocol.md, Keep-alive: the leg to a relay, and the relay in the test's hands. */
import { decodeStun, encodeStun, OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { duration } from '../../src/core/index.ts'
import { StunTransactions } from '../../src/core/nat/stun-transactions.ts'
import { RelayLiveness } from '../../src/core/relays/relay-liveness.ts'
import { ContextBed } from '../context-bed.ts'
import { RELAY, self } from '../peer-bed.ts'

const SECOND = 1000
const INTERVAL = 15 * SECOND

class Leg extends ContextBed {
  readonly deaths: number[] = []
  readonly questions = new StunTransactions(this.context)
  readonly liveness: RelayLiveness

  doubts = 0

  constructor(keepAlive = INTERVAL) {
    super({ keepAlive: duration(keepAlive) })
    this.liveness = this.do(
      (now) =>
        new RelayLiveness(this.context, RELAY, this.questions, now, {
          dead: (at) => this.deaths.push(at),
          doubted: () => this.doubts++,
        }),
    )
  }

  /** The relay answers the question that was asked last. */
  answerStun(): void {
    const asked = this.stunAsked.at(-1)
    const transactionId = asked && decodeStun(asked.bytes)?.transactionId
    if (transactionId === undefined) throw new Error('nothing was asked')
    const bytes = encodeStun({ type: 'bindingSuccess', transactionId, mapped: RELAY })
    this.do((now) => this.questions.receive(bytes, RELAY, now))
  }

  suspect(): void {
    this.do((now) => this.liveness.suspect(now))
  }

  get questionsAt(): readonly number[] {
    return this.stunAsked.map(({ at }) => at)
  }
}

describe('a leg on which nobody speaks', () => {
  test('gets a keep-alive after 15 s, and no question when that is answered', () => {
    const leg = new Leg()
    for (let time = 1; time <= 10; time++) {
      leg.advance(INTERVAL)
      leg.do((now) => leg.liveness.heard(now))
    }
    expect(leg.keepAlives).toHaveLength(10)
    expect(leg.sent[0]?.message).toMatchObject({ op_code: OP.keepAlive, id: self.id })
    expect([leg.stunAsked, leg.deaths]).toEqual([[], []])
  })

  test('is asked when a keep-alive was not answered for 1 s: at once, and each 0.5 s for 2 s after', () => {
    const leg = new Leg()
    leg.advance(INTERVAL + 3900)
    expect(leg.questionsAt.map((at) => at - INTERVAL)).toEqual([1000, 1500, 2000, 2500, 3000])
    // The first question goes with a 0x100, which shows whether the relay knows this peer.
    expect(leg.keepAlives).toEqual([INTERVAL, INTERVAL + 1000])
    expect(leg.deaths).toEqual([])
  })

  test('is dead 4 s after a keep-alive to which nothing came, and asks nothing more', () => {
    const leg = new Leg()
    leg.advance(120 * SECOND)
    expect(leg.deaths[0]).toBe(INTERVAL + 4 * SECOND)
  })

  test.each([100, 200, 900, 1500, 4000])('is dead in seconds also with a keep-alive each %i ms', (keepAlive) => {
    const leg = new Leg(keepAlive)
    leg.advance(60 * SECOND)
    // The relay need not answer in the first 5 s. Then as with any other interval.
    expect(leg.deaths[0]).toBe(Math.ceil(5000 / keepAlive) * keepAlive + 4 * SECOND)
  })

  test.each([100, 200, 900, 1500, 4000])('is not asked when the relay answers once in 5 s, with %i ms', (keepAlive) => {
    const leg = new Leg(keepAlive)
    let answered = -5000
    for (let at = 0; at < 60_000; at += 50) {
      leg.advance(50)
      if (leg.keepAlives.at(-1) !== leg.now || leg.now < answered + 5000) continue
      answered = leg.now
      leg.do((now) => leg.liveness.heard(now))
    }
    expect([leg.stunAsked, leg.deaths]).toEqual([[], []])
  })

  test('is alive when the last of four questions is answered', () => {
    const leg = new Leg()
    leg.advance(INTERVAL + 3900)
    expect(leg.liveness.suspected).toBe(true)
    leg.answerStun()
    expect(leg.liveness.suspected).toBe(false)
    leg.advance(10 * SECOND)
    expect(leg.deaths).toEqual([])
  })

  test('that was left wants nothing any more', () => {
    const leg = new Leg()
    leg.advance(INTERVAL + 1200)
    leg.liveness.stop()
    leg.sent.length = 0
    leg.advance(120 * SECOND)
    expect([leg.sent, leg.deaths, leg.idle]).toEqual([[], [], true])
  })
})

describe('a leg that is suspect', () => {
  test('is asked at once, and dead after 3 s of silence', () => {
    const leg = new Leg()
    leg.advance(7 * SECOND)
    leg.suspect()
    expect([leg.questionsAt, leg.keepAlives]).toEqual([[7000], [7000]])
    leg.advance(3 * SECOND)
    expect(leg.deaths).toEqual([10_000])
  })

  test('is doubted after 1 s of silence, and not when it answers by then', () => {
    const leg = new Leg()
    leg.advance(7 * SECOND)
    leg.suspect()
    leg.advance(0.9 * SECOND)
    expect(leg.doubts).toBe(0)
    leg.advance(0.1 * SECOND)
    expect(leg.doubts).toBe(1)
    leg.answerStun()
    leg.advance(2 * SECOND)
    leg.suspect()
    leg.answerStun()
    leg.advance(5 * SECOND)
    expect([leg.doubts, leg.deaths]).toEqual([1, []])
  })

  test('is asked once in a second, however often it is suspected and answers', () => {
    const leg = new Leg()
    for (let time = 0; time < 50; time++) {
      leg.suspect()
      leg.answerStun()
      leg.advance(100)
    }
    expect(leg.questionsAt).toEqual([0, 1000, 2000, 3000, 4000])
  })

  test('is what a host that slept comes back to', () => {
    const leg = new Leg()
    leg.sleep(600 * SECOND)
    expect([leg.liveness.suspected, leg.stunAsked.length, leg.keepAlives.length]).toEqual([true, 1, 1])
  })
})

test('a keep-alive of the relay is echoed once in 5 s, and its answer is not waited for', () => {
  const leg = new Leg()
  const echo = (): void => leg.do((now) => leg.liveness.echo('binary', now))
  echo()
  echo()
  leg.advance(5 * SECOND)
  echo()
  expect(leg.keepAlives).toEqual([0, 5 * SECOND])
  leg.advance(9 * SECOND)
  expect(leg.stunAsked).toEqual([])
})

/** docs/protocol.md, What is in a record: STATIC_KEY. */
import { expect, test } from 'vitest'
import { instant } from '../../src/core/endpoint/machine.ts'
import { KeyAnnouncement } from '../../src/core/transport/key-announcement.ts'
import { CUBIC, Pair } from './pair.ts'
import { SECONDS } from './traffic.ts'

const KEY = { key: new Uint8Array(32).fill(7), lifetimeS: 60 }

test('STATIC_KEY is told once, and acknowledged', () => {
  const pair = new Pair(CUBIC, { delay: 5 })
  pair.a.transport.key.tell(KEY, pair.now)
  pair.run(SECONDS)
  expect(pair.b.staticKeys).toMatchObject([KEY])
  expect(pair.a.transport.unanswered).toBe(false)
})

test('STATIC_KEY goes beside the first acknowledgement, and by itself after 25 ms', () => {
  const pair = new Pair(CUBIC, { delay: 5 })
  for (const end of [pair.a, pair.b]) end.transport.key.tell(KEY, pair.now)
  // A PING, which the other end acknowledges 1 ms after it came.
  pair.a.transport.ping()
  const sentBy = ({ transport }: typeof pair.a): number => transport.statistics.sent
  pair.run(7)
  expect([sentBy(pair.a), sentBy(pair.b)]).toEqual([1, 1])
  pair.run(SECONDS)
  expect([pair.a.staticKeys, pair.b.staticKeys]).toMatchObject([[KEY], [KEY]])

  const quiet = new Pair(CUBIC, { delay: 5 })
  quiet.a.transport.key.tell(KEY, quiet.now)
  quiet.run(24)
  expect(sentBy(quiet.a)).toBe(0)
  quiet.run(26)
  expect(sentBy(quiet.a)).toBe(1)
})

test('STATIC_KEY that came is not told again, though another record with it is lost', () => {
  const announcement = new KeyAnnouncement()
  announcement.tell(KEY, instant(0))
  announcement.lost()
  announcement.acked()
  announcement.lost()
  expect([announcement.due, announcement.wants(undefined, instant(100))]).toEqual([undefined, false])
})

test('STATIC_KEY is sent again when it is lost', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const pair = new Pair(CUBIC, { delay: 5, loss: 0.5 }, { seed })
    pair.a.transport.key.tell(KEY, pair.now)
    pair.run(60 * SECONDS)
    expect(pair.b.staticKeys[0]).toMatchObject(KEY)
  }
})

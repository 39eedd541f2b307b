/** docs/protocol.md, What is in a record: STATIC_KEY. */
import { expect, test } from 'vitest'
import { CUBIC, Pair } from './pair.ts'
import { SECONDS } from './traffic.ts'

const KEY = { key: new Uint8Array(32).fill(7), lifetimeS: 60 }

test('STATIC_KEY is told once, and acknowledged', () => {
  const pair = new Pair(CUBIC, { delay: 5 })
  pair.a.transport.key.tell(KEY)
  pair.run(SECONDS)
  expect(pair.b.staticKeys).toMatchObject([KEY])
  expect(pair.a.transport.unanswered).toBe(false)
})

test('STATIC_KEY is sent again when it is lost', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const pair = new Pair(CUBIC, { delay: 5, loss: 0.5 }, { seed })
    pair.a.transport.key.tell(KEY)
    pair.run(60 * SECONDS)
    expect(pair.b.staticKeys[0]).toMatchObject(KEY)
  }
})

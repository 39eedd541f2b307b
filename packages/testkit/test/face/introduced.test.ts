/** Connecting by an introduction, where a relay may carry nothing. */
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { Internet } from '../../src/index.ts'
import { bytesOf, take, textOf } from './bed.ts'

// Seeds, so that the caller has the smaller id in some and the larger one in others.
describe.each([0, 1, 2, 3, 4, 5])('connect() has the connection as soon as there is a direct path, seed %i', (seed) => {
  test.each(['two hosts', 'one host'])('peers of %s', async (where) => {
    await Internet.run(`introduced ${seed}`, { latency: duration(seed % 2 === 0 ? 10 : 0) }, async (internet) => {
      await internet.relay()
      const host = internet.host('first')
      const alice = await internet.peer({ name: 'alice', host })
      const bob = await internet.peer({ name: 'bob', host: where === 'one host' ? host : internet.host('second') })
      const ours = await alice.connect(bob.ticket.replace(/&addr=[^&]*/g, ''), { via: 'direct-only' })
      expect(ours.path.kind).toBe('direct')
      await ours.sendDatagram(bytesOf('at once'))
      const theirs = await take(bob.incoming)
      expect(textOf(await take(theirs[Symbol.asyncIterator]()))).toBe('at once')
    })
  })
})

import type { Connection, Stream } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { Internet, nat } from '../../src/index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (read: Uint8Array | undefined): string => new TextDecoder().decode(read)

describe('a peer of the public API on the simulated internet', () => {
  test('connects through NATs by a ticket, carries a stream there and back, and leaves nothing behind', async () => {
    await Internet.run('face', { latency: duration(20) }, async (internet) => {
      await internet.relay()
      const alice = await internet.peer({ name: 'alice', behind: nat.T3() })
      const bob = await internet.peer({ name: 'bob', behind: nat.T2() })
      const connection = await internet.settle(alice.connect(bob.ticket))
      const incoming: Connection = (await internet.settle(bob.incoming.next())).value
      const stream = await internet.settle(connection.openStream())
      await internet.settle(stream.write(bytes('hello')))
      const theirs: Stream = (await internet.settle(incoming.streams.next())).value
      expect(textOf(await internet.settle(theirs.read()))).toBe('hello')
      await internet.settle(theirs.write(bytes('and back')))
      expect(textOf(await internet.settle(stream.read()))).toBe('and back')
      internet.advance(duration(10_000))
      expect([connection.protected, connection.path.kind]).toEqual([true, 'direct'])
      await internet.settle(connection.close())
    })
  })

  test('fails after its deadline in virtual time, with what was tried', async () => {
    await Internet.run('deadline', {}, async (internet) => {
      await internet.relay()
      const alice = await internet.peer({ name: 'alice' })
      const bob = await internet.peer({ name: 'bob', accept: 'nobody' })
      const started = internet.sim.clock.now()
      await expect(internet.settle(alice.connect(bob.ticket, { timeout: 3000 }))).rejects.toThrow('timed out')
      expect(internet.sim.clock.now() - started).toBe(3000)
    })
  })
})

/**
 * The last words of a connection arrive by each kind of path, though signing takes time, and though
 * the peer that says them closes at once.
 */
import type { Connection, Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { Internet } from '../../src/index.ts'
import { take } from './bed.ts'

/** Milliseconds that a signature takes, and within which the other end must have heard. */
const SIGNING = 7
const SOON = 200

interface Kind {
  readonly name: string
  readonly seedMode: boolean
  readonly via: 'direct' | 'relay-only'
}

const KINDS: readonly Kind[] = [
  { name: 'a direct path', seedMode: false, via: 'direct' },
  { name: 'a relay', seedMode: false, via: 'relay-only' },
  { name: 'a relay that speaks only the seed', seedMode: true, via: 'relay-only' },
]

interface Ends {
  readonly alice: Peer
  readonly ours: Connection
  readonly theirs: Connection
  wait(ms: number): Promise<void>
}

async function play({ name, seedMode, via }: Kind, scenario: (ends: Ends) => Promise<void>): Promise<void> {
  await Internet.run(`goodbye by ${name}`, { latency: duration(10) }, async (internet) => {
    const { sim } = internet
    const keys = ['alice', 'bob'].map((each) => sim.identity(each).publicKey)
    const relay = await internet.relay({ knownKeys: keys })
    const knownKeys = seedMode ? [...keys, relay.identity.publicKey] : []
    const place = { accept: 'everyone', seedMode, knownKeys, signTime: duration(SIGNING) } as const
    const alice = await internet.peer({ name: 'alice', ...place })
    const bob = await internet.peer({ name: 'bob', ...place })
    const ours = await alice.connect(bob.ticket, { via })
    const theirs = await take(bob.incoming)
    await internet.wait(duration(2000))
    expect([ours.end, theirs.end]).toEqual([undefined, undefined])
    await scenario({ alice, ours, theirs, wait: (ms) => internet.wait(duration(ms)) })
  })
}

describe.each(KINDS)('by $name the other end hears', (kind) => {
  test('that the application closed the connection, and why', () =>
    play(kind, async ({ ours, theirs, wait }) => {
      await ours.close({ code: 7, reason: 'done' })
      await wait(SOON)
      expect(theirs.end).toEqual({ by: 'remote', code: 7, reason: 'closed by the remote peer with code 7: done' })
    }))

  test('that the peer closed', () =>
    play(kind, async ({ alice, theirs, wait }) => {
      await alice.close()
      await wait(SOON)
      expect(theirs.end).toMatchObject({ by: 'remote', code: 0 })
    }))

  test('it although more waits to be sent than the path takes', () =>
    play(kind, async ({ ours, theirs, wait }) => {
      const stream = await ours.openStream()
      await stream.write(new Uint8Array(200_000))
      await wait(5)
      await ours.close({ code: 7 })
      await wait(SOON)
      expect(theirs.end).toMatchObject({ by: 'remote', code: 7 })
    }))

  test('it from the end that was dialled', () =>
    play(kind, async ({ ours, theirs, wait }) => {
      await theirs.close({ code: 7 })
      await wait(SOON)
      expect(ours.end).toMatchObject({ by: 'remote', code: 7 })
    }))
})

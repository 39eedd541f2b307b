import { ShowchainError } from '@showchain/wire'
import { foreign, unreadable, withHostile } from '@showchain-tooling/vitest/foreign'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Peer, type PeerOptions } from '../src/index.ts'

/** How opening ends; without an identity it never goes on. */
async function refusalOf(options: unknown): Promise<ShowchainError> {
  const outcome = await Peer.open(options as PeerOptions).catch((error: unknown) => error)
  if (!(outcome instanceof ShowchainError)) throw new Error('not a typed error', { cause: outcome })
  return outcome
}

describe('options that are wrong', () => {
  test('are named, each by its path', async () => {
    const { code, message } = await refusalOf({ identity: 5, listen: [{ port: -1 }], colour: 'red' })
    expect(code).toBe('ERR_BAD_CONFIG')
    for (const named of ['options.identity: ', 'options.listen.0.port: ', 'options: no such key: colour'])
      expect(message).toContain(named)
  })

  test('make an error of one line, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(foreign, async (given) => {
        const { code, message } = await refusalOf(given())
        expect(code).toBe('ERR_BAD_CONFIG')
        expect(message).toMatch(/^\P{C}+$/u)
        expect(message.length).toBeLessThan(10_000)
      }),
      withHostile,
    )
  })

  test.each(['relays', 'listen', 'accept', 'announce', 'knownKeys', 'policy', 'keepAlive', 'openSocket', '\u001b[2J'])(
    'make an error of one line, whatever is given for %j',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(foreign, async (given) => {
          expect((await refusalOf({ [name]: given() })).message).toMatch(/^\P{C}+$/u)
        }),
        withHostile,
      )
      expect((await refusalOf(unreadable({}, name))).code).toBe('ERR_BAD_CONFIG')
    },
  )
})

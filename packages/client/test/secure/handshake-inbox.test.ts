/** How many handshake messages one path may bring. */
import { HANDSHAKE_KIND, splitHandshake } from '@showchain/wire/end-to-end'
import { expect, test } from 'vitest'
import { duration, instant, later } from '../../src/core/index.ts'
import { HandshakeInbox } from '../../src/core/secure/handshake-inbox.ts'
import { HANDSHAKE_BURST, HANDSHAKES_PER_SECOND } from '../../src/core/secure/limits.ts'
import type { RecordPath } from '../../src/core/secure/record-path.ts'

const session = new Uint8Array(16).fill(7)
const path = (port: number): RecordPath => ({
  ...{ kind: 'direct', validated: true, to: { ip: '81.2.0.1', port }, session },
  traits: { base: 1200, larger: [], acks: 'prompt' },
  ready: () => true,
  transmit: () => {},
})
const parts = (group: number, length: number): readonly Uint8Array[] =>
  splitHandshake(new Uint8Array(length), 500, { session, kind: HANDSHAKE_KIND.third, group })

test('messages are read up to the rate of their path, and again as time passes', () => {
  const inbox = new HandshakeInbox()
  const [one, two] = [path(1), path(2)]
  let now = instant(0)
  let group = 0
  const say = (by: RecordPath): unknown => inbox.receive(parts(group++, 64)[0] as Uint8Array, by, now)
  for (let message = 0; message < HANDSHAKE_BURST; message++)
    expect(say(one)).toEqual({ kind: HANDSHAKE_KIND.third, bytes: new Uint8Array(64) })
  expect(say(one)).toBe('refused')
  // Another path has a rate of its own.
  expect(say(two)).not.toBe('refused')
  now = later(now, duration(1000))
  const read = Array.from({ length: 20 }, () => say(one)).filter((each) => each !== 'refused')
  expect(read).toHaveLength(HANDSHAKES_PER_SECOND)
})

test('what counts is whole messages, not parts', () => {
  const inbox = new HandshakeInbox()
  const by = path(1)
  const now = instant(0)
  for (let message = 0; message < HANDSHAKE_BURST; message++) {
    const [first, second] = parts(message, 900) as [Uint8Array, Uint8Array]
    expect(inbox.receive(first, by, now)).toBeUndefined()
    expect(inbox.receive(second, by, now)).toEqual({ kind: HANDSHAKE_KIND.third, bytes: new Uint8Array(900) })
  }
  expect(inbox.receive(parts(0, 10)[0] as Uint8Array, by, now)).toBe('refused')
})

import { describe, expect, test } from 'vitest'
import { encode, FIRST_BYTE, MAX_ANNOUNCED, type SenderEvent, SenderMachine } from '../src/core/index.ts'
import { file, folder, joined, offered, TREE } from './tree.ts'

/** What a sender of the tree that announced everything makes of these frames. */
function heard(...frames: readonly Uint8Array[]): readonly SenderEvent[] {
  const machine = new SenderMachine()
  machine.offer(offered(TREE))
  machine.receive(joined([FIRST_BYTE, encode.accept()]))
  const events: SenderEvent[] = []
  const drain = (): void => {
    for (let event = machine.next(); event !== undefined; event = machine.next()) events.push(event)
  }
  drain()
  for (const { entry } of TREE) machine.announce(entry)
  for (const frame of frames) {
    machine.receive(frame)
    drain()
  }
  const last = machine.ended()
  return last === undefined ? events : [...events, last]
}

const hash = new Uint8Array(32)

test('a sender is asked for its files in their order', () => {
  const events = heard(
    encode.want({ position: 3, hash }),
    encode.want({ position: 0, hash: undefined }),
    encode.want({ position: 0, hash: undefined }),
  )
  expect(events.map(({ type }) => type)).toEqual(['accepted', 'want', 'want', 'want', 'fault'])
  expect(events[1]).toEqual({ type: 'want', entry: TREE[1]?.entry, want: { position: 3, hash } })
})

test('a receiver that has everything is done at once', () => {
  const machine = new SenderMachine()
  machine.offer(offered(TREE))
  machine.receive(joined([FIRST_BYTE, encode.done()]))
  expect([machine.next(), machine.next(), machine.ended()]).toEqual([{ type: 'done' }, undefined, undefined])
})

test('a receiver is done after the end', () => {
  const machine = new SenderMachine()
  machine.offer(offered([]))
  machine.receive(joined([FIRST_BYTE, encode.accept()]))
  expect(machine.next()).toEqual({ type: 'accepted' })
  machine.end()
  machine.receive(encode.done())
  expect(machine.next()).toEqual({ type: 'done' })
})

test('what a receiver says when it stops is heard', () => {
  expect(heard(encode.stop('failed', 'its disk is full')).at(-1)).toEqual({
    type: 'stopped',
    reason: 'failed',
    text: 'its disk is full',
  })
})

test('a sentence that is too long is cut', () => {
  expect(heard(encode.stop('failed', 'ä'.repeat(400))).at(-1)).toMatchObject({ text: 'ä'.repeat(256) })
})

describe('a fault is', () => {
  const none = encode.want({ position: 0, hash: undefined })
  test.each([
    ['more than there is of a file', [encode.want({ position: 100, hash })], /more of a file than there is/],
    ['a file that was not announced', [none, none, none, none], /not announced/],
    ['a confirmation before the end', [encode.done()], /done before the end/],
    ['a second answer', [encode.accept()], /not its turn/],
    ["a sender's frame", [encode.end()], /not its turn/],
    ['an end without an answer', [], /ended before/],
  ])('%s', (_name, frames, sentence) => {
    const last = heard(...frames).at(-1)
    expect(last?.type === 'fault' ? last.why : last?.type).toMatch(sentence)
  })

  test('each end of a stream that is cut, and each flipped bit at most another answer', () => {
    const whole = joined([none, none, none, encode.stop('refused', 'why')])
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = Uint8Array.from(whole)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(heard(flipped).at(-1)?.type).toMatch(/fault|stopped/)
    }
    for (let length = 0; length < whole.length; length++)
      expect(heard(whole.slice(0, length)).at(-1)?.type).toBe('fault')
  })
})

test('so many entries are announced before their content, and more when it is sent', () => {
  const machine = new SenderMachine()
  machine.announce(folder('a').entry)
  for (let count = 0; count < MAX_ANNOUNCED; count++) {
    expect(machine.mayAnnounce).toBe(true)
    machine.announce(file(`a/${count}`, '').entry)
  }
  expect(machine.mayAnnounce).toBe(false)
  expect(machine.sent(hash)).toEqual(encode.hash(hash))
  expect(machine.mayAnnounce).toBe(true)
})

import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/index.ts'
import { HANDSHAKE_TIME, MAX_FIRST_MESSAGES } from '../../src/core/secure/limits.ts'
import { other, relay, Signer, self } from '../peer-bed.ts'
import { type Message, Pair, random, SMALL_ORDER } from './pair.ts'

const [FIRST, SECOND, THIRD] = [1, 2, 3]
const DAY = 86_400_000

/** Both have the same connection, from opposite ends. */
function expectSecured({ a, b }: Pair): void {
  const [ours, theirs] = [a.secured.at(-1), b.secured.at(-1)]
  expect(ours?.sendKey).toEqual(theirs?.receiveKey)
  expect(ours?.receiveKey).toEqual(theirs?.sendKey)
  expect(ours?.sendKey).not.toEqual(ours?.receiveKey)
  expect(ours?.hash).toEqual(theirs?.hash)
  expect([ours?.initiator, theirs?.initiator]).toEqual([true, false])
}

const lose =
  (kind: number, times = 1) =>
  (message: Message): readonly Message[] =>
    message.kind === kind && times-- > 0 ? [] : [message]

describe('a handshake', () => {
  test('takes three messages, and both ends have the same keys', () => {
    const pair = new Pair(self, other)
    const kinds: number[] = []
    pair.start()
    pair.transaction((message) => {
      kinds.push(message.kind)
      return [message]
    })
    expect(kinds).toEqual([FIRST, SECOND, THIRD])
    expectSecured(pair)
    expect(pair.a.secured[0]?.remoteConnectionId).not.toEqual(pair.b.secured[0]?.remoteConnectionId)
  })

  test.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('tells each end whether the other one dialled: %s, %s', (ours, theirs) => {
    const pair = new Pair(self, other, { a: { dialled: ours }, b: { dialled: theirs } })
    pair.start()
    pair.transaction()
    expect([pair.b.secured[0]?.remoteDialled, pair.a.secured[0]?.remoteDialled]).toEqual([ours, theirs])
  })

  test.each([
    [true, false],
    [false, true],
    [true, true],
  ])('tells each end whether the other one knows named streams: %s, %s', (ours, theirs) => {
    const pair = new Pair(self, other, { a: { namedStreams: ours }, b: { namedStreams: theirs } })
    pair.start()
    pair.transaction()
    expect([pair.b.secured[0]?.namedStreams, pair.a.secured[0]?.namedStreams]).toEqual([ours, theirs])
  })

  test('is never the same twice', () => {
    const [one, two] = [new Pair(self, other), new Pair(self, other)]
    for (const pair of [one, two]) {
      pair.start()
      pair.transaction()
    }
    expect(one.a.secured[0]?.sendKey).not.toEqual(two.a.secured[0]?.sendKey)
  })

  test.each([FIRST, SECOND, THIRD])('survives the loss of message %d, three times', (kind) => {
    const pair = new Pair(self, other)
    const how = lose(kind, 3)
    pair.start()
    pair.transaction(how)
    pair.advance(10_000, how)
    expectSecured(pair)
    expect([pair.a.secured.length, pair.b.secured.length]).toEqual([1, 1])
  })

  test('survives every message coming three times, and late ones', () => {
    const pair = new Pair(self, other)
    const late: Message[] = []
    pair.start()
    pair.transaction((message) => {
      late.push(message)
      return [message, message, message]
    })
    expectSecured(pair)
    for (const { kind, bytes } of late) {
      pair.a.receive(kind, bytes, pair.now)
      pair.b.receive(kind, bytes, pair.now)
    }
    expect([pair.a.secured.length, pair.b.secured.length]).toEqual([1, 1])
  })

  test('the larger id asks the smaller one when nothing comes', () => {
    const pair = new Pair(self, other)
    pair.b.start(pair.now)
    pair.transaction()
    expect(pair.b.secured).toEqual([])
    pair.advance(1000)
    expectSecured(pair)
  })

  test('nothing is said any more once a record came', () => {
    const pair = new Pair(self, other)
    pair.start()
    pair.transaction()
    pair.a.handshake.confirmed()
    pair.advance(60_000)
    expect([pair.a.sent, pair.b.sent]).toEqual([[], []])
    expect([pair.a.timers.deadline, pair.b.timers.deadline]).toEqual([undefined, undefined])
  })

  test('fails, once, when nobody answers', () => {
    const pair = new Pair(self, other)
    pair.start()
    pair.advance(HANDSHAKE_TIME + 1, () => [])
    expect(pair.a.failures).toHaveLength(1)
    expect(pair.a.failures[0]).toContain('does not encrypt')
    pair.advance(60_000, () => [])
    expect(pair.a.failures).toHaveLength(1)
    expect(pair.a.timers.deadline).toBeUndefined()
  })

  test('of RSA-4096 identities succeeds', () => {
    const pair = new Pair(new Signer(4096), new Signer(4096))
    const lengths: number[] = []
    pair.start()
    pair.transaction((message) => {
      lengths.push(message.bytes.length)
      return [message]
    })
    expectSecured(pair)
    // What a datagram carries beside a channel frame's header and the message's own.
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1200 + 200)
  })
})

describe('a handshake that the larger id begins, as it asked for the session', () => {
  /** The message with which an end begins. */
  const begun = (end: Pair['a'], { now }: Pair): Message => ({ kind: FIRST, bytes: end.begin(now) as Uint8Array })

  /** Both have the same keys, of the handshake that `initiator` began. */
  const expectBegunBy = (initiator: 'a' | 'b', pair: Pair): void => {
    const [one, two] = [pair[initiator], pair[initiator === 'a' ? 'b' : 'a']].map(({ secured }) => secured.at(-1))
    expect(one?.sendKey).toEqual(two?.receiveKey)
    expect(one?.hash).toEqual(two?.hash)
    expect([one?.initiator, two?.initiator, one?.confirms, two?.confirms]).toEqual([true, false, false, true])
  }

  test('takes three messages, and the smaller begins none when it learns of the path', () => {
    const pair = new Pair(self, other)
    const first = begun(pair.b, pair)
    const kinds: number[] = []
    pair.b.take()
    pair.a.receive(first.kind, first.bytes, pair.now)
    pair.start()
    pair.transaction((message) => {
      kinds.push(message.kind)
      return [message]
    })
    expect(kinds).toEqual([SECOND, THIRD])
    expectBegunBy('b', pair)
    pair.b.handshake.confirmed()
    pair.advance(60_000)
    expect([pair.a.secured.length, pair.b.secured.length]).toEqual([1, 1])
  })

  test.each([FIRST, SECOND, THIRD])('survives the loss of message %d, three times', (kind) => {
    const pair = new Pair(self, other)
    const how = lose(kind, 3)
    begun(pair.b, pair)
    pair.transaction(how)
    pair.advance(10_000, how)
    expectBegunBy('b', pair)
    expect([pair.a.secured.length, pair.b.secured.length]).toEqual([1, 1])
  })

  test.each([
    ['the smaller sends first', ['a', 'b']],
    ['the larger sends first', ['b', 'a']],
  ] as const)('gives way when both begin, and %s', (_what, order) => {
    const pair = new Pair(self, other)
    const firsts = { a: begun(pair.a, pair), b: begun(pair.b, pair) }
    for (const end of ['a', 'b'] as const) pair[end].take()
    for (const from of order) {
      const { kind, bytes } = firsts[from]
      pair[from === 'a' ? 'b' : 'a'].receive(kind, bytes, pair.now)
    }
    pair.transaction()
    expectBegunBy('a', pair)
    pair.a.handshake.confirmed()
    pair.advance(60_000)
    expect([pair.a.secured.length, pair.b.secured.length]).toEqual([1, 1])
  })

  test('is not begun once the smaller has begun', () => {
    const pair = new Pair(self, other)
    pair.a.start(pair.now)
    const [first] = pair.a.take()
    pair.b.receive(FIRST, first?.bytes as Uint8Array, pair.now)
    expect(pair.b.begin(pair.now)).toBeUndefined()
    pair.transaction()
    expectBegunBy('a', pair)
  })

  test('goes on when somebody forges a first message of the smaller', () => {
    const pair = new Pair(self, other)
    begun(pair.b, pair)
    pair.b.receive(FIRST, random.bytes(32), pair.now)
    pair.transaction((message, from) => (from === 'b' && message.kind === SECOND ? [] : [message]))
    expectBegunBy('b', pair)
  })

  test('keeps the smaller waiting for 5 s only, when somebody forged it', () => {
    const pair = new Pair(self, other)
    pair.a.receive(FIRST, random.bytes(32), pair.now)
    pair.a.take()
    pair.a.start(pair.now)
    pair.advance(4900)
    expect(pair.a.secured).toEqual([])
    pair.advance(200)
    expectBegunBy('a', pair)
  })

  test('has the same answer as ever from an end that leaves it to the smaller to begin', () => {
    const pair = new Pair(self, other)
    begun(pair.b, pair)
    // An older smaller end drops what it is not used to, and begins when it learns of the path.
    pair.b.take()
    pair.start()
    pair.transaction((message, from) => (from === 'b' && message.kind === FIRST ? [] : [message]))
    expectBegunBy('a', pair)
  })
})

describe('a forged message', () => {
  test.each([SECOND, THIRD])(
    'number %d, with any single bit flipped, is refused, and the genuine one still taken',
    (kind) => {
      const pair = new Pair(self, other)
      let tried = 0
      pair.start()
      pair.transaction((message, from) => {
        if (message.kind !== kind) return [message]
        const target = from === 'a' ? pair.b : pair.a
        // One bit of each byte; every bit of the first and last 20.
        for (let bit = 0; bit < message.bytes.length * 8; bit++) {
          const byte = bit >> 3
          if (byte >= 20 && byte < message.bytes.length - 20 && bit % 8 !== byte % 8) continue
          const forged = message.bytes.slice()
          forged[byte] = (forged[byte] as number) ^ (1 << (bit & 7))
          target.receive(kind, forged, pair.now)
          tried++
        }
        for (const forged of [message.bytes.subarray(1), new Uint8Array([...message.bytes, 0]), new Uint8Array(0)]) {
          target.receive(kind, forged, pair.now)
          tried++
        }
        expect(target.secured).toEqual([])
        expect(target.refused).toBe(tried)
        return [message]
      })
      expectSecured(pair)
      expect(tried).toBeGreaterThan(900)
    },
  )

  test('number 1 changes nothing for the genuine one', () => {
    const pair = new Pair(self, other)
    pair.start()
    pair.transaction((message) => {
      if (message.kind === FIRST) {
        pair.b.receive(FIRST, random.bytes(32), pair.now)
        pair.b.receive(FIRST, SMALL_ORDER, pair.now)
        pair.b.receive(FIRST, new Uint8Array(31), pair.now)
      }
      return [message]
    })
    expectSecured(pair)
  })

  test('number 1, again and again, is answered only so often', () => {
    const pair = new Pair(self, other)
    for (let index = 0; index < 100; index++) pair.b.receive(FIRST, random.bytes(32), pair.now)
    expect(pair.b.take().length).toBe(MAX_FIRST_MESSAGES)
    expect(pair.b.certificates).toBe(1)
  })

  test("of a kind that is not this end's to read is refused", () => {
    const pair = new Pair(self, other)
    pair.start()
    for (const kind of [THIRD, 4, 255]) pair.a.receive(kind, random.bytes(32), pair.now)
    for (const kind of [0, SECOND, 4]) pair.b.receive(kind, random.bytes(32), pair.now)
    expect([pair.a.refused, pair.b.refused]).toEqual([3, 3])
  })
})

describe('whoever is not who was dialled is refused', () => {
  // `self` dials, and `other` is not what it should be.
  const [dialler, impostor] = self.id < other.id ? (['a', 'b'] as const) : (['b', 'a'] as const)

  test.each(['a', 'b'] as const)('a certificate of another identity (%s)', (end) => {
    const pair = new Pair(self, other, { [end]: { certifier: relay } })
    pair.start()
    pair.advance(5000)
    expect([pair.a, pair.b][end === 'a' ? 1 : 0]?.secured).toEqual([])
    expect([pair.a, pair.b][end === 'a' ? 1 : 0]?.refused).toBeGreaterThan(0)
  })

  test.each([
    ['made by somebody else', (preimage: Uint8Array) => relay.certify(preimage)],
    [
      'of another X25519 key',
      (preimage: Uint8Array) => other.certify(preimage.map((byte, at) => (at === 40 ? byte ^ 1 : byte))),
    ],
    ['empty', () => new Uint8Array(0)],
    ['zeros', (preimage: Uint8Array) => other.certify(preimage).fill(0)],
  ])('a certificate of the right identity whose signature is %s', (_what, certify) => {
    const pair = new Pair(self, other, { [impostor]: { certify } })
    pair.start()
    pair.advance(5000)
    expect(pair[dialler].secured).toEqual([])
    expect(pair[dialler].refused).toBeGreaterThan(0)
  })

  test('a certificate that names another key than the identity has, though the signature is the right one', () => {
    const pair = new Pair(self, other, {
      [dialler]: { knows: other },
      [impostor]: { certifier: relay, certify: (preimage: Uint8Array) => other.certify(preimage) },
    })
    pair.start()
    pair.advance(5000)
    expect([pair[dialler].secured, pair[dialler].refused > 0]).toEqual([[], true])
  })

  test('an end that takes this one for somebody else: both ids are in what the keys come from', () => {
    const [low, middle, high] = [self, other, relay].sort((one, two) => (one.id < two.id ? -1 : 1)) as [
      Signer,
      Signer,
      Signer,
    ]
    const [ours, theirs] = [new Pair(low, high), new Pair(middle, high)]
    for (const pair of [ours, theirs]) pair.start()
    const [first] = ours.a.take()
    theirs.b.receive(FIRST, first?.bytes as Uint8Array, theirs.now)
    const [second] = theirs.b.take()
    ours.a.receive(SECOND, second?.bytes as Uint8Array, ours.now)
    expect([ours.a.secured, ours.a.refused]).toEqual([[], 1])
  })

  test.each(['a', 'b'] as const)('a connection id of zeros, which stands for a handshake (%s)', (end) => {
    const pair = new Pair(self, other, { [end]: { connectionId: new Uint8Array(8) } })
    pair.start()
    pair.advance(5000)
    const there = end === 'a' ? pair.b : pair.a
    expect([there.secured, there.refused > 0]).toEqual([[], true])
  })

  test.each([
    ['expired', -9 * DAY],
    ['not valid yet', 3 * DAY],
  ])('a certificate that is %s', (_what, clock) => {
    const pair = new Pair(self, other, { b: { clock } })
    pair.start()
    pair.advance(5000)
    expect(pair.a.secured).toEqual([])
  })

  test('a clock that is a few hours off does no harm', () => {
    const pair = new Pair(self, other, { a: { clock: -DAY / 4 }, b: { clock: DAY / 4 } })
    pair.start()
    pair.transaction()
    expectSecured(pair)
  })

  test('messages of a handshake with somebody else', () => {
    const [ours, theirs] = [new Pair(self, other), new Pair(self, relay)]
    for (const pair of [ours, theirs]) pair.start()
    const [first] = ours.a.take()
    theirs.a.take()
    if (first === undefined) throw new Error('nothing was sent')
    theirs.b.receive(first.kind, first.bytes, theirs.now)
    const [second] = theirs.b.take()
    if (second === undefined) throw new Error('nothing was answered')
    ours.a.receive(second.kind, second.bytes, ours.now)
    expect([ours.a.secured, ours.a.refused]).toEqual([[], 1])
  })

  test('a reflected message', () => {
    const pair = new Pair(self, other)
    pair.start()
    const [first] = pair.a.take()
    if (first === undefined) throw new Error('nothing was sent')
    for (const kind of [FIRST, SECOND, THIRD]) pair.a.receive(kind, first.bytes, pair.now)
    // The first of all, from an end that may begin, is left to the handshake that this end began.
    expect([pair.a.secured, pair.a.refused]).toEqual([[], 2])
  })
})

describe('a connection that is there already', () => {
  test('stays when somebody else asks for a new one', () => {
    const pair = new Pair(self, other)
    pair.start()
    pair.transaction()
    pair.a.handshake.confirmed()
    const before = pair.a.secured[0]?.hash
    pair.a.receive(0, new Uint8Array(0), pair.now)
    pair.transaction()
    pair.advance(60_000)
    expect([pair.a.secured.length, pair.b.secured.length]).toEqual([1, 1])
    expect([pair.a.secured[0]?.hash, pair.b.secured[0]?.hash]).toEqual([before, before])
  })

  test('is replaced when the other end has lost it', () => {
    const pair = new Pair(self, other, { a: { current: random.bytes(16) } })
    pair.b.start(pair.now)
    pair.advance(1000)
    expectSecured(pair)
  })
})

test('the certificate is made once, and renewed after half of its life', () => {
  const pair = new Pair(self, other)
  pair.start()
  pair.transaction()
  pair.a.handshake.stop()
  pair.a.start(instant(1000))
  expect(pair.a.certificates).toBe(1)
})

/** docs/protocol.md, Hello: the hellos of two ends, with real keys, and the messages between them in the test's hands. */
import { FIRST_CONTACT_TOLERANCE, type NoiseCrypto, openssl, opensslEndToEnd } from '@showchain/crypto'
import { equalBytes, peerIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { duration, type Instant, instant, later, Timers } from '../../src/core/index.ts'
import { Acquaintances, AcquaintancesInMemory, MAX_ACQUAINTANCES } from '../../src/core/secure/acquaintances.ts'
import { EarlyBytes } from '../../src/core/secure/early-bytes.ts'
import { EarlyOnce, MAX_EARLY_REQUESTERS } from '../../src/core/secure/early-once.ts'
import { Ephemerals } from '../../src/core/secure/ephemerals.ts'
import { type Greeting, OutgoingHello } from '../../src/core/secure/hello.ts'
import { HelloExchange } from '../../src/core/secure/hello-exchange.ts'
import { HELLO_SPREAD } from '../../src/core/secure/limits.ts'
import { RecordLayer } from '../../src/core/secure/record-layer.ts'
import { hintOf, WarmKeys } from '../../src/core/secure/warm-keys.ts'
import { other, self } from '../peer-bed.ts'
import { EPOCH, random } from './pair.ts'

const crypto: NoiseCrypto = { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }
const [SMALLER, LARGER] = self.id < other.id ? [self.id, other.id] : [other.id, self.id]
const NOW = instant(0)
const HELLO_PATIENCE = 1000
const PENDING_TIME = 30_000

class End {
  readonly timers = new Timers()
  readonly connectionId = random.bytes(8)
  readonly hello: HelloExchange
  #seq = 0

  readonly acquaintances = new Acquaintances(new AcquaintancesInMemory(), () => EPOCH)
  readonly warmKeys: WarmKeys
  readonly early: EarlyOnce
  unixMs = EPOCH
  connected = false

  constructor(
    id: typeof SMALLER,
    remoteId: typeof SMALLER,
    mayRelay = true,
    process: Partial<Pick<End, 'warmKeys' | 'early'>> = {},
  ) {
    const { warmKeys = new WarmKeys(crypto, random), early = new EarlyOnce(() => this.unixMs) } = process
    const { acquaintances } = this
    this.warmKeys = warmKeys
    this.early = early
    this.hello = new HelloExchange({
      ...{ self: id, remoteId, crypto, timers: this.timers, acquaintances, warmKeys, early, prepare: () => {} },
      ephemerals: new Ephemerals(crypto, random),
      connecting: () => this.connected,
      offer: () => ({ mayRelay, dialled: true, namedStreams: true, connectionId: this.connectionId }),
    })
  }

  /** Its value, once it dials. */
  dial(early?: EarlyBytes, room = 1000): Uint8Array {
    this.hello.dial({ early, fits: (bytes) => bytes <= room }, NOW)
    const value = this.hello.valueFor({ ts: EPOCH, seq: 1 })
    if (value === undefined) throw new Error('no hello')
    return value
  }

  /** @param seq of the request, which is newer than the one before by default */
  answer(value: Uint8Array, seq: number = ++this.#seq, now: Instant = NOW): Uint8Array | undefined {
    return this.hello.answer(value, { ts: 1, seq }, now)?.answer
  }

  wake(ms: number): void {
    this.timers.wake(later(NOW, duration(ms)))
  }
}

const ends = (): { readonly smaller: End; readonly larger: End } => ({
  smaller: new End(SMALLER, LARGER),
  larger: new End(LARGER, SMALLER),
})

/** A record of the end that has these keys. */
function recordOf({ secured }: Greeting): Uint8Array {
  const record = new Uint8Array(34)
  new RecordLayer(crypto, secured, NOW).seal(Uint8Array.of(1), record, 0, -1, NOW)
  return record
}

/** The record in which `from`, whose hello `to` answered, shows that it has the answer. */
function taken(from: End, answer: Uint8Array | undefined): Uint8Array {
  const found = answer && from.hello.take(answer)
  if (found === undefined) throw new Error('no answer')
  return recordOf(found.greeting)
}

describe('a hello and its answer', () => {
  test('give both ends the same keys, which the first record shows', () => {
    const { smaller, larger } = ends()
    const record = taken(smaller, larger.answer(smaller.dial()))
    expect(larger.hello.confirm(record, NOW)?.opened.number).toBe(0)
    expect(larger.hello.pendingHash).toBeUndefined()
  })

  test('tell whether a relay may carry records of each end', () => {
    const [shy, open] = [new End(SMALLER, LARGER, false), new End(LARGER, SMALLER)]
    const answered = open.hello.answer(shy.dial(), { ts: 1, seq: 1 }, NOW)
    expect(answered?.mayRelay).toBe(false)
    expect(shy.hello.take(answered?.answer as Uint8Array)?.greeting.mayRelay).toBe(true)
  })

  test('are one for each dial: the same value has the same answer, which gives keys once', () => {
    const { smaller, larger } = ends()
    const value = smaller.dial()
    const answers = [larger.answer(value), larger.answer(value), larger.answer(value, 0)] as Uint8Array[]
    expect(answers.every((each) => equalBytes(each, answers[0] as Uint8Array))).toBe(true)
    expect(answers.map((each) => smaller.hello.take(each)?.first)).toEqual([true, false, false])
  })

  test('of another dial give other keys: this end never uses an ephemeral key twice', () => {
    const { smaller, larger } = ends()
    const first = larger.answer(smaller.dial()) as Uint8Array
    const second = larger.answer(new End(SMALLER, LARGER).dial()) as Uint8Array
    expect(equalBytes(first.subarray(1, 33), second.subarray(1, 33))).toBe(false)
  })

  test('do not open for another pair of ids', () => {
    const { smaller, larger } = ends()
    // Somebody passes the value on as its own.
    const misled = new End(LARGER, LARGER)
    const answer = misled.answer(smaller.dial()) as Uint8Array
    expect(smaller.hello.take(answer)).toBeUndefined()
    expect(smaller.hello.take(larger.answer(smaller.dial()) as Uint8Array)).toBeDefined()
  })

  test('with a value that is none, or a key of small order, come to nothing', () => {
    const { smaller, larger } = ends()
    const value = smaller.dial()
    expect(larger.answer(value.subarray(1))).toBeUndefined()
    expect(larger.answer(Uint8Array.from([...value.subarray(0, 10), ...new Uint8Array(32)]))).toBeUndefined()
    expect(larger.hello.pendingHash).toBeUndefined()
    expect(larger.answer(value)).toBeDefined()
  })
})

describe('a hello of a requester that this end answered before', () => {
  test('counts only in a newer request: a recording does not undo the newest dial', () => {
    const { smaller, larger } = ends()
    const [older, newer] = [new End(SMALLER, LARGER), smaller]
    expect(larger.answer(older.dial(), 5)).toBeDefined()
    const answer = larger.answer(newer.dial(), 7)
    expect(larger.answer(new End(SMALLER, LARGER).dial(), 6)).toBeUndefined()
    expect(larger.answer(new End(SMALLER, LARGER).dial(), 7)).toBeUndefined()
    expect(larger.hello.confirm(taken(newer, answer), NOW)).toBeDefined()
  })

  test('is forgotten when no record used its keys', () => {
    const { smaller, larger } = ends()
    const record = taken(smaller, larger.answer(smaller.dial()))
    larger.wake(PENDING_TIME)
    expect(larger.hello.poll()).toBe('expired')
    expect(larger.hello.confirm(record, NOW)).toBeUndefined()
  })
})

describe('a hello that is out', () => {
  test('keeps a handshake waiting until it is late, and takes its answer all the same', () => {
    const { smaller, larger } = ends()
    const value = smaller.dial()
    expect(smaller.hello.awaited).toBe(true)
    smaller.wake(HELLO_PATIENCE)
    expect([smaller.hello.awaited, smaller.hello.poll()]).toEqual([false, 'late'])
    expect(smaller.hello.take(larger.answer(value) as Uint8Array)?.first).toBe(true)
  })

  test('is late at once when the remote peer answers without one', () => {
    const { smaller } = ends()
    smaller.dial()
    smaller.hello.decline()
    smaller.hello.decline()
    expect([smaller.hello.poll(), smaller.hello.poll()]).toEqual(['late', undefined])
  })

  test('takes no answer after its dial', () => {
    const { smaller, larger } = ends()
    const answer = larger.answer(smaller.dial()) as Uint8Array
    smaller.hello.giveUp()
    expect(smaller.hello.take(answer)).toBeUndefined()
  })
})

test('goes into requests of one minute, and a later one ends it', () => {
  const { smaller, larger } = ends()
  const value = smaller.dial()
  const answer = larger.answer(value) as Uint8Array
  expect(smaller.hello.valueFor({ ts: EPOCH + HELLO_SPREAD, seq: 2 })).toEqual(value)
  expect(smaller.hello.valueFor({ ts: EPOCH + HELLO_SPREAD + 1, seq: 3 })).toBeUndefined()
  expect(smaller.hello.take(answer)).toBeUndefined()
  expect(smaller.dial()).not.toEqual(value)
})

describe('when both dial', () => {
  test('the smaller answers without a hello, and the larger gives up its own for it', () => {
    const { smaller, larger } = ends()
    const [a, b] = [smaller.dial(), larger.dial()]
    expect(smaller.answer(b)).toBeUndefined()
    const answer = larger.answer(a)
    expect(larger.hello.isOut).toBe(false)
    expect(larger.hello.confirm(taken(smaller, answer), NOW)).toBeDefined()
  })

  test('the larger takes no answer to the one that it gave up', () => {
    const { smaller, larger } = ends()
    const answer = smaller.answer(larger.dial()) as Uint8Array
    larger.answer(smaller.dial())
    expect(larger.hello.take(answer)).toBeUndefined()
  })

  test("the larger dials without one while the smaller's waits for its first record", () => {
    const { smaller, larger } = ends()
    const answer = larger.answer(smaller.dial())
    larger.hello.dial({ early: undefined, fits: () => true }, NOW)
    expect(larger.hello.isOut).toBe(false)
    larger.hello.confirm(taken(smaller, answer), NOW)
    larger.hello.dial({ early: undefined, fits: () => true }, NOW)
    expect(larger.hello.isOut).toBe(true)
  })

  test("the answer to the smaller's own ends what waits for a record of the larger", () => {
    const { smaller, larger } = ends()
    const toLarger = smaller.answer(larger.dial())
    const record = taken(larger, toLarger)
    const own = smaller.dial()
    expect(smaller.hello.take(new End(LARGER, SMALLER).answer(own) as Uint8Array)?.first).toBe(true)
    expect(smaller.hello.confirm(record, NOW)).toBeUndefined()
  })
})

describe('a warm hello', () => {
  const SAID = Uint8Array.of(1, 2, 3)

  /** The smaller id knows the larger's static key. */
  function met(): ReturnType<typeof ends> {
    const both = ends()
    const { key, lifetimeS } = both.larger.warmKeys.current(NOW)
    both.smaller.acquaintances.keepStaticKey(LARGER, key, lifetimeS)
    return both
  }

  /** What the larger makes of a hello in a request of now. */
  const answered = ({ larger }: { larger: End }, value: Uint8Array, ts = EPOCH, seq = 1) =>
    larger.hello.answer(value, { ts, seq }, NOW)

  test('has the same keys at both ends, and what was said early once', () => {
    const both = met()
    const early = new EarlyBytes(SAID)
    const value = both.smaller.dial(early)
    expect([value[0], early.state]).toEqual([2, 'sent'])
    const answer = answered(both, value)
    expect(answer?.early).toEqual({ bytes: SAID, fin: false })
    const taken = both.larger.hello.takeEarly()
    expect(both.larger.hello.takeEarly()).toBeUndefined()
    const found = both.smaller.hello.take(answer?.answer as Uint8Array)
    expect([found?.early, early.state]).toEqual([SAID, 'taken'])
    expect(taken?.records.open(recordOf(found?.greeting as Greeting), NOW)?.number).toBe(0)
  })

  test('with nothing to say waits for the first record, as a cold one', () => {
    const both = met()
    const answer = answered(both, both.smaller.dial())
    expect([answer?.answer[0], both.larger.hello.takeEarly()]).toEqual([2, undefined])
    expect(both.larger.hello.confirm(taken(both.smaller, answer?.answer), NOW)).toBeDefined()
  })

  test.each<[string, (both: ReturnType<typeof ends>) => void]>([
    ['a target that has restarted', ({ larger }) => Object.assign(larger, { hello: new End(LARGER, SMALLER).hello })],
    ['a target that has a connection', ({ larger }) => Object.assign(larger, { connected: true })],
    ['a clock that is more than a minute off', ({ larger }) => Object.assign(larger, { unixMs: EPOCH + 60_001 })],
    [
      'both ends that say something',
      ({ larger, smaller }) => {
        const { key, lifetimeS } = smaller.warmKeys.current(NOW)
        larger.acquaintances.keepStaticKey(SMALLER, key, lifetimeS)
        larger.dial(new EarlyBytes(SAID))
      },
    ],
  ])('is answered as a cold one at %s: what it said is to be sent again', (_where, change) => {
    const both = met()
    const early = new EarlyBytes(SAID)
    const value = both.smaller.dial(early)
    change(both)
    const answer = answered(both, value)
    expect([answer?.answer[0], answer?.early]).toEqual([1, undefined])
    const record = taken(both.smaller, answer?.answer)
    expect(early.state).toBe('unsent')
    expect(both.larger.hello.confirm(record, NOW)).toBeDefined()
  })

  test('is judged once: in a newer request at an end that has forgotten it, it gets no answer', () => {
    const both = met()
    const value = both.smaller.dial(new EarlyBytes(SAID))
    expect(answered(both, value)?.early).toBeDefined()
    const { early, warmKeys } = both.larger
    const again = new End(LARGER, SMALLER, true, { early, warmKeys })
    expect(again.hello.answer(value, { ts: EPOCH + 1, seq: 2 }, NOW)).toBeUndefined()
  })

  test('is judged once in all requests that it may be in, though others are judged meanwhile', () => {
    const both = met()
    const { early, warmKeys } = both.larger
    const value = both.smaller.dial(new EarlyBytes(SAID))
    expect(answered(both, value)?.early).toBeDefined()
    const [last, somebody] = [EPOCH + HELLO_SPREAD, new End(LARGER, SMALLER).dial().subarray(10, 42)]
    // The last moment at which a request of that time counts.
    both.larger.unixMs = last + FIRST_CONTACT_TOLERANCE
    early.take(LARGER, somebody, { ts: last, seq: 1 }, true)
    const again = new End(LARGER, SMALLER, true, { early, warmKeys })
    expect(again.hello.answer(value, { ts: last, seq: 2 }, NOW)?.early).toBeUndefined()
  })

  test('of an older request than the newest that was judged delivers nothing', () => {
    const both = met()
    const older = met()
    const { early, warmKeys } = both.larger
    const { key, lifetimeS } = warmKeys.current(NOW)
    older.smaller.acquaintances.keepStaticKey(LARGER, key, lifetimeS)
    const value = older.smaller.dial(new EarlyBytes(SAID))
    expect(answered(both, both.smaller.dial(new EarlyBytes(SAID)), EPOCH, 5)?.early).toBeDefined()
    const fresh = new End(LARGER, SMALLER, true, { early, warmKeys })
    expect(fresh.hello.answer(value, { ts: EPOCH, seq: 4 }, NOW)?.early).toBeUndefined()
  })

  test('is for one pair of ids', () => {
    const both = met()
    const value = both.smaller.dial(new EarlyBytes(SAID))
    const { early, warmKeys } = both.larger
    const misled = new End(LARGER, LARGER, true, { early, warmKeys })
    expect(misled.hello.answer(value, { ts: EPOCH, seq: 1 }, NOW)).toBeUndefined()
  })

  test("with somebody else's ephemeral key is not readable", () => {
    const both = met()
    const [value, another] = [both.smaller.dial(new EarlyBytes(SAID)), new End(SMALLER, LARGER).dial()]
    value.set(another.subarray(10, 42), 10)
    expect(answered(both, value)).toBeUndefined()
  })

  test('with any bit flipped delivers nothing, and gives no common keys', () => {
    const both = met()
    const value = both.smaller.dial(new EarlyBytes(SAID))
    for (let bit = 0; bit < value.length * 8; bit++) {
      const { early, warmKeys } = both.larger
      const flipped = value.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      const answer = new End(LARGER, SMALLER, true, { early, warmKeys }).hello.answer(
        flipped,
        { ts: EPOCH, seq: 1 },
        NOW,
      )
      expect(answer?.early, `bit ${bit}`).toBeUndefined()
      // Another hint is of another key: the signature alone covers it.
      const isHint = bit >= 42 * 8 && bit < 50 * 8
      if (answer !== undefined && !isHint) expect(both.smaller.hello.take(answer.answer), `bit ${bit}`).toBeUndefined()
    }
    expect(answered(both, value)?.early).toBeDefined()
  })

  test('leaves out what there is no room for, and is a cold one where there is none for it', () => {
    const both = met()
    const early = new EarlyBytes(SAID)
    expect([both.smaller.dial(early, 70).length, early.state]).toEqual([66, 'unsent'])
    expect(met().smaller.dial(early, 65)).toHaveLength(42)
    expect(met().smaller.dial(new EarlyBytes(new Uint8Array(933)), 2000)).toHaveLength(66)
    expect(met().smaller.dial(new EarlyBytes(new Uint8Array(932)), 2000)).toHaveLength(1000)
  })

  test('that is answered without a hello makes this end forget the key, and one that is late does not', () => {
    const { smaller } = met()
    smaller.dial()
    smaller.wake(HELLO_PATIENCE)
    expect(smaller.acquaintances.staticKey(LARGER)).toBeDefined()
    smaller.hello.decline()
    expect(smaller.acquaintances.staticKey(LARGER)).toBeUndefined()
  })

  test('is never made with a static key of small order, which is forgotten', () => {
    const { smaller } = ends()
    smaller.acquaintances.keepStaticKey(LARGER, new Uint8Array(32), 60)
    expect(smaller.dial()).toHaveLength(42)
    expect(smaller.acquaintances.staticKey(LARGER)).toBeUndefined()
  })

  test('whose frames are anything else than the beginning of the first stream gets no answer', () => {
    const { larger } = met()
    const targetKey = larger.warmKeys.current(NOW).key
    const offer = { mayRelay: true, dialled: true, namedStreams: true, connectionId: random.bytes(8) }
    const ids = { crypto, ephemerals: new Ephemerals(crypto, random), requester: SMALLER, target: LARGER }
    for (const frames of [[8], [8, 2, 1], [0x0a, 0, 1, 1], [0x30, 1], [0x1d, 0, 0]]) {
      const { value } = new OutgoingHello(ids, offer, { targetKey, early: Uint8Array.from(frames) })
      expect(answered({ larger }, value), `${frames}`).toBeUndefined()
    }
    const { value } = new OutgoingHello(ids, offer, { targetKey, early: Uint8Array.of(9, 0, 7) })
    expect(answered({ larger }, value)?.early).toEqual({ bytes: Uint8Array.of(7), fin: true })
  })
})

describe('the static keys for warm hellos', () => {
  const DAY = 86_400_000

  test('are renewed after half of their lifetime, and good until it is over', () => {
    const keys = new WarmKeys(crypto, random)
    const at = (days: number): Instant => later(NOW, duration(days * DAY))
    const first = keys.current(NOW)
    expect(first.lifetimeS).toBe(7 * 86_400)
    expect(keys.current(at(3)).key).toEqual(first.key)
    expect(keys.current(at(3)).lifetimeS).toBe(4 * 86_400)
    const second = keys.current(at(4))
    expect(equalBytes(second.key, first.key)).toBe(false)
    expect(
      [hintOf(crypto, first.key), hintOf(crypto, second.key)].map((hint) => keys.find(hint, at(6))?.publicKey),
    ).toEqual([first.key, second.key])
    expect(keys.find(hintOf(crypto, first.key), at(7))).toBeUndefined()
  })

  test('of others are used no longer than they say, and never for more than a week', () => {
    let now = EPOCH
    const met = new Acquaintances(new AcquaintancesInMemory(), () => now)
    met.keepStaticKey(LARGER, Uint8Array.of(1), 60)
    met.keepStaticKey(SMALLER, Uint8Array.of(2), 0xffff_ffff)
    now += 60_000
    expect([met.staticKey(LARGER), met.staticKey(SMALLER)]).toEqual([undefined, Uint8Array.of(2)])
    now += 7 * DAY
    expect(met.staticKey(SMALLER)).toBeUndefined()
  })

  test('of others, and tokens, take a bounded amount of memory', () => {
    const store = new AcquaintancesInMemory()
    const met = new Acquaintances(store, () => EPOCH)
    const idOf = (index: number): typeof SMALLER =>
      peerIdFromBytes(Uint8Array.from({ length: 32 }, (_, at) => (at < 2 ? index >> (8 * at) : 0)))
    for (let index = 0; index <= MAX_ACQUAINTANCES; index++) met.keepToken(idOf(index), Uint8Array.of(1))
    expect([met.token(idOf(0)), met.token(idOf(1))]).toEqual([undefined, Uint8Array.of(1)])
    // Used last, it outlives the next.
    met.keepToken(idOf(MAX_ACQUAINTANCES + 1), Uint8Array.of(1))
    expect([met.token(idOf(1)), met.token(idOf(2))]).toEqual([Uint8Array.of(1), undefined])
    met.keepToken(idOf(1), undefined)
    expect(store.get(idOf(1))).toBeUndefined()
  })
})

test('what is said early is judged for a bounded number of requesters, and for three minutes', () => {
  let now = EPOCH
  const once = new EarlyOnce(() => now)
  const idOf = (index: number): typeof SMALLER =>
    peerIdFromBytes(Uint8Array.from({ length: 32 }, (_, at) => (at < 2 ? index >> (8 * at) : 0)))
  const e = Uint8Array.of(1)
  for (let index = 0; index < MAX_EARLY_REQUESTERS; index++)
    expect(once.take(idOf(index), e, { ts: now, seq: 0 }, true)).toBe(true)
  expect(once.take(idOf(MAX_EARLY_REQUESTERS), e, { ts: now, seq: 0 }, true)).toBe(false)
  now += 120_001
  expect(once.take(idOf(0), Uint8Array.of(2), { ts: EPOCH, seq: 1 }, true)).toBe(false)
  expect(once.take(idOf(MAX_EARLY_REQUESTERS), e, { ts: now, seq: 0 }, true)).toBe(true)
  // A clock that is set back brings nothing back.
  now = EPOCH
  expect(once.take(idOf(1), e, { ts: EPOCH, seq: 0 }, true)).toBe(false)
})

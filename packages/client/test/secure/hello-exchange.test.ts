/** docs/protocol.md, Hello: the hellos of two ends, with real keys, and the messages between them in the test's hands. */
import { type NoiseCrypto, openssl, opensslEndToEnd } from '@showchain/crypto'
import { equalBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { duration, type Instant, instant, later, Timers } from '../../src/core/index.ts'
import type { Greeting } from '../../src/core/secure/hello.ts'
import { HelloExchange } from '../../src/core/secure/hello-exchange.ts'
import { RecordLayer } from '../../src/core/secure/record-layer.ts'
import { other, self } from '../peer-bed.ts'
import { random } from './pair.ts'

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

  constructor(id: typeof SMALLER, remoteId: typeof SMALLER, mayRelay = true) {
    this.hello = new HelloExchange({
      ...{ self: id, remoteId, crypto, random, timers: this.timers },
      offer: () => ({ mayRelay, dialled: true, connectionId: this.connectionId }),
    })
  }

  /** Its value, once it dials. */
  dial(): Uint8Array {
    this.hello.dial(NOW)
    const { value } = this.hello
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
    expect(larger.hello.pendingName).toBeUndefined()
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
    expect(larger.hello.pendingName).toBeUndefined()
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

describe('when both dial', () => {
  test('the smaller answers without a hello, and the larger gives up its own for it', () => {
    const { smaller, larger } = ends()
    const [a, b] = [smaller.dial(), larger.dial()]
    expect(smaller.answer(b)).toBeUndefined()
    const answer = larger.answer(a)
    expect(larger.hello.value).toBeUndefined()
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
    larger.hello.dial(NOW)
    expect(larger.hello.value).toBeUndefined()
    larger.hello.confirm(taken(smaller, answer), NOW)
    larger.hello.dial(NOW)
    expect(larger.hello.value).toBeDefined()
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

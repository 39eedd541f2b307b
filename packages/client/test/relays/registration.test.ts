/** docs/protocol.md: a peer and its relay. */
import { OP, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, OTHER, other, RELAY, relay, SEEN } from '../peer-bed.ts'

const start = (bed = new Bed()): Bed => {
  bed.do((machine, now) => machine.register({ id: relay.id, endpoint: RELAY }, now))
  return bed
}
const challenge = (bed: Bed, cookie: number): void => {
  const { seq, ts } = bed.last(OP.directRequest)
  bed.receive(
    { op_code: OP.challenge, cookie: new Uint8Array(16).fill(cookie), ref_op: OP.directRequest, seq, ts },
    RELAY,
  )
}

describe('registration', () => {
  test('starts with a 0x101 that carries the key and nothing else', () => {
    const { ext } = start().last(OP.directRequest)
    expect(Object.keys(ext ?? {})).toEqual(['key'])
  })

  test('follows a challenge with a new request that carries the cookie', () => {
    const bed = start()
    const first = bed.last(OP.directRequest)
    challenge(bed, 1)
    const second = bed.last(OP.directRequest)
    expect(second.seq).toBeGreaterThan(first.seq)
    expect(second.ext?.cookie).toEqual(new Uint8Array(16).fill(1))
    expect(Object.keys(second.ext ?? {}).sort()).toEqual(['cookie', 'key'])
  })

  test('follows at most two challenges', () => {
    const bed = start()
    for (const cookie of [1, 2, 3]) challenge(bed, cookie)
    expect(bed.taken(OP.directRequest)).toHaveLength(3)
  })

  test('tells its observed address when the relay answered', () => {
    const bed = start()
    bed.answerRegistration()
    expect(bed.eventsOf('relay')).toMatchObject([{ state: 'registered', observed: SEEN }])
  })

  test('takes no answer with a bad signature, from another address, of another id or to another request', () => {
    const bed = start()
    const { seq, ts } = bed.last(OP.directRequest)
    const ext = { key: relay.publicKey.spki }
    const response = { op_code: OP.directResponse, id: relay.id, seq, ts, ext } as const
    bed.receive({ ...relay.signed(response), sign: new Uint8Array(256) }, RELAY)
    bed.receive(relay.signed(response), OTHER)
    bed.receive(other.signed({ ...response, id: other.id, ext: { key: other.publicKey.spki } }), RELAY)
    bed.receive(relay.signed({ ...response, seq: seq + 1 }), RELAY)
    expect(bed.eventsOf('relay')).toEqual([])
    bed.receive(relay.signed(response), RELAY)
    expect(bed.eventsOf('relay')).toHaveLength(1)
  })

  test('gives up on an answer that is forged again and again', () => {
    const bed = start()
    const { seq, ts } = bed.last(OP.directRequest)
    const forged = {
      op_code: OP.directResponse,
      id: relay.id,
      seq,
      ts,
      ext: { key: relay.publicKey.spki },
      sign: new Uint8Array(256),
    } as const
    for (let times = 0; times < 50; times++) bed.receive(forged, RELAY)
    expect(bed.counted('badSignature')).toBe(8)
  })

  test('sends identical bytes 0.5, 1, 2 and 4 s (±20 %) after each other, and fails 4 s after the last', () => {
    const bed = start()
    bed.advance(30_000)
    const [first, ...others] = bed.sent.filter(({ message }) => message.op_code === OP.directRequest)
    const same = others.filter(({ bytes }) => Buffer.from(bytes).equals(first?.bytes ?? new Uint8Array(0)))
    expect(same).toHaveLength(4)
    let before = first?.at ?? 0
    for (const [index, nominal] of [500, 1000, 2000, 4000].entries()) {
      const gap = (same[index]?.at ?? 0) - before
      expect(gap).toBeGreaterThanOrEqual(0.8 * nominal)
      expect(gap).toBeLessThanOrEqual(1.2 * nominal)
      before = same[index]?.at ?? 0
    }
    expect(bed.eventsOf('relay')[0]).toMatchObject({ state: 'failed', reason: 'no answer' })
  })

  test('is tried again with a back-off that grows', () => {
    const bed = start()
    bed.advance(400_000)
    const starts = bed
      .taken(OP.directRequest)
      .filter((sent, index, all) => index === 0 || all[index - 1]?.message !== sent.message)
    const distinct = [
      ...new Map(starts.map((sent) => [(sent.message as { readonly seq: number }).seq, sent.at])).values(),
    ]
    const gaps = distinct.slice(1).map((at, index) => at - (distinct[index] ?? 0))
    expect(gaps.length).toBeGreaterThan(4)
    expect(gaps.at(-1)).toBeGreaterThan(2 * (gaps[0] ?? 0))
    expect(Math.max(...gaps)).toBeLessThan(12_000 + 90_000 + 1)
  })

  test('is made again when the relay does not know the address any more, at most once per 5 s', () => {
    const bed = new Bed().registered()
    const error = { op_code: OP.error, code: WIRE_ERROR.unbound, ref_op: OP.keepAlive, seq: 0, ts: 0 } as const
    bed.advance(20_000)
    bed.taken()
    bed.receive(error, RELAY)
    expect(bed.taken(OP.directRequest)).toHaveLength(1)
    bed.do((machine, now) => machine.register({ id: relay.id, endpoint: RELAY }, now))
    bed.receive(error, OTHER)
    expect(bed.taken(OP.directRequest)).toHaveLength(0)
  })

  test('is not made again sooner than 5 s after the last one, however often the relay says that it is unbound', () => {
    const bed = new Bed().registered()
    const error = { op_code: OP.error, code: WIRE_ERROR.unbound, ref_op: OP.keepAlive, seq: 0, ts: 0 } as const
    for (let times = 0; times < 10; times++) bed.receive(error, RELAY)
    bed.advance(4999)
    expect(bed.taken(OP.directRequest)).toHaveLength(0)
    bed.advance(1)
    expect(bed.taken(OP.directRequest)).toHaveLength(1)
  })

  test('in seed mode carries no extension field', () => {
    const bed = start(new Bed({ seedMode: true, knownKeys: [relay.publicKey] }))
    expect(bed.last(OP.directRequest).ext).toBeUndefined()
    bed.answerRegistration()
    expect(bed.eventsOf('relay')).toMatchObject([{ state: 'registered' }])
  })
})

describe('keep-alive', () => {
  test('comes after 15 s in which nothing else was sent', () => {
    const bed = new Bed().registered()
    bed.advance(14_999)
    expect(bed.taken()).toEqual([])
    bed.advance(1)
    expect(bed.taken(OP.keepAlive)).toMatchObject([{ to: RELAY, message: { seq: 0, ts: 0 } }])
  })

  test('three unanswered mean that the path is dead: the peer registers again', () => {
    const bed = new Bed().registered()
    bed.advance(59_999)
    expect(bed.taken(OP.directRequest)).toEqual([])
    bed.advance(1)
    expect(bed.eventsOf('relay').at(-1)).toMatchObject({ state: 'lost' })
    expect(bed.taken(OP.directRequest)).toHaveLength(1)
  })

  test('answered ones keep the path alive', () => {
    const bed = new Bed().registered()
    for (let times = 0; times < 20; times++) {
      bed.advance(15_000)
      bed.receive({ op_code: OP.keepAlive, id: relay.id, seq: 0, ts: 0 }, RELAY)
    }
    expect(bed.eventsOf('relay')).toHaveLength(1)
  })

  test('is echoed, but not within 5 s of the last one sent: two ends never echo for ever', () => {
    const bed = new Bed().registered()
    const keepAlive = { op_code: OP.keepAlive, id: relay.id, seq: 0, ts: 0 } as const
    for (let times = 0; times < 10; times++) bed.receive(keepAlive, RELAY)
    expect(bed.taken(OP.keepAlive)).toHaveLength(1)
    bed.advance(5000)
    bed.receive(keepAlive, RELAY)
    expect(bed.taken(OP.keepAlive)).toHaveLength(1)
  })

  test('is echoed in the encoding that it came in', () => {
    const bed = new Bed().registered()
    bed.receive({ op_code: OP.keepAlive, id: relay.id, seq: 0, ts: 0 }, RELAY, 'json')
    expect(bed.taken(OP.keepAlive)[0]?.bytes[0]).toBe('{'.charCodeAt(0))
  })

  test('of a stranger, or with another id from the relay, is not answered', () => {
    const bed = new Bed().registered()
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, OTHER)
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, RELAY)
    expect(bed.taken()).toEqual([])
  })
})

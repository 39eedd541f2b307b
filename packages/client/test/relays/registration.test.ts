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

const UNBOUND = { op_code: OP.error, code: WIRE_ERROR.unbound, ref_op: OP.keepAlive, seq: 0, ts: 0 } as const

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
    expect(bed.eventsOf('relay')[0]).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^no answer: .* another id/),
    })
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

  test('is made again when the relay says that it does not know this address, and not when others say so', () => {
    const bed = new Bed().registered()
    bed.advance(10_000)
    bed.taken()
    bed.receive(UNBOUND, OTHER)
    expect(bed.taken(OP.directRequest)).toHaveLength(0)
    bed.receive(UNBOUND, RELAY)
    expect(bed.taken(OP.directRequest)).toHaveLength(1)
  })

  test('is made again 1, 2, 4, 8 and 8 s after each other at most, however often the relay says so', () => {
    const bed = new Bed().registered()
    const begun: number[] = []
    for (let tenths = 0; tenths < 300; tenths++) {
      bed.receive(UNBOUND, RELAY)
      bed.advance(100)
      const again = bed.sent.some(({ message }) => message.op_code === OP.directRequest)
      if (again) bed.answerRegistration()
      for (const { at } of bed.taken(OP.directRequest)) begun.push(at)
    }
    expect(begun).toEqual([1000, 3000, 7000, 15_000, 23_000])
  })

  test('that the relay still has is not lost by a forged `unbound`: the renewal is not challenged', () => {
    const bed = new Bed().registered()
    bed.advance(5000)
    bed.receive(UNBOUND, RELAY)
    expect(bed.machine.isRegistered({ id: relay.id, endpoint: RELAY })).toBe(true)
    bed.answerRegistration()
    bed.advance(5000)
    expect(bed.eventsOf('relay').map(({ state }) => state)).toEqual(['registered'])
  })

  test('that the relay has lost is challenged when it is renewed, and the peer says so', () => {
    const bed = new Bed().registered()
    bed.advance(5000)
    bed.receive(UNBOUND, RELAY)
    challenge(bed, 1)
    bed.answerRegistration()
    expect(bed.eventsOf('relay').map(({ state }) => state)).toEqual(['registered', 'lost', 'registered'])
  })

  test.each([
    ['refused', /does not know you/],
    ['undecided', /cannot tell at the moment/],
  ] as const)(
    'fails at once when the relay says %s of this very request, says so in words, and is tried again',
    (code, words) => {
      const bed = start()
      const { seq, ts } = bed.last(OP.directRequest)
      const error = { op_code: OP.error, code: WIRE_ERROR[code], ref_op: OP.directRequest, seq, ts } as const
      bed.receive({ ...error, seq: seq + 1 }, RELAY)
      bed.receive(error, OTHER)
      expect(bed.eventsOf('relay')).toEqual([])
      bed.receive(error, RELAY)
      expect(bed.eventsOf('relay')).toMatchObject([{ state: 'failed', reason: expect.stringMatching(words) }])
      bed.advance(2000)
      expect(bed.last(OP.directRequest).seq).toBeGreaterThan(seq)
      bed.answerRegistration()
      expect(bed.eventsOf('relay')).toMatchObject([{ state: 'failed' }, { state: 'registered' }])
    },
  )

  describe('at a node of a fleet that this peer has left for another', () => {
    const NEXT = { ip: '198.51.100.9', port: 3478 }
    /** It said that it does not know this peer, so that a renewal is planned or under way. */
    const left = (underWay: boolean): Bed => {
      const bed = start()
      bed.answerRegistration()
      bed.receive(UNBOUND, RELAY)
      if (underWay) bed.advance(1500)
      bed.do((machine, now) => machine.register({ id: relay.id, endpoint: NEXT }, now))
      bed.answerRegistration(SEEN, NEXT)
      bed.taken()
      return bed
    }
    const asked = (bed: Bed) => bed.taken(OP.directRequest).filter(({ to }) => to.ip === RELAY.ip)

    test.each([
      ['planned', false],
      ['under way', true],
    ])('is not made again by a renewal that was %s', (_when, underWay) => {
      const bed = left(underWay)
      bed.advance(10_000)
      expect(asked(bed)).toEqual([])
    })

    test('is not made again when the network of this host changes', () => {
      const bed = left(false)
      bed.do((machine, now) => machine.networkChanged(now))
      bed.advance(1000)
      expect(asked(bed)).toEqual([])
    })
  })

  test('that is refused when it is renewed is lost, and the peer says why', () => {
    const bed = start()
    bed.answerRegistration()
    bed.receive(UNBOUND, RELAY)
    bed.advance(1000)
    const { seq, ts } = bed.last(OP.directRequest)
    bed.receive({ op_code: OP.error, code: WIRE_ERROR.refused, ref_op: OP.directRequest, seq, ts }, RELAY)
    expect(bed.eventsOf('relay').slice(1)).toMatchObject([
      { state: 'lost', reason: expect.stringContaining('does not know you') },
      { state: 'failed', reason: expect.stringContaining('does not know you') },
    ])
  })

  test('is lost when a renewal is not answered', () => {
    const bed = new Bed().registered()
    bed.advance(5000)
    bed.receive(UNBOUND, RELAY)
    bed.advance(14_000)
    expect(bed.eventsOf('relay').map(({ state }) => state)).toContain('lost')
  })

  /** Of each registration that was begun in this time, whether it had extension fields. */
  const extended = (bed: Bed, ms: number): readonly boolean[] => {
    bed.taken()
    bed.advance(ms)
    const begun = new Map(
      bed.sent.flatMap(({ message }) =>
        message.op_code === OP.directRequest ? [[message.seq, message.ext !== undefined] as const] : [],
      ),
    )
    return [...begun.values()]
  }

  test('is tried in seed mode every other time, with a relay that is known and never answered', () => {
    const tries = extended(start(new Bed({ knownKeys: [relay.publicKey] })), 60_000)
    expect(tries.slice(0, 4)).toEqual([true, false, true, false])
    expect(extended(start(), 60_000)).not.toContain(false)
  })

  test('is never tried in seed mode with a relay that knew extensions, as it drops such a request', () => {
    const tries = extended(new Bed().registered(), 300_000)
    expect(tries.length).toBeGreaterThan(4)
    expect(tries).not.toContain(false)
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

  test('that is unanswered, and four questions after it, lose the registration after 19 s: it is made again', () => {
    const bed = new Bed().registered()
    bed.advance(18_999)
    expect(bed.taken(OP.directRequest)).toEqual([])
    expect(bed.eventsOf('relay').at(-1)).toMatchObject({ state: 'registered' })
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

describe('a relay that was lost', () => {
  /** Until the last question is unanswered, and the first question whether it is back. */
  const lost = (): Bed => {
    const bed = new Bed().registered()
    bed.advance(19_000)
    bed.stun.length = 0
    bed.taken()
    return bed
  }

  test('is asked for two minutes whether it is back: each 0.5 s (±20 %) for 15 s, then each 2 s', () => {
    const bed = lost()
    bed.advance(15_000)
    const often = bed.stun.length
    expect(often).toBeGreaterThanOrEqual(15 / 0.6)
    expect(often).toBeLessThanOrEqual(15 / 0.4 + 1)
    bed.advance(300_000)
    expect(bed.stun.length - often).toBeGreaterThanOrEqual(105 / 2.4 - 1)
    expect(bed.stun.length - often).toBeLessThanOrEqual(105 / 1.6 + 1)
    expect(bed.stun.every(({ to }) => to.ip === RELAY.ip)).toBe(true)
  })

  test('is registered with at once when it answers, while the registration waits for seconds', () => {
    const bed = lost()
    bed.advance(40_000)
    bed.taken()
    bed.answerStun()
    expect(bed.sent.map(({ message, at }) => [message.op_code, at])).toEqual([[OP.directRequest, bed.now]])
    bed.answerRegistration()
    expect(bed.machine.isRegistered({ id: relay.id, endpoint: RELAY })).toBe(true)
  })

  test('that answers questions and no registration is not flooded with them', () => {
    const bed = lost()
    const seqs = new Set<number>()
    for (let second = 0; second < 10; second++) {
      bed.advance(1000)
      bed.answerStun()
      for (const { message } of bed.taken(OP.directRequest)) if ('seq' in message) seqs.add(message.seq)
    }
    expect(seqs.size).toBeLessThanOrEqual(2)
  })
})

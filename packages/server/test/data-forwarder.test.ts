import { decode, type Encoding, encode, type MessageOf, OP, type SessionId, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import {
  Bed,
  type BedOptions,
  data,
  identityOf,
  only,
  openSession,
  ops,
  type Sent,
  type TestPeer,
} from './relay-bed.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
/** The receiver's acknowledgement of what it got. */
const ackOf = (sent: readonly Sent[]): MessageOf<typeof OP.proxyDataAck> => {
  const { session, seq, ts } = only(sent, OP.proxyPassData)
  return { op_code: OP.proxyDataAck, session, seq, ts }
}
const setUp = (r: Partial<TestPeer> = {}, t: Partial<TestPeer> = {}, options: BedOptions = {}) => {
  const bed = new Bed(options)
  const [requester, target] = [bed.registered(r), bed.registered(t)]
  return { bed, r: requester, t: target, session: openSession(bed, requester, target) }
}

describe('0x123', () => {
  test.each<readonly [Encoding, Encoding]>([
    ['binary', 'binary'],
    ['binary', 'json'],
    ['json', 'binary'],
    ['json', 'json'],
  ])('from a peer in %s goes as 0x124, without the signature, to one in %s', (from, to) => {
    const { bed, r, t, session } = setUp({ encoding: from }, { encoding: to })
    const made = bed.made(r, data(r, t, session, 'grüße')) as MessageOf<typeof OP.proxyData>
    const sent = bed.send(r, made)
    const { sign: _sign, op_code: _op, ...fields } = made
    expect(sent.map(({ to: address, encoding }) => ({ address, encoding }))).toEqual([
      { address: t.source, encoding: to },
    ])
    expect(only(sent, OP.proxyPassData)).toEqual({ op_code: OP.proxyPassData, ...fields })
  })

  test('goes both ways', () => {
    const { bed, r, t, session } = setUp()
    const sent = bed.send(t, data(t, r, session, 'back'))
    expect(only(sent, OP.proxyPassData, r)).toMatchObject({ id: t.id, target: r.id })
    expect(text(only(sent, OP.proxyPassData).data)).toBe('back')
  })

  test('may be empty', () => {
    const { bed, r, t, session } = setUp()
    expect(only(bed.send(r, data(r, t, session, '')), OP.proxyPassData).data).toHaveLength(0)
  })

  test('leaves the datagram as it came: the same bytes can come again', () => {
    const { bed, r, t, session } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session))
    const copy = bytes.slice()
    bed.sendBytes(r.source, bytes)
    expect(bytes).toEqual(copy)
  })

  test('keeps its extension fields, which the signature covers', () => {
    const { bed, r, t, session } = setUp()
    const ext = { unknown: [{ type: 77, value: Uint8Array.of(1, 2, 3) }] }
    expect(only(bed.send(r, { ...data(r, t, session), ext }), OP.proxyPassData).ext).toEqual(ext)
    const bytes = bed.bytesOf(r, { ...data(r, t, session), ext })
    bytes[bytes.length - 1] = 4
    expect(bed.sendBytes(r.source, bytes)).toEqual([])
    expect(bed.count('badSignature')).toBe(1)
  })

  test('follows both ends to where they are bound by now', () => {
    const { bed, r, t, session } = setUp()
    r.source = { ip: '203.0.113.1', port: 1 }
    t.source = { ip: '203.0.113.2', port: 2 }
    bed.register(r)
    bed.register(t)
    expect(bed.send(r, data(r, t, session)).map(({ to }) => to)).toEqual([t.source])
  })

  test.each<readonly [string, (bed: Bed, r: TestPeer, t: TestPeer, session: SessionId) => Sent[]]>([
    [
      "from another address than its sender's",
      (bed, r, t, session) => bed.send(r, data(r, t, session), { source: { ip: '203.0.113.1', port: 1 } }),
    ],
    ["from the other end's address", (bed, r, t, session) => bed.send(r, data(r, t, session), { source: t.source })],
    [
      'by a third peer',
      (bed, _r, t, session) => {
        const third = bed.registered()
        return bed.send(third, data(third, t, session))
      },
    ],
    ['for a third peer', (bed, r, _t, session) => bed.send(r, data(r, bed.registered(), session))],
    [
      // The signature of 0x123 does not cover its id.
      'by its target in the name of a third peer',
      (bed, r, t, session) => bed.send(t, { ...data(t, r, session), id: bed.registered().id }),
    ],
    [
      'with a bad signature',
      (bed, r, t, session) => bed.send(r, { ...data(r, t, session), sign: new Uint8Array(256) }),
    ],
    [
      'with a signature of another length',
      (bed, r, t, session) => bed.send(r, { ...data(r, t, session), sign: new Uint8Array(384) }),
    ],
    [
      'with an unknown session from an unbound address',
      (bed, _r, t) => {
        const stranger = bed.peer()
        return bed.send(stranger, data(stranger, t, 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId))
      },
    ],
  ])('%s goes nowhere and is not answered', (_name, act) => {
    const { bed, r, t, session } = setUp()
    expect(act(bed, r, t, session)).toEqual([])
  })

  test("costs no RSA from another address, or with a signature that cannot be its sender's", () => {
    const { bed, r, t, session } = setUp()
    const before = bed.verified
    bed.send(r, data(r, t, session), { source: { ip: '203.0.113.1', port: 1 } })
    bed.send(r, { ...data(r, t, session), sign: new Uint8Array(384) })
    expect(bed.verified).toBe(before)
  })

  test('in a datagram that is too long is not even looked at', () => {
    const { bed, r, t, session } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session, 'x'.repeat(800)))
    // Data is not signed: 200 more bytes of it change nothing but the length.
    const dataEnd = 3 + 64 + 2 + 800
    const longer = new Uint8Array([...bytes.subarray(0, dataEnd), ...new Uint8Array(200), ...bytes.subarray(dataEnd)])
    new DataView(longer.buffer).setUint16(67, 1000)
    expect(bed.sendBytes(r.source, longer)).toEqual([])
    expect(bed.count('refused')).toBe(1)
  })

  test('for an absent target goes nowhere, as for one that refuses, and costs no RSA', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.peer()]
    const session = openSession(bed, r, t)
    const before = bed.verified
    expect(bed.send(r, data(r, t, session))).toEqual([])
    expect(bed.verified).toBe(before)
    expect(bed.count('targetAbsent')).toBe(1)
  })

  test('is delivered when it is repeated after the target came', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.peer()]
    const session = openSession(bed, r, t)
    const bytes = bed.bytesOf(r, data(r, t, session))
    bed.sendBytes(r.source, bytes)
    bed.register(t)
    expect(ops(bed.sendBytes(r.source, bytes))).toEqual([OP.proxyPassData])
  })

  test.each<Encoding>(['binary', 'json'])(
    'with an unknown session gets the error noSession at a bound address, in %s',
    (encoding) => {
      const { bed, r, t } = setUp({ encoding })
      const made = bed.made(r, data(r, t, 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId)) as MessageOf<typeof OP.proxyData>
      const sent = bed.send(r, made)
      const { seq, ts } = made
      expect(sent[0]?.encoding).toBe(encoding)
      expect(only(sent, OP.error, r)).toEqual({
        op_code: OP.error,
        code: WIRE_ERROR.noSession,
        ref_op: OP.proxyData,
        seq,
        ts,
      })
    },
  )

  test('gets the error noSession at most four times a second', () => {
    const { bed, r, t } = setUp()
    const send = () => bed.send(r, data(r, t, 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId)).length
    expect([send(), send()]).toEqual([1, 0])
    bed.pass(250)
    expect(send()).toBe(1)
  })

  test('that does not fit a datagram in its receiver’s encoding goes nowhere', () => {
    const { bed, r, t, session } = setUp({}, { encoding: 'json' })
    expect(bed.send(r, data(r, t, session, 'x'.repeat(800)))).toEqual([])
    expect(bed.count('tooLarge')).toBe(1)
  })

  test.each<readonly [string, (bed: Bed, r: TestPeer, t: TestPeer) => void]>([
    ['the session ended', (bed, r, t) => void openSession(bed, r, t)],
    [
      'the sender moved',
      (bed, r) => {
        r.source = { ip: '203.0.113.1', port: 1 }
        bed.register(r)
      },
    ],
    [
      'the target left',
      (bed, _r, t) => {
        bed.pass(60_000)
        void t
      },
    ],
  ])('goes nowhere when %s while its signature was being verified', (_name, act) => {
    const { bed, r, t, session } = setUp({}, {}, { limits: { sessionsPerId: 1 } })
    bed.holds = true
    bed.send(r, data(r, t, session))
    const held = bed.held.splice(0)
    bed.holds = false
    act(bed, r, t)
    bed.held.push(...held)
    expect(bed.finish()).toEqual([])
    expect(bed.machine.stats().outstanding).toBe(0)
  })
})

describe('0x125', () => {
  test.each<readonly [Encoding, Encoding]>([
    ['binary', 'binary'],
    ['binary', 'json'],
    ['json', 'binary'],
  ])('goes back to the sender, in %s, from a receiver in %s', (from, to) => {
    const { bed, r, t, session } = setUp({ encoding: from }, { encoding: to })
    const ack = ackOf(bed.send(r, data(r, t, session)))
    const sent = bed.send(t, ack)
    expect(sent.map((each) => ({ to: each.to, encoding: each.encoding, message: each.message }))).toEqual([
      { to: r.source, encoding: from, message: ack },
    ])
  })

  test('is never originated: without one of the receiver there is none', () => {
    const { bed, r, t, session } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session))
    expect(ops([...bed.sendBytes(r.source, bytes), ...bed.sendBytes(r.source, bytes)])).toEqual([
      OP.proxyPassData,
      OP.proxyPassData,
    ])
  })

  test.each<readonly [string, (bed: Bed, r: TestPeer, t: TestPeer, ack: ReturnType<typeof ackOf>) => Sent[]]>([
    ['from the sender', (bed, r, _t, ack) => bed.send(r, ack)],
    [
      "from another address than the receiver's",
      (bed, _r, t, ack) => bed.send(t, ack, { source: { ip: '203.0.113.1', port: 1 } }),
    ],
    ['from a third peer', (bed, _r, _t, ack) => bed.send(bed.registered(), ack)],
    ['with another seq', (bed, _r, t, ack) => bed.send(t, { ...ack, seq: ack.seq + 1 })],
    ['with another ts', (bed, _r, t, ack) => bed.send(t, { ...ack, ts: ack.ts + 1 })],
    ['with another session', (bed, r, t, ack) => bed.send(t, { ...ack, session: openSession(bed, r, t) })],
    [
      'with an unknown session',
      (bed, _r, t, ack) => bed.send(t, { ...ack, session: 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId }),
    ],
    [
      'for the second time',
      (bed, _r, t, ack) => {
        bed.send(t, ack)
        return bed.send(t, ack)
      },
    ],
    [
      'that comes too late',
      (bed, _r, t, ack) => {
        bed.pass(15_000)
        return bed.send(t, ack)
      },
    ],
  ])('%s goes nowhere', (_name, act) => {
    const { bed, r, t, session } = setUp()
    expect(act(bed, r, t, ackOf(bed.send(r, data(r, t, session))))).toEqual([])
  })

  test('refreshes the binding of the receiver', () => {
    const { bed, r, t, session } = setUp()
    bed.pass(40_000)
    bed.send(t, ackOf(bed.send(r, data(r, t, session))))
    bed.pass(40_000)
    expect(ops(bed.send(r, data(r, t, session)))).toEqual([OP.proxyPassData])
  })

  test('is told apart by direction: both ends may use the same seq and ts', () => {
    const { bed, r, t, session } = setUp()
    const stamp = { seq: 5, ts: bed.unixMs }
    const forth = bed.send(r, { ...data(r, t, session), ...stamp })
    bed.send(t, { ...data(t, r, session), ...stamp })
    expect(bed.send(t, ackOf(forth)).map(({ to }) => to)).toEqual([r.source])
    expect(bed.send(r, ackOf(forth)).map(({ to }) => to)).toEqual([t.source])
  })
})

describe('a repeated 0x123', () => {
  test('is passed on again until it is acknowledged, without RSA', () => {
    const { bed, r, t, session } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session))
    const first = bed.sendBytes(r.source, bytes)
    const before = bed.verified
    expect(bed.sendBytes(r.source, bytes)).toEqual(first)
    expect(bed.verified).toBe(before)
  })

  test('is answered with the 0x125 after that, and passed on no more', () => {
    const { bed, r, t, session } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session))
    const ack = bed.send(t, ackOf(bed.sendBytes(r.source, bytes)))
    expect(bed.sendBytes(r.source, bytes)).toEqual(ack)
    expect(bed.sendBytes(r.source, bytes)).toEqual(ack)
  })

  test('with another ts is not answered', () => {
    const { bed, r, t, session } = setUp()
    const made = bed.made(r, data(r, t, session)) as MessageOf<typeof OP.proxyData>
    bed.send(t, ackOf(bed.send(r, made)))
    expect(bed.send(r, { ...data(r, t, session), seq: made.seq, ts: made.ts + 1 })).toEqual([])
  })

  test('may be acknowledged 15 s after it was passed on last', () => {
    const { bed, r, t, session } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session))
    const sent = bed.sendBytes(r.source, bytes)
    bed.pass(10_000)
    bed.sendBytes(r.source, bytes)
    bed.pass(14_000)
    expect(ops(bed.send(t, ackOf(sent)))).toEqual([OP.proxyDataAck])
  })

  test('is answered with what the 0x125 carried', () => {
    const { bed, r, t, session } = setUp()
    const ext = { unknown: [{ type: 40, value: Uint8Array.of(9) }] }
    const bytes = bed.bytesOf(r, data(r, t, session))
    const ack = bed.send(t, { ...ackOf(bed.sendBytes(r.source, bytes)), ext })
    expect(only(ack, OP.proxyDataAck).ext).toEqual(ext)
    expect(bed.sendBytes(r.source, bytes).map(({ message }) => message)).toEqual(ack.map(({ message }) => message))
  })

  test('goes to where the receiver is bound by now', () => {
    const { bed, r, t, session } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session))
    bed.sendBytes(r.source, bytes)
    t.source = { ip: '203.0.113.1', port: 1 }
    t.encoding = 'json'
    bed.register(t)
    expect(bed.sendBytes(r.source, bytes)).toMatchObject([{ to: t.source, encoding: 'json' }])
  })

  test('with another signature is dropped', () => {
    const { bed, r, t, session } = setUp()
    const made = bed.made(r, data(r, t, session)) as MessageOf<typeof OP.proxyData>
    bed.send(r, made)
    expect(bed.send(r, { ...made, sign: new Uint8Array(256) })).toEqual([])
  })

  test('with other extension fields is dropped, since nothing but the signature ties them to it', () => {
    const { bed, r, t, session } = setUp()
    const ext = { unknown: [{ type: 77, value: Uint8Array.of(1) }] }
    const bytes = bed.bytesOf(r, { ...data(r, t, session), ext })
    bed.sendBytes(r.source, bytes)
    expect(ops(bed.sendBytes(r.source, bytes))).toEqual([OP.proxyPassData])
    const changed = bytes.slice()
    changed[changed.length - 1] = 2
    expect(bed.sendBytes(r.source, changed)).toEqual([])
  })

  test('is passed on eight times at most', () => {
    const { bed, r, t, session } = setUp()
    bed.send(t, data(t, r, session))
    const bytes = bed.bytesOf(r, data(r, t, session))
    const times = Array.from({ length: 10 }, () => bed.sendBytes(r.source, bytes).length)
    expect(times).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
  })
})

describe('replay of 0x123', () => {
  /** Beyond the consent of T, so that only replay can be in the way. */
  const consented = () => {
    const set = setUp()
    set.bed.send(set.t, data(set.t, set.r, set.session))
    const at = (seq: number) => set.bed.send(set.r, { ...data(set.r, set.t, set.session), seq }).length
    return { ...set, at }
  }

  test('within the window numbers may come in any order, each once', () => {
    const { at, bed } = consented()
    expect([at(10_000), at(9_000), at(9_500)]).toEqual([1, 1, 1])
    bed.pass(20_000)
    const before = bed.verified
    expect([at(9_000), at(10_000)]).toEqual([0, 0])
    expect(bed.count('replayed')).toBe(2)
    expect(bed.verified).toBe(before)
  })

  test('8,128 behind the newest is too old', () => {
    const { at } = consented()
    expect([at(20_000), at(20_000 - 8127), at(20_000 - 8128)]).toEqual([1, 1, 0])
  })

  test('the two directions have windows of their own', () => {
    const { bed, r, t, session, at } = consented()
    at(50_000)
    expect(bed.send(t, { ...data(t, r, session), seq: 3 })).toHaveLength(1)
  })

  test('a bad signature does not move the window', () => {
    const { bed, r, t, session, at } = consented()
    bed.send(r, { ...data(r, t, session), seq: 1_000_000, sign: new Uint8Array(256) })
    expect(at(5)).toBe(1)
  })

  test('a known number with another ts is dropped', () => {
    const { bed, r, t, session } = consented()
    bed.send(r, { ...data(r, t, session), seq: 8, ts: 1 })
    expect(bed.send(r, { ...data(r, t, session), seq: 8, ts: 2 })).toEqual([])
  })

  test('of two copies that are verified at the same time one is passed on', () => {
    const { bed, r, t, session } = consented()
    const bytes = bed.bytesOf(r, data(r, t, session))
    bed.holds = true
    bed.sendBytes(r.source, bytes)
    bed.sendBytes(r.source, bytes)
    bed.holds = false
    expect(ops(bed.finish())).toEqual([OP.proxyPassData])
  })
})

describe('caps of proxied data', () => {
  test('unacknowledged messages of one direction are capped', () => {
    const { bed, r, t, session } = setUp({}, {}, { limits: { outstandingPerDirection: 2 } })
    const send = () => bed.send(t, data(t, r, session))
    const first = send()
    expect([send().length, send().length]).toEqual([1, 0])
    bed.send(r, ackOf(first))
    expect(send()).toHaveLength(1)
    bed.pass(16_000)
    expect([send().length, send().length, send().length]).toEqual([1, 1, 0])
  })

  test('messages remembered are capped: the oldest makes room', () => {
    const { bed, r, t, session } = setUp({}, {}, { limits: { outstanding: 2 } })
    const sent = [1, 2, 3].map(() => bed.send(t, data(t, r, session)))
    expect(bed.machine.stats().outstanding).toBe(2)
    expect(sent.map((each) => bed.send(r, ackOf(each)).length)).toEqual([0, 1, 1])
  })

  test('one peer sends so many a second', () => {
    const { bed, r, t, session } = setUp({}, {}, { limits: { dataPerSecondPerId: 10, dataBurstPerId: 2 } })
    const send = () => bed.send(t, data(t, r, session)).length
    expect([send(), send(), send()]).toEqual([1, 1, 0])
    bed.pass(100)
    expect([send(), send()]).toEqual([1, 0])
  })

  test('the key of a peer is parsed again when the cache has let it go', () => {
    const { bed, r, t, session } = setUp({ identity: identityOf(4000) })
    expect(bed.machine.stats().parsedKeys).toBeGreaterThan(0)
    expect(ops(bed.send(r, data(r, t, session)))).toEqual([OP.proxyPassData])
  })
})

test('0x124 of a relay that looked in place is what a codec would have made', () => {
  const { bed, r, t, session } = setUp()
  const [sent] = bed.send(r, data(r, t, session, 'same'))
  const decoded = decode(sent?.bytes ?? new Uint8Array(0))
  expect(decoded.ok && encode(decoded.message, 'binary')).toEqual(sent?.bytes)
})

import { CAPS, type Encoding, type Endpoint, OP, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, identityOf, isSignedBy, only, ops, type Sent, type TestPeer } from './relay-bed.ts'

const punch = (from: TestPeer, to: TestPeer) => ({ op_code: OP.punchRequest, target: to.id, id: from.id }) as const
/** T's answer to a 0x112. */
const consent = (target: TestPeer, passed: readonly Sent[]) => {
  const { seq, ts, session } = only(passed, OP.punchPassRequest, target)
  return { op_code: OP.punchAck, id: target.id, seq, ts, session } as const
}
const local: readonly Endpoint[] = [{ ip: '192.168.1.2', port: 4000 }]
/** Two peers behind one public address. */
const neighbours = (bed: Bed, seedMode = false) => {
  const at = (port: number) => ({ source: { ip: '192.0.2.44', port } })
  return [
    bed.registered(at(1)),
    bed.registered({ ...at(2), ...(seedMode ? { seedMode, identity: identityOf(600) } : {}) }),
  ] as const
}

describe('0x111', () => {
  test("becomes a 0x112 with R's signature and R's address as the relay sees it", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const request = bed.made(r, punch(r, t))
    const passed = only(bed.send(r, request), OP.punchPassRequest, t)
    expect(passed).toMatchObject({ target: t.id, id: r.id, ...r.source })
    const { seq, ts, sign } = request as typeof passed
    expect(passed).toMatchObject({ seq, ts, sign })
    expect(isSignedBy(r.key, passed)).toBe(true)
  })

  test('names a new session each time', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const sessions = [1, 2, 3].map(() => only(bed.send(r, punch(r, t)), OP.punchPassRequest).session)
    expect(new Set(sessions).size).toBe(3)
  })

  test('gets silence when it comes from no bound address', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const stranger = bed.peer()
    const before = bed.verified
    expect(bed.send(r, punch(r, t), { source: { ip: '203.0.113.3', port: 3 } })).toEqual([])
    expect(bed.send(stranger, punch(stranger, t))).toEqual([])
    expect(bed.count('unbound')).toBe(2)
    expect(bed.verified).toBe(before)
  })

  test('with a bad signature is not passed on', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    expect(bed.send(r, { ...punch(r, t), sign: new Uint8Array(256) })).toEqual([])
    expect(bed.count('badSignature')).toBe(1)
  })

  test('for an absent target gets silence, and is passed on when it is repeated after the target came', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.peer()]
    const bytes = bed.bytesOf(r, punch(r, t))
    expect(bed.sendBytes(r.source, bytes)).toEqual([])
    bed.register(t)
    const checked = bed.verified
    expect(ops(bed.sendBytes(r.source, bytes))).toEqual([OP.punchPassRequest])
    expect(bed.verified).toBe(checked)
  })

  test("is passed on in the target's encoding", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered({ encoding: 'json' })]
    const passed = bed.send(r, punch(r, t))
    expect(passed[0]?.encoding).toBe('json')
    expect(isSignedBy(r.key, only(passed, OP.punchPassRequest))).toBe(true)
  })
})

describe('extension fields of 0x111', () => {
  test('are passed on, except host candidates between peers that share no address', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const unknown = [{ type: 200, value: Uint8Array.of(1, 2) }]
    const ext = { caps: 5, nat: { mapping: 1, filtering: 3 }, local, unknown } as const
    const passed = only(bed.send(r, { ...punch(r, t), ext }), OP.punchPassRequest)
    expect(passed.ext).toEqual({ caps: 5, nat: { mapping: 1, filtering: 3 }, unknown, key: r.key.spki })
    expect(isSignedBy(r.key, passed)).toBe(true)
  })

  test('are passed on with host candidates between peers that share a public address', () => {
    const bed = new Bed()
    const [r, t] = neighbours(bed)
    expect(only(bed.send(r, { ...punch(r, t), ext: { local } }), OP.punchPassRequest).ext?.local).toEqual(local)
  })

  test("get R's key added, also when R sent none at all", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    expect(only(bed.send(r, punch(r, t)), OP.punchPassRequest).ext).toEqual({ key: r.key.spki })
  })

  test('that are not signed are kept from a target that does not know extensions', () => {
    const bed = new Bed({ knownKeys: [identityOf(600).publicKey] })
    const [r, t] = neighbours(bed, true)
    expect(
      only(bed.send(r, { ...punch(r, t), ext: { key: r.key.spki, local } }), OP.punchPassRequest).ext,
    ).toBeUndefined()
    const passed = only(bed.send(r, { ...punch(r, t), ext: { key: r.key.spki, local, caps: 1 } }), OP.punchPassRequest)
    expect(passed.ext).toEqual({ caps: 1 })
    expect(isSignedBy(r.key, passed)).toBe(true)
  })

  test('that make a JSON message too large go: host candidates first, then the key', () => {
    const bed = new Bed()
    const at = (port: number) => ({ source: { ip: '192.0.2.44', port } })
    const [small, large, t] = [
      bed.registered(at(1)),
      bed.registered({ ...at(2), identity: identityOf(700, 4096) }),
      bed.registered({ ...at(3), encoding: 'json' }),
    ] as const
    const many = [1, 2, 3, 4].map((last) => ({ ip: `2001:db8:1111:2222:3333:4444:5555:${last}`, port: 40_000 }))
    const fits = only(bed.send(small, { ...punch(small, t), ext: { local: many } }), OP.punchPassRequest)
    expect(Object.keys(fits.ext ?? {}).sort()).toEqual(['key', 'local'])
    const tight = only(bed.send(large, { ...punch(large, t), ext: { local } }), OP.punchPassRequest)
    expect(tight.ext).toBeUndefined()
    const unknown = [{ type: 99, value: new Uint8Array(400) }]
    expect(bed.send(large, { ...punch(large, t), ext: { unknown } })).toEqual([])
    expect(bed.count('tooLarge')).toBe(1)
  })
})

describe('an end that is concealed', () => {
  const ext = { caps: CAPS.concealed, local }
  const nowhere = { ip: '192.0.2.1', port: 9 }

  test.each([
    ['R', { ext }, {}, true],
    ['T', {}, { ext }, false],
  ])('is at an address of nobody for the other one: %s', (_who, ofR, ofT, hides) => {
    const bed = new Bed()
    const [r, t] = neighbours(bed)
    const passed = bed.send(r, { ...punch(r, t), ...ofR })
    const request = only(passed, OP.punchPassRequest, t)
    expect(request).toMatchObject(hides ? nowhere : r.source)
    expect(request.ext?.local).toBeUndefined()
    expect(isSignedBy(r.key, request)).toBe(true)
    // Nor is R told that both have one address, or where T is if it hides itself.
    const sent = bed.send(t, { ...consent(t, passed), ...ofT })
    expect(ops(sent)).toEqual([OP.punchPassAck])
    expect(only(sent, OP.punchPassAck, r)).toMatchObject(nowhere)
  })

  test('learns nothing of a target of before, which says where it is', () => {
    const bed = new Bed()
    const [r, t] = neighbours(bed)
    const passed = bed.send(r, { ...punch(r, t), ext })
    const ack = only(bed.send(t, { ...consent(t, passed), ext: { caps: CAPS.directData, local } }), OP.punchPassAck, r)
    expect(ack).toMatchObject({ ...nowhere, ext: { caps: CAPS.directData } })
    expect(ack.ext?.local).toBeUndefined()
  })
})

describe('a target that has not agreed', () => {
  const setUp = (encoding: Encoding = 'binary') => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered({ encoding })]
    const alive = () => {
      for (const peer of [r, t]) bed.send(peer, { op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 })
    }
    return { bed, r, t, alive }
  }
  const bytesIn = (sent: readonly Sent[]) => sent.reduce((sum, { bytes }) => sum + bytes.length, 0)

  test('gets 10 introductions a minute, however often one request is repeated', () => {
    const { bed, r, t, alive } = setUp()
    const bytes = bed.bytesOf(r, punch(r, t))
    let passed = 0
    for (let second = 0; second < 60; second++) {
      alive()
      for (let times = 0; times < 20; times++)
        passed += bed.sendBytes(r.source, bytes).filter(({ to }) => to === t.source).length
      bed.pass(1000)
    }
    expect(passed).toBe(10)
  })

  test('gets 10 introductions a minute, however many requests there are', () => {
    const { bed, r, t } = setUp()
    const passed = Array.from({ length: 40 }, () => bed.send(r, punch(r, t)).length)
    expect(passed).toEqual([...new Array(10).fill(1), ...new Array(30).fill(0)])
    const other = bed.registered()
    expect(bed.send(other, punch(other, t))).toHaveLength(1)
    expect(bed.send(r, punch(r, other))).toHaveLength(1)
  })

  test('gets 10 KiB of introductions a minute', () => {
    const { bed, r, t } = setUp('json')
    const unknown = [{ type: 99, value: new Uint8Array(150) }]
    const sent = Array.from({ length: 10 }, () => bed.send(r, { ...punch(r, t), ext: { unknown } })).flat()
    expect(sent.length).toBeLessThan(10)
    expect(bytesIn(sent)).toBeLessThanOrEqual(10_240)
    expect(bytesIn(sent) + (sent[0]?.bytes.length ?? 0)).toBeGreaterThan(10_240)
  })

  test('gets more when a minute has passed', () => {
    const { bed, r, t, alive } = setUp()
    for (let times = 0; times < 11; times++) bed.send(r, punch(r, t))
    bed.pass(30_000)
    alive()
    expect(bed.send(r, punch(r, t))).toEqual([])
    bed.pass(30_000)
    alive()
    expect(bed.send(r, punch(r, t))).toHaveLength(1)
  })

  test('that agrees is asked again as often as before', () => {
    const { bed, r, t } = setUp()
    for (let times = 0; times < 25; times++) {
      const passed = bed.send(r, punch(r, t))
      expect(passed).toHaveLength(1)
      expect(bed.send(t, consent(t, passed))).toHaveLength(1)
    }
  })
})

describe('0x114', () => {
  test("becomes a 0x115 with T's signature and T's address as the relay sees it", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const passed = bed.send(r, punch(r, t))
    const ack = bed.made(t, consent(t, passed))
    const sent = bed.send(t, ack)
    const { seq, ts, session, sign } = ack as Extract<typeof ack, { op_code: typeof OP.punchAck }>
    expect(ops(sent)).toEqual([OP.punchPassAck])
    expect(only(sent, OP.punchPassAck, r)).toMatchObject({ id: t.id, seq, ts, session, sign, ...t.source })
    expect(isSignedBy(t.key, only(sent, OP.punchPassAck))).toBe(true)
  })

  test.each<readonly [string, (bed: Bed, r: TestPeer, t: TestPeer, passed: readonly Sent[]) => Sent[]]>([
    [
      "from another address than T's",
      (bed, _r, t, passed) => bed.send(t, consent(t, passed), { source: { ip: '203.0.113.3', port: 3 } }),
    ],
    [
      'from another bound peer',
      (bed, _r, t, passed) => {
        const other = bed.registered()
        return bed.send(other, { ...consent(t, passed), id: other.id })
      },
    ],
    ['from R itself', (bed, r, t, passed) => bed.send(r, { ...consent(t, passed), id: r.id })],
    ['with another seq', (bed, _r, t, passed) => bed.send(t, { ...consent(t, passed), seq: 1 })],
    ['with another ts', (bed, _r, t, passed) => bed.send(t, { ...consent(t, passed), ts: 1 })],
    ['with a bad signature', (bed, _r, t, passed) => bed.send(t, { ...consent(t, passed), sign: new Uint8Array(256) })],
    [
      'after the attempt is over',
      (bed, r, t, passed) => {
        bed.pass(29_000)
        bed.send(r, { op_code: OP.keepAlive, id: r.id, seq: 0, ts: 0 })
        bed.send(t, { op_code: OP.keepAlive, id: t.id, seq: 0, ts: 0 })
        bed.pass(1000)
        return bed.send(t, consent(t, passed))
      },
    ],
  ])('%s is not passed on', (_name, act) => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    expect(act(bed, r, t, bed.send(r, punch(r, t)))).toEqual([])
  })

  test("from another address than T's costs no RSA", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const passed = bed.send(r, punch(r, t))
    const before = bed.verified
    bed.send(t, consent(t, passed), { source: { ip: '203.0.113.3', port: 3 } })
    expect(bed.verified).toBe(before)
  })

  test('may still be good after a bad one', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const passed = bed.send(r, punch(r, t))
    bed.send(t, { ...consent(t, passed), sign: new Uint8Array(256).fill(1) })
    expect(ops(bed.send(t, consent(t, passed)))).toEqual([OP.punchPassAck])
  })

  test.each<Encoding>(['binary', 'json'])(
    "is passed on in R's encoding, %s, to where R is bound by now",
    (encoding) => {
      const bed = new Bed()
      const [r, t] = [bed.registered({ encoding }), bed.registered()]
      const passed = bed.send(r, punch(r, t))
      r.source = { ip: '203.0.113.50', port: 50 }
      bed.register(r)
      const [sent] = bed.send(t, consent(t, passed))
      expect(sent?.to).toEqual(r.source)
      expect(sent?.encoding).toBe(encoding)
    },
  )

  test("passes on T's extension fields with T's key, and host candidates only between peers that share an address", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const ext = { caps: 4, local }
    const sent = bed.send(t, { ...consent(t, bed.send(r, punch(r, t))), ext })
    expect(only(sent, OP.punchPassAck).ext).toEqual({ caps: 4, key: t.key.spki })
    const [a, b] = neighbours(bed)
    const shared = bed.send(b, { ...consent(b, bed.send(a, punch(a, b))), ext })
    expect(only(shared, OP.punchPassAck).ext).toEqual({ caps: 4, local, key: b.key.spki })
  })

  test("passes on T's key as its registration proved it, whatever key came with the 0x114", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const ext = { caps: 4, key: r.key.spki }
    const sent = bed.send(t, { ...consent(t, bed.send(r, punch(r, t))), ext })
    expect(only(sent, OP.punchPassAck).ext).toEqual({ caps: 4, key: t.key.spki })
  })

  test('passes no unsigned field to a requester that does not know extensions', () => {
    const bed = new Bed({ knownKeys: [identityOf(600).publicKey] })
    const [t, r] = neighbours(bed, true)
    const sent = bed.send(t, { ...consent(t, bed.send(r, punch(r, t))), ext: { caps: 4, local } })
    expect(only(sent, OP.punchPassAck).ext).toEqual({ caps: 4 })
    expect(only(sent, OP.sameAddressResponse).ext).toBeUndefined()
  })

  test('does nothing when R is gone', () => {
    const bed = new Bed({ limits: { bindings: 2 } })
    const [r, t] = [bed.registered(), bed.registered()]
    const passed = bed.send(r, punch(r, t))
    bed.registered()
    expect(bed.events.at(-2)).toMatchObject({ type: 'unbound', id: r.id })
    expect(bed.send(t, consent(t, passed))).toEqual([])
  })
})

describe("T's acknowledgements", () => {
  test('refresh its binding', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    bed.pass(40_000)
    bed.send(t, consent(t, bed.send(r, punch(r, t))))
    bed.pass(40_000)
    expect(ops(bed.send(r, punch(r, t)))).toEqual([OP.punchPassRequest])
  })

  test('are checked at the rate of its requests', () => {
    const bed = new Bed({ limits: { requestsPerSecondPerId: 1, requestBurstPerId: 3 } })
    const [r, t] = [bed.registered(), bed.registered()]
    const ack = consent(t, bed.send(r, punch(r, t)))
    const before = bed.verified
    for (let times = 0; times < 9; times++) bed.send(t, { ...ack, sign: new Uint8Array(256) })
    // One of the three went to the registration.
    expect(bed.verified - before).toBe(2)
    bed.pass(1000)
    expect(ops(bed.send(t, ack))).toEqual([OP.punchPassAck])
  })

  test('are checked one at a time: a bad one beside a good one changes nothing', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const bytes = bed.bytesOf(r, punch(r, t))
    const ack = consent(t, bed.sendBytes(r.source, bytes))
    bed.holds = true
    bed.send(t, ack)
    bed.send(t, { ...ack, sign: new Uint8Array(256) })
    bed.holds = false
    expect(ops(bed.finish())).toEqual([OP.punchPassAck])
    expect(ops(bed.sendBytes(r.source, bytes))).toEqual([OP.punchPassAck])
  })

  test('carry their key to a requester whose 0x111 shows that it knows extensions, whatever its registration did', () => {
    const bed = new Bed({ knownKeys: [identityOf(600).publicKey] })
    const [r, t] = [bed.registered({ identity: identityOf(600), seedMode: true }), bed.registered()]
    const sent = bed.send(t, consent(t, bed.send(r, { ...punch(r, t), ext: { caps: 1 } })))
    expect(only(sent, OP.punchPassAck).ext).toEqual({ key: t.key.spki })
  })
})

describe('0x113', () => {
  test("tells R, signed by the relay and only after T's consent, that both have one public address", () => {
    const bed = new Bed()
    const [r, t] = neighbours(bed)
    const request = bed.made(r, punch(r, t))
    const passed = bed.send(r, request)
    expect(ops(passed)).toEqual([OP.punchPassRequest])
    const sent = bed.send(t, { ...consent(t, passed), ext: { local } })
    expect(ops(sent)).toEqual([OP.punchPassAck, OP.sameAddressResponse])
    const response = only(sent, OP.sameAddressResponse, r)
    const { seq, ts } = request as typeof response
    expect(response).toMatchObject({ id: bed.id, target: t.id, seq, ts, ext: { local } })
    expect(isSignedBy(bed.key, response)).toBe(true)
  })

  test('is not sent when the addresses differ', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    expect(ops(bed.send(t, consent(t, bed.send(r, punch(r, t)))))).toEqual([OP.punchPassAck])
  })
})

describe('a repeated 0x111', () => {
  test('makes the relay repeat the same 0x112 until 0x114 came, then the 0x115', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const bytes = bed.bytesOf(r, punch(r, t))
    const first = bed.sendBytes(r.source, bytes)
    const again = bed.sendBytes(r.source, bytes)
    expect(again).toEqual(first)
    const ack = bed.send(t, consent(t, first))
    const checked = bed.verified
    expect(bed.sendBytes(r.source, bytes)).toEqual(ack)
    expect(bed.verified).toBe(checked)
  })

  test('gets the 0x113 again with the 0x115', () => {
    const bed = new Bed()
    const [r, t] = neighbours(bed)
    const bytes = bed.bytesOf(r, punch(r, t))
    const ack = bed.send(t, consent(t, bed.sendBytes(r.source, bytes)))
    expect(bed.sendBytes(r.source, bytes)).toEqual(ack)
  })

  test('after 15 s is a request of a clock that may have stepped: its sender is told to register', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const bytes = bed.bytesOf(r, punch(r, t))
    bed.sendBytes(r.source, bytes)
    bed.pass(15_000)
    expect(bed.sendBytes(r.source, bytes).map(({ message }) => message)).toMatchObject([
      { op_code: OP.error, code: WIRE_ERROR.unbound },
    ])
    expect(bed.sendBytes(r.source, bytes)).toEqual([])
  })
})

describe('a repeated 0x114', () => {
  test('is passed on again without a signature check, a few times', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const ack = bed.made(t, consent(t, bed.send(r, punch(r, t))))
    const first = bed.send(t, ack)
    const checked = bed.verified
    const repeats = [1, 2, 3, 4, 5, 6].map(() => bed.send(t, ack))
    expect(repeats).toEqual([first, first, first, first, [], []])
    expect(bed.verified).toBe(checked)
  })
})

test('attempts are capped: the oldest makes room, and its acknowledgement is not passed on any more', () => {
  const bed = new Bed({ limits: { attempts: 2 } })
  const [r, t] = [bed.registered(), bed.registered()]
  const passed = [1, 2, 3].map(() => bed.send(r, punch(r, t)))
  expect(bed.machine.stats().attempts).toBe(2)
  expect(passed.map((sent) => ops(bed.send(t, consent(t, sent))))).toEqual([[], [OP.punchPassAck], [OP.punchPassAck]])
})

/** docs/protocol.md: connect through NAT, both sides, and Punch safety. */
import { type Endpoint, type MessageOf, OP, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { internetPolicy } from '../../src/core/index.ts'
import { Bed, OTHER, other, RELAY, relay, SEEN, self, sentTo } from '../peer-bed.ts'

const SESSION = sessionIdFromBytes(new Uint8Array(16).fill(5))
const CAPS = { caps: 4 }
/** Global unicast, unlike those of documentation. */
const PUBLIC = { ip: '8.8.4.4', port: 5000 }

type Invitation = MessageOf<typeof OP.punchPassRequest>
function invitation(bed: Bed, from: Endpoint = OTHER, plain = false): Invitation {
  const ext = plain ? {} : { ext: CAPS }
  const { sign } = other.signed({
    op_code: OP.punchRequest,
    target: self.id,
    id: other.id,
    seq: 7,
    ts: bed.unixMs,
    ...ext,
  })
  return {
    op_code: OP.punchPassRequest,
    target: self.id,
    id: other.id,
    seq: 7,
    ts: bed.unixMs,
    ...from,
    session: SESSION,
    sign,
    ext: { ...ext.ext, key: other.publicKey.spki },
  }
}

describe('as the target', () => {
  test('consents with 0x114 and opens with 0x100', () => {
    const bed = new Bed().registered()
    bed.receive(invitation(bed), RELAY)
    expect(bed.last(OP.punchAck)).toMatchObject({ id: self.id, session: SESSION, seq: 7 })
    bed.advance(1)
    expect(bed.sent.filter(sentTo(OTHER)).map(({ message }) => message.op_code)).toEqual([OP.keepAlive])
  })

  test('acts only on what comes from a relay that it is registered with', () => {
    const bed = new Bed().registered()
    bed.receive(invitation(bed), { ...RELAY, port: 4401 })
    new Bed().receive(invitation(bed), RELAY)
    bed.advance(2000)
    expect(bed.taken()).toEqual([])
  })

  test('acts only after the signature of the requester verified, with a key that hashes to its id', () => {
    const bed = new Bed().registered()
    const good = invitation(bed)
    bed.receive({ ...good, sign: new Uint8Array(256) }, RELAY)
    bed.receive({ ...good, seq: 8 }, RELAY)
    bed.receive({ ...good, target: relay.id }, RELAY)
    const stranger = new Bed().registered()
    stranger.receive({ ...good, ext: { ...CAPS, key: relay.publicKey.spki } }, RELAY)
    stranger.receive({ ...good, ext: CAPS }, RELAY)
    for (const each of [bed, stranger]) each.advance(2000)
    expect([...bed.taken(), ...stranger.taken()]).toEqual([])
  })

  test('does not act while its registration with that relay is not done', () => {
    const bed = new Bed()
    bed.do((machine, now) => machine.register({ id: relay.id, endpoint: RELAY }, now))
    bed.taken()
    bed.receive(invitation(bed), RELAY)
    expect(bed.taken().map(({ message }) => message.op_code)).toEqual([])
  })

  test('does not act on a request that it has seen, that is old, or that is for somebody else', () => {
    const bed = new Bed().registered()
    const first = invitation(bed)
    bed.receive(first, RELAY)
    bed.taken()
    bed.receive({ ...first, session: sessionIdFromBytes(new Uint8Array(16).fill(6)) }, RELAY)
    const late = new Bed().registered()
    const recorded = invitation(late)
    late.advance(60_001)
    late.answerRegistration()
    late.taken()
    late.receive(recorded, RELAY)
    const forRelay = { op_code: OP.punchRequest, target: relay.id, id: other.id, seq: 8, ts: bed.unixMs } as const
    const { sign } = other.signed(forRelay)
    bed.receive({ ...first, target: relay.id, seq: 8, sign, ext: { key: other.publicKey.spki } }, RELAY)
    expect([...bed.taken(OP.punchAck), ...late.taken(OP.punchAck)]).toEqual([])
  })

  test('asks the application first, and a no looks like absence', () => {
    const bed = new Bed().registered()
    bed.consent = false
    bed.receive(invitation(bed), RELAY)
    bed.advance(2000)
    expect([bed.eventsOf('consent'), bed.taken()]).toMatchObject([[{ id: other.id, via: 'punch' }], []])
  })

  test('answers a repeated 0x112 with the same 0x114, and asks nobody again', () => {
    const bed = new Bed().registered()
    const message = invitation(bed)
    bed.receive(message, RELAY)
    bed.receive(message, RELAY)
    const [first, second] = bed.taken(OP.punchAck)
    expect(second?.bytes).toEqual(first?.bytes)
    expect(bed.eventsOf('consent')).toHaveLength(1)
  })

  test('sends at most 8 keep-alive-sized packets to an address that does not answer, and no 0x101', () => {
    const bed = new Bed().registered()
    bed.receive(invitation(bed), RELAY)
    bed.advance(30_000)
    const there = bed.sent.filter(sentTo(OTHER))
    expect(there.map(({ message }) => message.op_code)).toEqual(new Array<number>(8).fill(OP.keepAlive))
  })

  test.each([
    [6000, 16],
    [3000, 8],
  ])(
    'that is introduced again after %d ms has sent %d: anew when every probe was sent, not before',
    (after, probes) => {
      const bed = new Bed().registered()
      bed.receive(invitation(bed), RELAY)
      bed.advance(after)
      bed.receive(invitation(bed), RELAY)
      bed.advance(14_000)
      expect(bed.taken(OP.keepAlive).filter(sentTo(OTHER))).toHaveLength(probes)
    },
  )

  test('sends 0x101 without key once something was heard from the announced address', () => {
    const bed = new Bed().registered()
    bed.receive(invitation(bed), RELAY)
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, OTHER)
    expect(bed.last(OP.directRequest)).toMatchObject({ target: other.id })
    expect(bed.last(OP.directRequest).ext?.key).toBeUndefined()
  })

  test('echoes a 0x100 from an unannounced address of the peer, and sends 0x101 there only after a verified one', () => {
    const bed = new Bed().registered()
    const elsewhere = { ...OTHER, port: 5001 }
    bed.receive(invitation(bed), RELAY)
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, elsewhere)
    expect(bed.sent.filter(sentTo(elsewhere)).map(({ message }) => message.op_code)).toEqual([OP.keepAlive])
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, elsewhere)
    expect(
      bed
        .taken()
        .filter(sentTo(elsewhere))
        .map(({ message }) => message.op_code),
    ).not.toContain(OP.directRequest)
    bed.receive(
      {
        ...other.signed({ op_code: OP.directRequest, id: other.id, target: self.id, seq: 1, ts: bed.unixMs }),
        sign: new Uint8Array(256),
      },
      elsewhere,
    )
    expect(bed.sent.filter(sentTo(elsewhere))).toEqual([])
    bed.receive(
      other.signed({ op_code: OP.directRequest, id: other.id, target: self.id, seq: 1, ts: bed.unixMs }),
      elsewhere,
    )
    expect(bed.sent.filter(sentTo(elsewhere)).map(({ message }) => message.op_code)).toEqual([
      OP.directResponse,
      OP.directRequest,
    ])
  })

  test.each([
    ['loopback', '127.0.0.1'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['unspecified', '0.0.0.0'],
    ['private', '192.168.1.2'],
    ['IPv6 loopback', '::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['IPv6 link-local', 'fe80::1'],
    ['unique local', 'fd00::1'],
  ])('on the internet sends nothing to a %s address', (_kind, ip) => {
    const bed = new Bed({ allows: internetPolicy }).registered()
    bed.receive(invitation(bed, { ip, port: 5000 }), RELAY)
    bed.advance(10_000)
    expect(bed.sent.filter(sentTo({ ip, port: 5000 }))).toEqual([])
    expect(bed.counted('addressRefused')).toBe(1)
  })

  test('consents also where it may send to none of the announced addresses, and answers what comes from another', () => {
    const bed = new Bed({ allows: internetPolicy }).registered()
    bed.receive(invitation(bed, { ip: '192.168.1.2', port: 5000 }), RELAY)
    expect(bed.taken(OP.punchAck)).toHaveLength(1)
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, PUBLIC)
    expect(bed.sent.filter(sentTo(PUBLIC)).map(({ message }) => message.op_code)).toEqual([OP.keepAlive])
  })

  test('announces where a router maps its port, in what is signed', () => {
    const also = [{ ip: '9.9.9.9', port: 6000 }]
    const bed = new Bed({ mappedAddresses: () => also }).registered()
    bed.receive(invitation(bed), RELAY)
    expect(bed.last(OP.punchAck)?.ext?.also).toEqual(also)
  })

  test('tries host candidates only of a peer that shares its public address', () => {
    const local = { ip: '192.168.1.2', port: 7000 }
    for (const [ip, tried] of [
      [SEEN.ip, true],
      ['9.9.9.9', false],
    ] as const) {
      const bed = new Bed({ allows: (_endpoint, shares) => shares || ip !== SEEN.ip }).registered()
      const message = invitation(bed, { ip, port: 5000 })
      bed.receive({ ...message, ext: { ...message.ext, local: [local] } }, RELAY)
      bed.advance(1)
      expect(bed.sent.some(sentTo(local))).toBe(tried)
    }
  })

  test('takes a requester that speaks only the seed, and answers without extension fields that it would have to sign', () => {
    const bed = new Bed({ knownKeys: [other.publicKey] }).registered()
    const { ext: _none, ...plain } = invitation(bed, OTHER, true)
    bed.receive(plain, RELAY)
    expect(bed.last(OP.punchAck).ext?.caps).toBeUndefined()
    expect(bed.last(OP.punchAck).ext?.nat).toBeUndefined()
  })
})

describe('as the requester', () => {
  const dial = (bed: Bed): void => {
    bed.do((machine, now) =>
      machine.dial({ id: other.id, policy: 'punch', addresses: [], relays: [{ id: relay.id, endpoint: RELAY }] }, now),
    )
  }
  const consent = (
    bed: Bed,
    more: Partial<MessageOf<typeof OP.punchPassAck>> = {},
  ): MessageOf<typeof OP.punchPassAck> => {
    const { seq, ts } = bed.last(OP.punchRequest)
    const { sign } = other.signed({ op_code: OP.punchAck, id: other.id, seq, ts, session: SESSION, ext: CAPS })
    return {
      op_code: OP.punchPassAck,
      id: other.id,
      seq,
      ts,
      ...OTHER,
      session: SESSION,
      sign,
      ext: { ...CAPS, key: other.publicKey.spki },
      ...more,
    }
  }

  test('asks with its capabilities, and after a second without an answer again without signed fields', () => {
    const bed = new Bed().registered()
    dial(bed)
    expect(bed.last(OP.punchRequest).ext?.caps).toBe(4)
    bed.advance(999)
    expect(new Set(bed.sent.map(({ message }) => (message as { readonly seq: number }).seq)).size).toBe(1)
    bed.advance(1)
    expect(bed.last(OP.punchRequest).ext?.caps).toBeUndefined()
  })

  test('punches only after the target consented under its own signature', () => {
    const bed = new Bed().registered()
    dial(bed)
    bed.receive({ ...consent(bed), sign: new Uint8Array(256) }, RELAY)
    bed.receive(consent(bed), OTHER)
    bed.receive(consent(bed, { seq: 1 }), RELAY)
    bed.advance(10)
    expect(bed.sent.filter(sentTo(OTHER))).toEqual([])
    bed.receive(consent(bed), RELAY)
    bed.advance(1)
    expect(bed.sent.filter(sentTo(OTHER)).map(({ message }) => message.op_code)).toEqual([OP.keepAlive])
  })

  test('answers what comes from elsewhere also where it may send to none of the announced addresses', () => {
    const bed = new Bed({ allows: internetPolicy }).registered()
    dial(bed)
    bed.receive(consent(bed, { ip: '192.168.1.2' }), RELAY)
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, PUBLIC)
    expect(bed.sent.filter(sentTo(PUBLIC)).map(({ message }) => message.op_code)).toEqual([OP.keepAlive])
  })

  test('is connected when its own 0x101 was answered', () => {
    const bed = new Bed().registered()
    dial(bed)
    bed.receive(consent(bed), RELAY)
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, OTHER)
    expect(bed.eventsOf('open')).toEqual([])
    const { seq, ts } = bed.last(OP.directRequest)
    bed.receive(other.signed({ op_code: OP.directResponse, id: other.id, seq, ts }), OTHER)
    expect(bed.eventsOf('open')).toMatchObject([
      { remoteId: other.id, incoming: false, path: { kind: 'direct', remote: OTHER } },
    ])
    expect(bed.eventsOf('dialed')).toHaveLength(1)
  })

  test.each([
    ['the relay', relay],
    ['the target', other],
  ] as const)('tries host candidates when 0x113 comes, signed by %s', (_who, signer) => {
    const bed = new Bed().registered()
    const local = { ip: '192.168.1.9', port: 7000 }
    dial(bed)
    const { seq, ts } = bed.last(OP.punchRequest)
    const answer = consent(bed)
    bed.receive(
      signer.signed({
        op_code: OP.sameAddressResponse,
        target: other.id,
        id: signer.id,
        seq,
        ts,
        ext: { local: [local], key: signer.publicKey.spki },
      }),
      RELAY,
    )
    bed.receive(answer, RELAY)
    bed.advance(1)
    expect(bed.sent.some(sentTo(local))).toBe(true)
  })

  test('says what was tried when nobody answers', () => {
    const bed = new Bed().registered()
    dial(bed)
    bed.advance(60_000)
    expect(bed.eventsOf('dialFailed')).toMatchObject([
      { attempts: [{ via: 'punch', state: 'failed', why: expect.stringContaining('absent') }] },
    ])
  })
})

/** docs/protocol.md, Tokens and One flight, at a relay. */
import { type Endpoint, type Extensions, encode, OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, identityOf, only, openSession, ops, type Sent, TestPeer } from './relay-bed.ts'

const DAY = 86_400_000
/** A binding is over. */
const MINUTE = 60_001
/** Longer than any answer. */
const PAD = 500

const request = (bed: Bed, peer: TestPeer, ext: Extensions = {}) =>
  ({
    ...{ op_code: OP.directRequest, id: peer.id, target: bed.id },
    ext: { key: peer.key.spki, pad: PAD, ...ext },
  }) as const
const punch = (from: TestPeer, to: TestPeer, ext: Extensions = {}) =>
  ({ op_code: OP.punchRequest, target: to.id, id: from.id, ext: { key: from.key.spki, caps: 4, ...ext } }) as const

/** A peer that was registered here once, and has a token. */
function acquainted(bed: Bed, options: Partial<ConstructorParameters<typeof TestPeer>[0]> = {}) {
  const peer = bed.peer(options)
  const { ext } = only(bed.register(peer), OP.directResponse)
  const token = ext?.token as Uint8Array
  bed.pass(MINUTE)
  return { peer, token }
}
const at = (peer: TestPeer, source: Endpoint): TestPeer =>
  new TestPeer({ identity: peer.identity, source, encoding: peer.encoding })

describe('a token', () => {
  test('comes with a 0x102, and the same for days', () => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    expect(token).toHaveLength(19)
    expect(only(bed.register(peer), OP.directResponse).ext?.token).toEqual(token)
  })

  test('comes with no 0x102 to a peer that knows no extensions', () => {
    const bed = new Bed({ knownKeys: [identityOf(1).publicKey] })
    expect(only(bed.register(bed.peer({ seedMode: true })), OP.directResponse).ext).toBeUndefined()
  })

  test('registers without a challenge, from another port too', () => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    const moved = at(peer, { ...peer.source, port: 9 })
    const sent = bed.send(moved, request(bed, moved, { token }))
    expect(ops(sent)).toEqual([OP.directResponse])
    expect(bed.machine.stats().bindings).toBe(1)
  })

  test('is good for seven days of the relay, and not after', () => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    bed.pass(6 * DAY)
    expect(ops(bed.send(peer, request(bed, peer, { token })))).toEqual([OP.directResponse])
    bed.pass(DAY)
    expect(ops(bed.send(peer, request(bed, peer, { token })))).toEqual([OP.challenge])
  })

  test.each<[string, (peer: TestPeer) => TestPeer]>([
    ['from another ip', (peer) => at(peer, { ...peer.source, ip: '198.51.100.99' })],
    ['of another id', (peer) => new TestPeer({ identity: identityOf(77), source: peer.source })],
  ])('%s is answered by a challenge', (_what, change) => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    const other = change(peer)
    expect(ops(bed.send(other, request(bed, other, { token })))).toEqual([OP.challenge])
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('with any bit flipped, or cut, is answered by a challenge', () => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    for (let bit = 0; bit < token.length * 8; bit++) {
      const flipped = token.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      // A challenge a second has each port.
      const from = at(peer, { ...peer.source, port: 10_000 + bit })
      expect(ops(bed.send(from, request(bed, from, { token: flipped })))).toEqual([OP.challenge])
    }
    const from = at(peer, { ...peer.source, port: 20_000 })
    expect(ops(bed.send(from, request(bed, from, { token: token.slice(1) })))).toEqual([OP.challenge])
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('in a request that is shorter than the answer is answered by a challenge', () => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    expect(ops(bed.send(peer, request(bed, peer, { token, pad: undefined })))).toEqual([OP.directResponse])
    bed.pass(MINUTE)
    const large = new Bed({ identity: identityOf(6, 4096) })
    const known = acquainted(large)
    const short = request(large, known.peer, { token: known.token, pad: undefined })
    expect(ops(large.send(known.peer, short))).toEqual([OP.challenge])
    expect(ops(large.send(known.peer, request(large, known.peer, { token: known.token })))).toEqual([OP.directResponse])
  })

  test('does not move a peer that is bound elsewhere: somebody may have held the request back', () => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    const held = bed.bytesOf(peer, request(bed, peer, { token }))
    const moved = at(peer, { ip: '198.51.100.99', port: 1 })
    bed.register(moved)
    expect(ops(bed.sendBytes(peer.source, held))).toEqual([OP.challenge])
    expect(ops(bed.send(peer, request(bed, peer, { token })))).toEqual([OP.challenge])
    expect(ops(bed.send(moved, { op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 }))).toEqual([OP.keepAlive])
  })

  test('has the rate of its ip: what is beyond is challenged, and verified no more', () => {
    const bed = new Bed({ limits: { requestsPerSecondPerSource: 1, requestBurstPerSource: 3 } })
    const { peer, token } = acquainted(bed)
    const before = bed.verified
    for (let port = 1; port <= 20; port++) {
      const from = at(peer, { ...peer.source, port })
      bed.send(from, { ...request(bed, from, { token }), sign: new Uint8Array(256).fill(port) } as never)
    }
    // Those of the source, and those of it that proved themselves.
    expect(bed.verified - before).toBe(6)
  })

  test('in a request that is not new is answered by a challenge', () => {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    peer.clockOffset = -100_000
    expect(ops(bed.send(peer, request(bed, peer, { token })))).toEqual([OP.challenge])
  })
})

describe('a peer that registered by a token', () => {
  const bytesTo = (peer: TestPeer, sent: readonly Sent[]): number =>
    sent.filter(({ to }) => to.port === peer.source.port).reduce((sum, { bytes }) => sum + bytes.length, 0)

  function flown() {
    const bed = new Bed()
    const { peer, token } = acquainted(bed)
    const bytes = bed.bytesOf(peer, request(bed, peer, { token }))
    const got = bytesTo(peer, bed.sendBytes(peer.source, bytes))
    // With it there is room for one introduction of this peer to itself.
    const dial = bed.bytesOf(peer, punch(peer, bed.peer()))
    bed.sendBytes(peer.source, dial)
    return { bed, peer, room: bytes.length + dial.length - got }
  }

  test('gets no more bytes than came from it, before its port has proved itself', () => {
    const { bed, peer, room } = flown()
    const dials = Array.from({ length: 5 }, () => bed.registered())
    const got = dials.map((each) => bytesTo(peer, bed.send(each, punch(each, peer))))
    expect(got[0]).toBeGreaterThan(0)
    expect(got.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(room)
    expect(got.at(-1)).toBe(0)
  })

  test('gets everything when it names the session of an introduction', () => {
    const { bed, peer } = flown()
    const first = bed.registered()
    const { seq, ts, session } = only(bed.send(first, punch(first, peer)), OP.punchPassRequest, peer)
    bed.send(peer, { op_code: OP.punchAck, id: peer.id, seq, ts, session })
    for (let times = 0; times < 5; times++) {
      const each = bed.registered()
      expect(bytesTo(peer, bed.send(each, punch(each, peer)))).toBeGreaterThan(0)
    }
  })

  test('gets everything when it sends something in a session', () => {
    const { bed, peer } = flown()
    const target = bed.registered()
    const session = openSession(bed, peer, target)
    const text = { op_code: OP.proxyData, target: target.id, id: peer.id, data: new Uint8Array(0), session } as const
    bed.send(peer, text)
    for (let times = 0; times < 5; times++) {
      const each = bed.registered()
      expect(bytesTo(peer, bed.send(each, punch(each, peer)))).toBeGreaterThan(0)
    }
  })

  test('proves its port by a cookie when it registers again', () => {
    const { bed, peer } = flown()
    expect(ops(bed.send(peer, request(bed, peer, { pad: undefined })))).toEqual([OP.challenge])
    bed.register(peer)
    for (let times = 0; times < 5; times++) {
      const each = bed.registered()
      expect(bytesTo(peer, bed.send(each, punch(each, peer)))).toBeGreaterThan(0)
    }
  })

  test('has its 0x115 when it asks again, where that was too long at first', () => {
    const bed = new Bed()
    const target = bed.registered()
    const { peer, token } = acquainted(bed)
    bed.register(target)
    const slim = request(bed, peer, { token, pad: undefined })
    bed.send(peer, slim)
    const asks = bed.bytesOf(peer, { ...punch(peer, target), ext: { caps: 4 } })
    const { seq, ts, session } = only(bed.sendBytes(peer.source, asks), OP.punchPassRequest, target)
    const ack = {
      op_code: OP.punchAck,
      id: target.id,
      seq,
      ts,
      session,
      ext: { key: target.key.spki, caps: 4 },
    } as const
    expect(ops(bed.send(target, ack))).toEqual([])
    expect(ops(bed.sendBytes(peer.source, asks))).toEqual([OP.punchPassAck])
  })
})

describe('a 0x111 beside the 0x101', () => {
  /** A peer whose 0x101 is being verified. */
  function arriving() {
    const bed = new Bed()
    const target = bed.registered()
    const peer = bed.peer()
    const { cookie } = only(bed.send(peer, request(bed, peer)), OP.challenge)
    bed.holds = true
    bed.send(peer, request(bed, peer, { cookie }))
    return { bed, target, peer }
  }
  /** What follows from the work that was held back, and from all that follows from it. */
  function finish(bed: Bed): readonly number[] {
    bed.holds = false
    return ops(bed.finish())
  }

  test('is kept while that is verified, and passed on then', () => {
    const { bed, target, peer } = arriving()
    expect(bed.send(peer, punch(peer, target))).toEqual([])
    expect(finish(bed)).toEqual([OP.directResponse, OP.punchPassRequest])
    expect(bed.count('unbound')).toBe(0)
  })

  test('is one: others are dropped', () => {
    const { bed, target, peer } = arriving()
    bed.send(peer, punch(peer, target))
    bed.send(peer, punch(peer, bed.identity === undefined ? target : bed.registered()))
    expect(bed.count('unbound')).toBe(1)
    expect(finish(bed).filter((op) => op === OP.punchPassRequest)).toHaveLength(1)
  })

  test.each<[string, (bed: Bed, peer: TestPeer, target: TestPeer) => void]>([
    [
      'from another port',
      (bed, peer, target) => void bed.send(peer, punch(peer, target), { source: { ...peer.source, port: 1 } }),
    ],
    [
      'of another peer',
      (bed, peer, target) => {
        const other = bed.peer({ source: peer.source })
        bed.send(other, punch(other, target))
      },
    ],
  ])('%s is dropped', (_what, send) => {
    const { bed, target, peer } = arriving()
    send(bed, peer, target)
    expect(bed.count('unbound')).toBe(1)
    expect(finish(bed)).toEqual([OP.directResponse])
  })

  test('is forgotten when the signature of the 0x101 is bad', () => {
    const bed = new Bed()
    const target = bed.registered()
    const peer = bed.peer()
    const { cookie } = only(bed.send(peer, request(bed, peer)), OP.challenge)
    bed.holds = true
    bed.send(peer, { ...request(bed, peer, { cookie }), sign: new Uint8Array(256) } as never)
    bed.send(peer, punch(peer, target))
    expect(finish(bed)).toEqual([])
    bed.pass(2000)
    // Registered by another request, nothing comes out of the first.
    expect(ops(bed.register(peer))).toEqual([OP.directResponse])
  })

  test('is forgotten after 2 s', () => {
    const { bed, target, peer } = arriving()
    bed.send(peer, punch(peer, target))
    bed.pass(2001)
    expect(finish(bed)).toEqual([OP.directResponse])
  })

  test('is dropped when the 0x101 was challenged', () => {
    const bed = new Bed()
    const target = bed.registered()
    const peer = bed.peer()
    bed.send(peer, request(bed, peer))
    expect(bed.send(peer, punch(peer, target))).toEqual([])
    expect(bed.count('unbound')).toBe(1)
  })

  test('is kept for as many peers as signatures are verified at once', () => {
    const bed = new Bed({ limits: { verifications: 2 } })
    const target = bed.registered()
    const peers = Array.from({ length: 3 }, () => bed.peer())
    const cookies = peers.map((peer) => only(bed.send(peer, request(bed, peer)), OP.challenge).cookie)
    bed.holds = true
    peers.forEach((peer, index) => void bed.send(peer, request(bed, peer, { cookie: cookies[index] })))
    for (const peer of peers) bed.sendBytes(peer.source, encode(bed.made(peer, punch(peer, target)), 'binary'))
    expect([bed.count('verifyShed'), bed.count('unbound')]).toEqual([1, 1])
    expect(finish(bed).filter((op) => op === OP.punchPassRequest)).toHaveLength(2)
  })
})

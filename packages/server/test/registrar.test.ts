import { FIRST_CONNECTION, type Route } from '@showchain/client/endpoint'
import { type Encoding, type Endpoint, encodeStun, OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, identityOf, isSignedBy, only, ops, type TestPeer } from './relay-bed.ts'

const request = (bed: Bed, peer: TestPeer) => ({ op_code: OP.directRequest, id: peer.id, target: bed.id }) as const
const withKey = (bed: Bed, peer: TestPeer) => ({ ...request(bed, peer), ext: { key: peer.key.spki } })
const keepAlive = (peer: TestPeer) => ({ op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 }) as const
const isBound = (bed: Bed, peer: TestPeer): boolean => {
  bed.pass(5000)
  return ops(bed.send(peer, keepAlive(peer)))[0] === OP.keepAlive
}
const elsewhere: Endpoint = { ip: '203.0.113.77', port: 7777 }

describe('a binding', () => {
  /** It ran out at 61 s, and its turn to expire comes behind that of a peer that came at 59 s. */
  const withExpired = (): { readonly bed: Bed; readonly peer: TestPeer } => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.pass(1000)
    bed.send(peer, keepAlive(peer))
    bed.pass(58_000)
    bed.registered()
    bed.pass(3000)
    return { bed, peer }
  }

  test('that has run out takes nothing from the next one of the same peer', () => {
    const { bed, peer } = withExpired()
    bed.register(peer)
    for (let seconds = 0; seconds < 90; seconds += 5) expect([seconds, isBound(bed, peer)]).toEqual([seconds, true])
  })

  test('that has run out is not listed, and the next one once', () => {
    const { bed, peer } = withExpired()
    const listed = (): number =>
      bed.machine.access.page(0, 100, bed.now).bindings.filter(({ id }) => id === peer.id).length
    expect(listed()).toBe(0)
    bed.register(peer)
    expect(listed()).toBe(1)
  })
})

describe('registration of a peer that knows extensions', () => {
  test('is challenged first, echoing seq and ts, and binds nothing yet', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const sent = bed.send(peer, { ...withKey(bed, peer), seq: 7, ts: bed.unixMs })
    expect(ops(sent)).toEqual([OP.challenge])
    expect(only(sent, OP.challenge)).toMatchObject({ ref_op: OP.directRequest, seq: 7, ts: bed.unixMs })
    expect(bed.machine.stats().bindings).toBe(0)
    expect([bed.verified, bed.signed]).toEqual([0, 0])
  })

  test.each<Encoding>(['binary', 'json'])('is challenged in no more bytes than it had, in %s', (encoding) => {
    const bed = new Bed()
    const peer = bed.peer({ encoding })
    const bytes = bed.bytesOf(peer, { ...request(bed, peer), ext: { caps: 0, key: peer.key.spki } })
    const [challenge] = bed.sendBytes(peer.source, bytes)
    expect(challenge?.encoding).toBe(encoding)
    expect(challenge?.bytes.length).toBeLessThanOrEqual(bytes.length)
  })

  test('with the cookie is answered by a signed 0x102 that echoes seq and ts', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const { cookie } = only(bed.send(peer, withKey(bed, peer)), OP.challenge)
    const sent = bed.send(peer, { ...request(bed, peer), seq: 9, ts: bed.unixMs, ext: { key: peer.key.spki, cookie } })
    const response = only(sent, OP.directResponse, peer)
    expect(response).toMatchObject({ id: bed.id, seq: 9, ts: bed.unixMs })
    expect(isSignedBy(bed.key, response)).toBe(true)
    expect(isBound(bed, peer)).toBe(true)
  })

  test.each<Encoding>(['binary', 'json'])('is answered in its encoding, %s', (encoding) => {
    const bed = new Bed()
    expect(bed.register(bed.peer({ encoding })).map((sent) => sent.encoding)).toEqual([encoding])
  })

  test('is told the address that the relay saw', () => {
    const bed = new Bed()
    const peer = bed.peer({ source: { ip: '2001:db8::5', port: 65_535 } })
    expect(only(bed.register(peer), OP.directResponse).ext?.observed).toEqual(peer.source)
  })

  test("gets the relay's key iff it carried its own", () => {
    const bed = new Bed()
    const peer = bed.peer()
    expect(only(bed.register(peer), OP.directResponse).ext?.key).toEqual(bed.key.spki)
    expect(only(bed.register(peer, { caps: 1 }), OP.directResponse).ext?.key).toBeUndefined()
  })

  test('is not answered when the key does not hash to its id, not even by a challenge', () => {
    const bed = new Bed()
    const peer = bed.peer()
    expect(bed.send(peer, { ...request(bed, peer), ext: { key: identityOf(99).publicKey.spki } })).toEqual([])
    expect(bed.count('badKey')).toBe(1)
  })

  test('is answered by nothing but challenges when nobody knows its key', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const { cookie } = only(bed.send(peer, { ...request(bed, peer), ext: { caps: 1 } }), OP.challenge)
    expect(bed.send(peer, { ...request(bed, peer), ext: { cookie } })).toEqual([])
    expect(bed.count('unknownKey')).toBe(1)
  })

  test('is not answered when its signature is bad', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const { cookie } = only(bed.send(peer, withKey(bed, peer)), OP.challenge)
    const sign = new Uint8Array(256)
    const ext = { key: peer.key.spki, cookie }
    expect(bed.send(peer, { ...request(bed, peer), sign, ext })).toEqual([])
    expect(bed.count('badSignature')).toBe(1)
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test("is not answered when its signature is as long as another key's", () => {
    const bed = new Bed()
    const peer = bed.registered()
    expect(bed.send(peer, { ...withKey(bed, peer), sign: new Uint8Array(512) })).toEqual([])
    expect(bed.count('badSignature')).toBe(1)
  })

  test('is not answered when it is for somebody else', () => {
    const bed = new Bed()
    const peer = bed.peer()
    expect(bed.send(peer, { ...withKey(bed, peer), target: identityOf(50).id })).toEqual([])
  })

  test('does without a private-key operation until the address is proven, however often it asks', () => {
    const bed = new Bed()
    const peer = bed.peer()
    for (let times = 0; times < 5; times++) bed.send(peer, withKey(bed, peer))
    expect([bed.verified, bed.signed]).toEqual([0, 0])
  })
})

test('a registration whose answer could not be signed is answered when it is repeated, without another check', () => {
  const bed = new Bed()
  const peer = bed.registered()
  const bytes = bed.bytesOf(peer, withKey(bed, peer))
  bed.sheds = 'sign'
  expect(bed.sendBytes(peer.source, bytes)).toEqual([])
  bed.sheds = undefined
  const before = bed.verified
  expect(ops(bed.sendBytes(peer.source, bytes))).toEqual([OP.directResponse])
  expect(bed.verified).toBe(before)
})

test('a registration that is repeated gets the same answer without RSA', () => {
  const bed = new Bed()
  const peer = bed.registered()
  const bytes = bed.bytesOf(peer, withKey(bed, peer))
  const first = bed.sendBytes(peer.source, bytes)
  const work = [bed.verified, bed.signed]
  expect(bed.sendBytes(peer.source, bytes)).toEqual(first)
  expect([bed.verified, bed.signed]).toEqual(work)
})

describe('cookies', () => {
  /** Takes the cookie of one request and presents it with another. */
  const present = (bed: Bed, peer: TestPeer, change: { source?: Endpoint; wait?: number } = {}) => {
    const { cookie } = only(bed.send(peer, withKey(bed, peer)), OP.challenge)
    bed.pass(change.wait ?? 0)
    const message = { ...request(bed, peer), ext: { key: peer.key.spki, cookie } }
    return ops(bed.send(peer, message, { source: change.source ?? peer.source }))
  }

  test('of another address are good for a new challenge only', () => {
    const bed = new Bed()
    expect(present(bed, bed.peer(), { source: elsewhere })).toEqual([OP.challenge])
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('of another id are good for a new challenge only', () => {
    const bed = new Bed()
    const [one, other] = [bed.peer(), bed.peer()]
    const { cookie } = only(bed.send(one, withKey(bed, one)), OP.challenge)
    const sent = bed.send(
      other,
      { ...request(bed, other), ext: { key: other.key.spki, cookie } },
      { source: one.source },
    )
    expect(ops(sent)).toEqual([OP.challenge])
  })

  test('of the epoch before are accepted', () => {
    const bed = new Bed()
    bed.pass(110_000)
    expect(present(bed, bed.peer(), { wait: 120_000 })).toEqual([OP.directResponse])
  })

  test('older than two epochs get a new challenge', () => {
    const bed = new Bed()
    expect(present(bed, bed.peer(), { wait: 240_000 })).toEqual([OP.challenge])
  })

  test('are covered by the signature: a recorded request cannot be completed with somebody else’s', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const recorded = bed.made(peer, withKey(bed, peer))
    const { cookie } = only(bed.send(peer, recorded, { source: elsewhere }), OP.challenge)
    const completed = { ...recorded, ext: { key: peer.key.spki, cookie } }
    expect(bed.send(peer, completed as never, { source: elsewhere })).toEqual([])
    expect(bed.count('badSignature')).toBe(1)
  })

  test('of a recorded registration do not take a peer back to where it was then', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const home = peer.source
    const { cookie } = only(bed.send(peer, withKey(bed, peer)), OP.challenge)
    const recorded = bed.bytesOf(peer, { ...request(bed, peer), ext: { key: peer.key.spki, cookie } })
    bed.sendBytes(home, recorded)
    peer.source = elsewhere
    bed.register(peer)
    expect(ops(bed.sendBytes(home, recorded))).toEqual([OP.challenge])
    expect(isBound(bed, peer)).toBe(true)
  })
})

describe('a binding', () => {
  test('moves to another address with a cookie, and the old one stays until then', () => {
    const bed = new Bed()
    const peer = bed.registered()
    const home = peer.source
    peer.source = elsewhere
    const { cookie } = only(bed.send(peer, withKey(bed, peer)), OP.challenge)
    expect(ops(bed.send(peer, keepAlive(peer), { source: home }))).toEqual([OP.keepAlive])
    bed.send(peer, { ...request(bed, peer), ext: { key: peer.key.spki, cookie } })
    expect(isBound(bed, peer)).toBe(true)
    expect(ops(bed.send(peer, keepAlive(peer), { source: home }))).toEqual([OP.error])
    expect(bed.machine.stats().bindings).toBe(1)
    expect(bed.events.at(-1)).toMatchObject({ type: 'bound', moved: true, at: elsewhere })
  })

  test('is renewed from its own address without a challenge', () => {
    const bed = new Bed()
    const peer = bed.registered()
    expect(ops(bed.send(peer, withKey(bed, peer)))).toEqual([OP.directResponse])
    expect(bed.events).toHaveLength(1)
  })

  test('ends after 60 s without an accepted message', () => {
    const bed = new Bed()
    bed.registered()
    bed.pass(59_999)
    expect(bed.machine.stats().bindings).toBe(1)
    bed.pass(2000)
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('is refreshed by any accepted message from its address', () => {
    const bed = new Bed()
    const [peer, other] = [bed.registered(), bed.registered()]
    for (const message of [
      withKey(bed, peer),
      { op_code: OP.punchRequest, id: peer.id, target: other.id },
      { op_code: OP.proxyRequest, id: peer.id, target: other.id },
    ] as const) {
      bed.pass(40_000)
      bed.send(peer, message)
    }
    bed.pass(40_000)
    expect(isBound(bed, peer)).toBe(true)
  })

  test('is not refreshed by a message with a bad signature', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.pass(40_000)
    bed.send(peer, { ...withKey(bed, peer), sign: new Uint8Array(256) })
    bed.pass(20_000)
    expect(isBound(bed, peer)).toBe(false)
  })

  test('remembers the key: after a move within its lifetime it need not be sent again', () => {
    const bed = new Bed()
    const peer = bed.registered()
    peer.source = elsewhere
    expect(ops(bed.register(peer, { caps: 0 }))).toEqual([OP.directResponse])
  })

  test('is made by one registration at a time: what comes while a signature is being verified does nothing', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.holds = true
    bed.send(peer, withKey(bed, peer))
    expect(bed.send(peer, withKey(bed, peer), { source: elsewhere })).toEqual([])
    expect(bed.count('inProgress')).toBe(1)
    bed.holds = false
    expect(ops(bed.finish())).toEqual([OP.directResponse])
  })

  test('that ended while its renewal was being verified is there again', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.holds = true
    bed.send(peer, withKey(bed, peer))
    bed.pass(61_000)
    bed.holds = false
    expect(ops(bed.finish())).toEqual([OP.directResponse])
    expect(isBound(bed, peer)).toBe(true)
  })
})

describe('seed mode', () => {
  const setUp = () => {
    const identity = identityOf(500)
    const bed = new Bed({ knownKeys: [identity.publicKey] })
    return { bed, peer: bed.peer({ identity, seedMode: true }) }
  }

  test('is never challenged: a peer whose key is configured registers with one request', () => {
    const { bed, peer } = setUp()
    const sent = bed.register(peer)
    expect(ops(sent)).toEqual([OP.directResponse])
    expect(only(sent, OP.directResponse).ext).toBeUndefined()
    expect(isBound(bed, peer)).toBe(true)
  })

  test('is refused when the key is not from configuration, even if it is known', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.pass(61_000)
    expect(bed.send(peer, request(bed, peer))).toEqual([])
    expect(bed.count('unknownKey')).toBe(1)
    expect(bed.machine.stats().bindings).toBe(0)
  })

  test('is refused when a request brought the key along, whose signature was bad', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const { cookie } = only(bed.send(peer, withKey(bed, peer)), OP.challenge)
    bed.send(peer, { ...request(bed, peer), sign: new Uint8Array(256), ext: { key: peer.key.spki, cookie } })
    expect(bed.send(peer, request(bed, peer))).toEqual([])
    expect([bed.count('badSignature'), bed.count('unknownKey')]).toEqual([1, 1])
  })

  test('may renew from the same address', () => {
    const { bed, peer } = setUp()
    bed.register(peer)
    expect(ops(bed.register(peer))).toEqual([OP.directResponse])
  })

  test('never moves a binding', () => {
    const { bed, peer } = setUp()
    bed.register(peer)
    expect(bed.send(peer, request(bed, peer), { source: elsewhere })).toEqual([])
    expect(bed.verified).toBe(1)
    expect(isBound(bed, peer)).toBe(true)
  })

  test('may replace an expired binding', () => {
    const { bed, peer } = setUp()
    bed.register(peer)
    bed.pass(60_000)
    peer.source = elsewhere
    expect(ops(bed.register(peer))).toEqual([OP.directResponse])
    expect(isBound(bed, peer)).toBe(true)
  })
})

test('a peer whose clock is ahead shuts nobody out when it is forgotten', () => {
  const identity = identityOf(500)
  const bed = new Bed({ knownKeys: [identity.publicKey] })
  const early = bed.peer()
  early.clockOffset = 3_600_000
  bed.register(early)
  bed.pass(200_000)
  bed.registered()
  expect(ops(bed.register(bed.peer({ identity, seedMode: true })))).toEqual([OP.directResponse])
})

describe('caps', () => {
  test('more bindings of one source than its cap are refused, and a move within the source is not', () => {
    const bed = new Bed({ limits: { bindingsPerSource: 2 } })
    const at = (port: number): Endpoint => ({ ip: '192.0.2.1', port })
    const peers = [1, 2, 3].map((port) => bed.peer({ source: at(port) }))
    expect(peers.map((peer) => ops(bed.register(peer)))).toEqual([[OP.directResponse], [OP.directResponse], []])
    expect(bed.count('bindingRefused')).toBe(1)
    const [first] = peers as [TestPeer]
    first.source = at(9)
    expect(ops(bed.register(first))).toEqual([OP.directResponse])
  })

  test('bindings of one IPv6 /64 count together', () => {
    const bed = new Bed({ limits: { bindingsPerSource: 1 } })
    bed.registered({ source: { ip: '2001:db8:1:2::1', port: 1 } })
    bed.registered({ source: { ip: '2001:db8:1:2:ffff::2', port: 1 } })
    bed.registered({ source: { ip: '2001:db8:1:3::1', port: 1 } })
    expect(bed.machine.stats().bindings).toBe(2)
  })

  test('an ended binding is off the account of its source', () => {
    const bed = new Bed({ limits: { bindingsPerSource: 1 } })
    const source = { ip: '192.0.2.1', port: 1 }
    // Between two sweeps: the table itself has not been cleaned yet.
    bed.registered()
    bed.pass(500)
    bed.registered({ source })
    bed.pass(60_000)
    expect(ops(bed.register(bed.peer({ source })))).toEqual([OP.directResponse])
  })

  test('when all bindings are taken, the peer silent longest makes room', () => {
    const bed = new Bed({ limits: { bindings: 2 } })
    const [first, second] = [bed.registered(), bed.registered()]
    bed.pass(1000)
    bed.send(first, keepAlive(first))
    bed.registered()
    expect(bed.count('bindingEvicted')).toBe(1)
    expect(bed.events).toContainEqual({ type: 'unbound', id: second.id, at: second.source, why: 'evicted' })
  })
})

test('a flood of STUN in the name of its source leaves a peer all of its rate', () => {
  const limits = { requestsPerSecondPerSource: 1, requestBurstPerSource: 3 }
  const bed = new Bed({ limits })
  const peer = bed.peer()
  const stun = encodeStun({ type: 'bindingRequest', transactionId: new Uint8Array(12) })
  for (let times = 0; times < 20; times++)
    bed.machine.receive({ bytes: stun, source: { ...peer.source, port: 5000 + times } }, bed.now)
  for (let output = bed.machine.poll(); output !== undefined; output = bed.machine.poll());
  const requests = Array.from({ length: 15 }, () => {
    const ext = { key: peer.key.spki, cookie: new Uint8Array(30) }
    return bed.send(peer, { op_code: OP.directRequest, id: peer.id, target: bed.id, ext }).length
  })
  // Three of the source, and three challenges at one address and port.
  expect(requests.reduce((sum, each) => sum + each, 0)).toBe(6)
})

describe('a binding at a connection over TCP', () => {
  const source = { ip: '198.51.100.9', port: 4009 }
  const at = (socket: number): Route => ({ ...source, socket: FIRST_CONNECTION + socket })

  test('is of that connection alone, whatever comes from its address otherwise', () => {
    const bed = new Bed()
    const peer = bed.registered({ source: at(1) })
    bed.pass(5000)
    expect(ops(bed.send(peer, keepAlive(peer), { source: at(2) }))).toEqual([OP.error])
    bed.pass(5000)
    expect(ops(bed.send(peer, keepAlive(peer), { source }))).toEqual([OP.error])
    const [answer] = bed.send(peer, keepAlive(peer), { source: at(1) })
    expect(answer).toMatchObject({ to: at(1), message: { op_code: OP.keepAlive } })
  })

  test('moves to another connection, and to UDP, after a challenge', () => {
    const bed = new Bed()
    const peer = bed.registered({ source: at(1) })
    for (const to of [at(2), source]) {
      peer.source = to
      expect(ops(bed.send(peer, withKey(bed, peer)))).toEqual([OP.challenge])
      expect(ops(bed.register(peer))).toEqual([OP.directResponse])
      expect(isBound(bed, peer)).toBe(true)
    }
  })
})

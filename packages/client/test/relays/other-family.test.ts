/** docs/protocol.md, Both IP families: what a peer finds out, announces and probes. */
import { decodeStun, type Endpoint, type MessageOf, OP, sameEndpoint, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { internetPolicy } from '../../src/core/index.ts'
import { Bed, OTHER, other, RELAY, relay, SEEN, self, sentTo } from '../peer-bed.ts'

const RELAY6: Endpoint = { ip: '2001:db8::1', port: 4400 }
const SEEN6: Endpoint = { ip: '2001:db8:5::5', port: 6000 }
const OWN4: Endpoint = { ip: '192.168.1.5', port: 6000 }
const BOTH = { hostCandidates: () => [OWN4, SEEN6] }
const GAP = 25_000

/** Registered over IPv6 with a relay that has IPv4, too; what it is asked there is not answered yet. */
function boundBySix(options: ConstructorParameters<typeof Bed>[0] = BOTH): Bed {
  const bed = new Bed(options)
  bed.do((machine, now) => machine.register({ id: relay.id, endpoint: RELAY6, other: RELAY }, now))
  bed.answerRegistration(SEEN6, RELAY6)
  return bed
}

/** Lets time pass while the relay is there. */
function live(bed: Bed, ms: number): void {
  const until = bed.now + ms
  while (bed.now < until) {
    bed.advance(Math.min(5000, until - bed.now))
    bed.receive({ op_code: OP.keepAlive, id: relay.id, seq: 0, ts: 0 }, RELAY6)
  }
}

const asked = (bed: Bed): number => bed.stun.splice(0).filter(({ to }) => sameEndpoint(to, RELAY)).length

function invitation(bed: Bed, also: readonly Endpoint[]): MessageOf<typeof OP.punchPassRequest> {
  const ext = { caps: 4, ...(also.length === 0 ? {} : { also }) }
  const request = { op_code: OP.punchRequest, target: self.id, id: other.id, seq: 7, ts: bed.unixMs, ext } as const
  const session = sessionIdFromBytes(new Uint8Array(16).fill(5))
  const place = { ip: '2a01:4f9:7::7', port: 5000 }
  const { sign } = other.signed(request)
  const key = other.publicKey.spki
  return { ...request, op_code: OP.punchPassRequest, ...place, session, sign, ext: { ...ext, key } }
}

describe('the address of the other family', () => {
  test('is asked of the relay at its other address, and kept while a NAT maps it', () => {
    const bed = boundBySix()
    expect(bed.stun.map(({ to, bytes }) => [to, decodeStun(bytes)?.type])).toContainEqual([RELAY, 'bindingRequest'])
    bed.answerStun(SEEN)
    live(bed, GAP - 1)
    expect(asked(bed)).toBe(0)
    live(bed, 1)
    expect(asked(bed)).toBe(1)
  })

  test('that the host itself has costs nothing more', () => {
    const bed = boundBySix({ hostCandidates: () => [SEEN, SEEN6] })
    bed.answerStun(SEEN)
    live(bed, 10 * GAP)
    expect(asked(bed)).toBe(0)
  })

  test.each([
    ['does not have it', { hostCandidates: () => [SEEN6] }],
    ['is in seed mode', { ...BOTH, seedMode: true }],
  ])('is not asked for by a peer whose host %s', (_why, options) => {
    const bed = boundBySix(options)
    bed.advance(GAP)
    expect(asked(bed)).toBe(0)
  })

  test('that nobody tells is asked for four times in all, and not again until the host has other addresses', () => {
    const hosts = [
      [OWN4, SEEN6],
      [OWN4, SEEN6],
      [{ ...OWN4, ip: '192.168.2.5' }, SEEN6],
    ]
    let network = 0
    const bed = boundBySix({ hostCandidates: () => hosts[network] as readonly Endpoint[] })
    // Each round takes 9.3 s. The next one is 10, 20 and 40 s later.
    for (const pause of [0, 10_000, 20_000, 40_000]) {
      live(bed, pause + 9300)
      expect(asked(bed)).toBe(6)
    }
    live(bed, 60_000)
    expect(asked(bed)).toBe(0)
    for (const requests of [0, 1]) {
      network++
      bed.do((machine, now) => machine.networkChanged(now))
      bed.answerRegistration(SEEN6, RELAY6)
      expect(asked(bed)).toBe(requests)
    }
  })

  test('is announced in 0x111 and 0x114, signed, once it is known', () => {
    const bed = boundBySix()
    const dial = { id: other.id, policy: 'punch', addresses: [], relays: [{ id: relay.id, endpoint: RELAY6 }] } as const
    bed.do((machine, now) => machine.dial(dial, now))
    expect(bed.last(OP.punchRequest).ext?.also).toBeUndefined()
    bed.answerStun(SEEN)
    bed.do((machine, now) => machine.dial(dial, now))
    expect(bed.last(OP.punchRequest).ext?.also).toEqual([SEEN])
    bed.receive(invitation(bed, []), RELAY6)
    expect(bed.last(OP.punchAck).ext?.also).toEqual([SEEN])
  })

  test('may be what another relay sees', () => {
    const bed = boundBySix()
    const second = { ip: '192.0.2.9', port: 4400 }
    bed.do((machine, now) => machine.register({ id: other.id, endpoint: second }, now))
    const { seq, ts } = bed.last(OP.directRequest)
    const ext = { key: other.publicKey.spki, observed: SEEN }
    bed.receive(other.signed({ op_code: OP.directResponse, id: other.id, seq, ts, ext }), second)
    bed.receive({ ...invitation(bed, []), seq: 7 }, RELAY6)
    expect(bed.eventsOf('relay').map(({ state }) => state)).toEqual(['registered', 'registered'])
    expect(bed.last(OP.punchAck).ext?.also).toEqual([SEEN])
  })
})

describe('what the other end announces beside', () => {
  const probes = (bed: Bed, to: Endpoint): number => bed.sent.filter(sentTo(to)).length

  test('gets two probes while it says nothing, and the address that the relay saw eight', () => {
    const bed = boundBySix()
    const message = invitation(bed, [OTHER])
    bed.receive(message, RELAY6)
    bed.advance(15_000)
    expect([probes(bed, message), probes(bed, OTHER)]).toEqual([8, 2])
  })

  test('is asked like any other once something came from there', () => {
    const bed = boundBySix()
    bed.receive(invitation(bed, [OTHER]), RELAY6)
    bed.receive({ op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }, OTHER)
    expect(bed.last(OP.directRequest)).toMatchObject({ target: other.id })
  })

  test.each([
    ['the address policy refuses it', { ...BOTH, allows: internetPolicy }, { ip: '192.168.9.9', port: 5000 }],
    ['this host does not have its family', { hostCandidates: () => [SEEN6] }, OTHER],
  ])('gets none where %s', (_why, options, victim) => {
    const bed = boundBySix(options)
    bed.receive(invitation(bed, [victim]), RELAY6)
    bed.advance(15_000)
    expect([bed.last(OP.punchAck).id, probes(bed, victim)]).toEqual([self.id, 0])
  })

  test('is looked at IPv6 first', () => {
    const bed = boundBySix()
    const six = { ip: '2001:db8:8::8', port: 5000 }
    bed.receive(invitation(bed, [OTHER, six]), RELAY6)
    bed.advance(1)
    const order = bed.sent.filter(({ message }) => message.op_code === OP.keepAlive).map(({ to }) => to.ip)
    expect(order).toEqual([six.ip, '2a01:4f9:7::7', OTHER.ip])
  })
})

describe('a relay with two addresses', () => {
  test('is asked at the one where this peer is registered, whichever a ticket names', () => {
    const bed = boundBySix()
    bed.taken()
    const relays = [{ id: relay.id, endpoint: RELAY }]
    bed.do((machine, now) => machine.dial({ id: other.id, policy: 'punch', addresses: [], relays }, now))
    expect(bed.taken().map(({ to, message }) => [to.ip, message.op_code])).toEqual([[RELAY6.ip, OP.punchRequest]])
  })

  test('has one binding: who registers at the other address does not take the first one back', () => {
    const bed = boundBySix()
    bed.do((machine, now) => machine.register({ id: relay.id, endpoint: RELAY, other: RELAY6 }, now))
    bed.answerRegistration(SEEN, RELAY)
    bed.taken()
    bed.receive({ op_code: OP.error, code: 1, ref_op: OP.keepAlive, seq: 0, ts: 0 }, RELAY6)
    bed.advance(10_000)
    expect(bed.taken(OP.directRequest)).toEqual([])
  })
})

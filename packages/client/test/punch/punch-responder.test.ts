/** docs/protocol.md, Choosing a path: who is answered at an address, and what a 0x112 costs. */
import { type MessageOf, OP, type PeerId, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, OTHER, other, RELAY, relay, Signer, self } from '../peer-bed.ts'

function invitation(bed: Bed): MessageOf<typeof OP.punchPassRequest> {
  const request = { target: self.id, id: other.id, seq: 7, ts: bed.unixMs } as const
  const { sign } = other.signed({ op_code: OP.punchRequest, ...request, ext: { caps: 4 } })
  const session = sessionIdFromBytes(new Uint8Array(16).fill(5))
  const ext = { caps: 4, key: other.publicKey.spki }
  return { op_code: OP.punchPassRequest, ...request, ...OTHER, session, sign, ext }
}

describe('a request to be punched to', () => {
  test('is answered by a peer that takes any path', () => {
    const bed = new Bed().registered()
    bed.receive(invitation(bed), RELAY)
    expect(bed.taken(OP.punchAck)).toHaveLength(1)
  })

  test('gets silence from a peer that is relay-only, as if it were absent, and its application is not asked', () => {
    const bed = new Bed({ policy: 'relay-only' }).registered()
    bed.receive(invitation(bed), RELAY)
    bed.advance(10_000)
    expect([bed.taken(), bed.eventsOf('consent')]).toEqual([[], []])
  })

  test('gets silence from a peer that dials relay-only, as if it were absent', () => {
    const bed = new Bed().registered()
    const relays = [{ id: relay.id, endpoint: RELAY }]
    bed.do((machine, now) => machine.dial({ id: other.id, policy: 'relay-only', addresses: [], relays }, now))
    bed.taken()
    bed.receive(invitation(bed), RELAY)
    bed.advance(400)
    expect([bed.taken(), bed.eventsOf('consent')]).toEqual([[], []])
  })
})

test('a 0x112 with a stamp that was seen costs no check of its signature', () => {
  const bed = new Bed().registered()
  const seen = invitation(bed)
  bed.receive(seen, RELAY)
  bed.receive({ ...seen, session: sessionIdFromBytes(new Uint8Array(16).fill(6)), sign: new Uint8Array(256) }, RELAY)
  expect([bed.counted('duplicate'), bed.counted('badSignature')]).toEqual([1, 0])
})

describe('0x112s with forged signatures', () => {
  const SECOND = { ip: '192.0.2.2', port: 4400 }
  const setUp = () => {
    const bed = new Bed().registered()
    let seq = 100
    /** From a relay, in somebody's name. */
    const forge = (id: PeerId, from = RELAY) => {
      const good = invitation(bed)
      bed.receive(
        { ...good, id, seq: seq++, sign: new Uint8Array(256), ext: { key: keys.get(id) as Uint8Array } },
        from,
      )
    }
    const forged = (times: number, id: PeerId, from = RELAY) => {
      const before = bed.counted('badSignature')
      for (let time = 0; time < times; time++) forge(id, from)
      return bed.counted('badSignature') - before
    }
    return { bed, forged }
  }
  const strangers = Array.from({ length: 12 }, () => new Signer())
  const keys = new Map([other, ...strangers].map(({ id, publicKey }) => [id, publicKey.spki]))

  test('of one id cost 20 checks at once, and 5 a second', () => {
    const { bed, forged } = setUp()
    expect(forged(50, other.id)).toBe(20)
    bed.advance(1000)
    expect(forged(50, other.id)).toBe(5)
    expect(bed.counted('rateLimited')).toBe(75)
  })

  test('of one relay cost 200 checks at once, in whatever names, and then those in other names come again', () => {
    const { bed, forged } = setUp()
    expect(strangers.reduce((sum, { id }) => sum + forged(50, id), 0)).toBe(200)
    bed.advance(1000)
    bed.receive(invitation(bed), RELAY)
    expect(bed.taken(OP.punchAck)).toHaveLength(1)
  })

  test('of four relays cost 600 checks at once', () => {
    const { bed, forged } = setUp()
    const more = [3, 4, 5].map((last) => ({ ip: `192.0.2.${last}`, port: 4400 }))
    for (const at of more) bed.registered(at)
    const checks = [RELAY, ...more].map((at) => strangers.reduce((sum, { id }) => sum + forged(20, id, at), 0))
    expect(checks).toEqual([200, 200, 200, 0])
  })

  test('at one relay cost nothing of the rate at another', () => {
    const { bed, forged } = setUp()
    bed.registered(SECOND)
    expect(forged(50, other.id)).toBe(20)
    bed.receive(invitation(bed), RELAY)
    expect(bed.taken(OP.punchAck)).toEqual([])
    bed.receive(invitation(bed), SECOND)
    expect(bed.taken(OP.punchAck)).toHaveLength(1)
  })
})

describe('a first contact at an address that somebody guessed', () => {
  const contact = (bed: Bed) => {
    const ext = { key: other.publicKey.spki }
    return other.signed({ op_code: OP.directRequest, target: self.id, id: other.id, seq: 7, ts: bed.unixMs, ext })
  }

  test('is challenged by a peer that takes any path', () => {
    const bed = new Bed().registered()
    bed.receive(contact(bed), OTHER)
    expect(bed.taken(OP.challenge)).toHaveLength(1)
  })

  test('gets silence from a peer that is relay-only', () => {
    const bed = new Bed({ policy: 'relay-only' }).registered()
    bed.receive(contact(bed), OTHER)
    bed.advance(1000)
    expect([bed.taken(), bed.eventsOf('consent')]).toEqual([[], []])
  })

  test('gets silence from a peer that dials its sender relay-only', () => {
    const bed = new Bed().registered()
    const relays = [{ id: relay.id, endpoint: RELAY }]
    bed.do((machine, now) => machine.dial({ id: other.id, policy: 'relay-only', addresses: [], relays }, now))
    bed.taken()
    bed.receive(contact(bed), OTHER)
    expect(bed.taken()).toEqual([])
  })

  test('gets silence also when its sender is known from configuration', () => {
    const bed = new Bed({ policy: 'relay-only', knownKeys: [other.publicKey] }).registered()
    const seed = { op_code: OP.directRequest, target: self.id, id: other.id, seq: 7, ts: bed.unixMs } as const
    bed.receive(other.signed(seed), OTHER)
    expect(bed.taken()).toEqual([])
  })
})

import { CAPS, encode, MAX_DATAGRAM, OP, WIRE_ERROR } from '@showchain/wire'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Bed, data, identityOf, openSession, ops } from './relay-bed.ts'

/** Every kind of message that a relay is sent, valid up to what a test changes. */
function messages(bed: Bed): readonly Uint8Array[] {
  const [r, t] = [bed.registered(), bed.registered()]
  const session = openSession(bed, r, t)
  const { id } = r
  return [
    bed.bytesOf(r, { op_code: OP.keepAlive, id, seq: 0, ts: 0 }),
    bed.bytesOf(r, { op_code: OP.directRequest, id, target: bed.id, ext: { key: r.key.spki, caps: 1 } }),
    bed.bytesOf(r, { op_code: OP.punchRequest, id, target: t.id, ext: { key: r.key.spki } }),
    bed.bytesOf(r, { op_code: OP.punchAck, id, session }),
    bed.bytesOf(r, { op_code: OP.proxyRequest, id, target: t.id }),
    bed.bytesOf(r, data(r, t, session)),
    bed.bytesOf(r, { ...data(r, t, session), ext: { unknown: [{ type: 9, value: Uint8Array.of(1) }] } }),
    bed.bytesOf(r, { op_code: OP.proxyDataAck, session }),
    encode(bed.made(r, data(r, t, session)), 'json'),
  ]
}

const source = fc.record({
  ip: fc.constantFrom('198.51.100.1', '198.51.100.2', '203.0.113.5', '2001:db8::1'),
  port: fc.integer({ min: 0, max: 5000 }),
})

describe('no datagram', () => {
  test('makes the relay throw', () => {
    const bed = new Bed()
    const templates = messages(bed)
    fc.assert(
      fc.property(
        fc.nat(templates.length - 1),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        source,
        (index, changes, cut, from) => {
          const bytes = (templates[index] as Uint8Array).slice()
          for (const [at, value] of changes) bytes[at % bytes.length] = value
          bed.sendBytes(from, cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes)
        },
      ),
      { numRuns: runs(2000) },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1300 }), source, (bytes, from) => void bed.sendBytes(from, bytes)))
  })

  test('from an address that proved nothing is answered with more bytes than it had', () => {
    const bed = new Bed()
    const templates = messages(bed)
    const stranger = { ip: '203.0.113.200', port: 1 }
    for (const bytes of templates) {
      bed.pass(5000)
      const answers = bed.sendBytes(stranger, bytes)
      const total = answers.reduce((sum, answer) => sum + answer.bytes.length, 0)
      expect(total).toBeLessThanOrEqual(bytes.length)
      expect(answers.every(({ to }) => to === stranger)).toBe(true)
    }
  })

  test('longer than 1200 bytes is read', () => {
    const bed = new Bed()
    bed.sendBytes({ ip: '203.0.113.1', port: 1 }, new Uint8Array(MAX_DATAGRAM + 1).fill(0xb1))
    expect(bed.count('refused')).toBe(1)
  })
})

describe('what a relay does not carry is counted and dropped', () => {
  test.each([
    ['record', Uint8Array.of(0xb2, 1, 2, 3)],
    ['refused', Uint8Array.of(0xb3, 1, 2, 3)],
    ['refused', Uint8Array.of(0x55, 1, 2, 3)],
    ['refused', new Uint8Array(0)],
  ] as const)('%s', (counter, bytes) => {
    const bed = new Bed()
    expect(bed.sendBytes({ ip: '203.0.113.1', port: 1 }, bytes)).toEqual([])
    expect(bed.count(counter)).toBe(1)
  })

  test.each([
    { op_code: OP.directResponse, id: new Bed().id },
    { op_code: OP.challenge, cookie: Uint8Array.of(1), ref_op: OP.directRequest },
    { op_code: OP.error, code: 1, ref_op: OP.keepAlive },
  ] as const)('messages that nobody sends to a relay: %o', (message) => {
    const bed = new Bed()
    expect(bed.send(bed.registered(), message)).toEqual([])
    expect(bed.count('unexpected')).toBe(1)
  })

  test('proxied data of a peer to itself', () => {
    const bed = new Bed()
    const [peer, other] = [bed.registered(), bed.registered()]
    const session = openSession(bed, peer, other)
    const bytes = bed.bytesOf(peer, data(peer, other, session))
    // The first two fields are target and id.
    bytes.set(bytes.subarray(35, 67), 3)
    bytes.set(new Uint8Array(16), bytes.length - 256 - 2 - 16 - 16)
    expect(bed.sendBytes(peer.source, bytes)).toEqual([])
    expect(bed.count('refused')).toBe(1)
  })

  test.each(['224.0.0.1', '255.255.255.255', '0.0.0.0', '::', 'ff02::1'])('datagrams from %s', (ip) => {
    const bed = new Bed()
    const peer = bed.peer({ source: { ip, port: 9 } })
    expect(bed.send(peer, { op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 })).toEqual([])
    expect(bed.count('sourceRefused')).toBe(1)
  })
})

describe('a relay that drains', () => {
  test('takes no new registrations, attempts and sessions', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    bed.drain()
    expect(bed.register(bed.peer())).toEqual([])
    expect(bed.send(r, { op_code: OP.punchRequest, id: r.id, target: t.id })).toEqual([])
    expect(bed.send(r, { op_code: OP.proxyRequest, id: r.id, target: t.id })).toEqual([])
    expect(bed.count('draining')).toBe(3)
  })

  test('goes on carrying what is open', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    bed.drain()
    expect(ops(bed.send(r, data(r, t, session)))).toEqual([OP.proxyPassData])
  })

  test('tells each of its peers, and says so with its signature to those who ask', () => {
    const seedKey = identityOf(99)
    const bed = new Bed({ knownKeys: [seedKey.publicKey] })
    const peers = Array.from({ length: 25 }, () => bed.registered())
    const seed = bed.registered({ identity: seedKey, seedMode: true })
    const told = bed.drain()
    expect(told).toHaveLength(10)
    told.push(...bed.pass(1000))
    expect(told.map(({ to }) => to)).toEqual(peers.map(({ source }) => source))
    for (const { message } of told)
      expect(message).toMatchObject({ op_code: OP.error, code: WIRE_ERROR.draining, ref_op: OP.keepAlive })
    for (const peer of [...peers.slice(0, 2), seed])
      expect(bed.register(peer).map(({ message }) => message)).toMatchObject([
        {
          op_code: OP.directResponse,
          ...(peer === seed ? {} : { ext: { caps: CAPS.channel | CAPS.introduced | CAPS.conceals | CAPS.draining } }),
        },
      ])
    expect(bed.count('drainingSent')).toBe(25)
  })

  test('refuses a registration from elsewhere, also of a peer that it knows', () => {
    const bed = new Bed()
    const peer = bed.registered()
    bed.drain()
    peer.source = { ip: '203.0.113.77', port: 7 }
    expect(bed.register(peer)).toEqual([])
    expect(bed.count('draining')).toBe(1)
  })

  const drained = (bed: Bed): number => bed.events.filter(({ type }) => type === 'drained').length

  test('ends when nothing was forwarded and nobody registered for 2 s', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    bed.drain()
    bed.pass(1500)
    bed.send(r, data(r, t, session))
    bed.pass(1500)
    bed.register(t)
    bed.pass(1500)
    expect(drained(bed)).toBe(0)
    bed.pass(1000)
    expect(drained(bed)).toBe(1)
    bed.drain()
    bed.pass(10_000)
    expect(drained(bed)).toBe(1)
  })

  test('does not end while something is in work', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    bed.holds = true
    bed.send(r, { op_code: OP.proxyRequest, id: r.id, target: t.id })
    bed.drain()
    bed.pass(10_000)
    expect(drained(bed)).toBe(0)
    bed.holds = false
    expect(ops(bed.finish())).toEqual([OP.proxyResponse])
    bed.pass(1000)
    expect(drained(bed)).toBe(1)
  })

  test('ends at once when nobody is registered', () => {
    const bed = new Bed()
    bed.drain()
    expect(bed.events).toEqual([{ type: 'drained' }])
  })
})

test('a relay that is left alone forgets everything and asks to be woken no more', () => {
  const bed = new Bed()
  messages(bed).forEach((bytes, index) => void bed.sendBytes({ ip: '198.51.100.9', port: index + 1 }, bytes))
  bed.pass(700_000)
  const { bindings, sessions, attempts, answers, outstanding, consentPairs } = bed.machine.stats()
  expect([bindings, sessions, attempts, answers, outstanding, consentPairs]).toEqual([0, 0, 0, 0, 0, 0])
  expect(bed.machine.deadline).toBeUndefined()
})

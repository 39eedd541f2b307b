import { type Encoding, OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, data, isSignedBy, only, openSession, ops, type TestPeer } from './relay-bed.ts'

const request = (from: TestPeer, to: TestPeer) => ({ op_code: OP.proxyRequest, target: to.id, id: from.id }) as const

describe('0x121', () => {
  test('is answered by a signed 0x122 with a new session, echoing seq and ts', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const first = only(bed.send(r, { ...request(r, t), seq: 77_777 }), OP.proxyResponse, r)
    expect(first).toMatchObject({ target: t.id, seq: 77_777, ts: bed.unixMs })
    expect(isSignedBy(bed.key, first)).toBe(true)
    expect(only(bed.send(r, { ...request(r, t), seq: 77_778 }), OP.proxyResponse).session).not.toBe(first.session)
  })

  test('is answered for an absent target as for one that is there', () => {
    const bed = new Bed()
    const [r, there, absent] = [bed.registered(), bed.registered(), bed.peer()]
    const [a, b] = [bed.send(r, request(r, there)), bed.send(r, request(r, absent))]
    expect(ops(b)).toEqual(ops(a))
    expect(b.map(({ bytes }) => bytes.length)).toEqual(a.map(({ bytes }) => bytes.length))
  })

  test.each<Encoding>(['binary', 'json'])('is answered in its encoding, %s', (encoding) => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    expect(bed.send(r, request(r, t), { encoding }).map((sent) => sent.encoding)).toEqual([encoding])
  })

  test('gets silence when it comes from no bound address', () => {
    const bed = new Bed()
    const [r, t, stranger] = [bed.registered(), bed.registered(), bed.peer()]
    const before = bed.verified
    expect(bed.send(r, request(r, t), { source: { ip: '203.0.113.3', port: 3 } })).toEqual([])
    expect(bed.send(stranger, { ...request(stranger, t), ext: { key: stranger.key.spki } })).toEqual([])
    expect(bed.verified).toBe(before)
  })

  test('with a bad signature is not answered', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    expect(bed.send(r, { ...request(r, t), sign: new Uint8Array(256) })).toEqual([])
  })

  test('that is repeated gets the same answer without RSA', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const bytes = bed.bytesOf(r, request(r, t))
    const first = bed.sendBytes(r.source, bytes)
    const work = [bed.verified, bed.signed]
    expect(bed.sendBytes(r.source, bytes)).toEqual(first)
    expect([bed.verified, bed.signed]).toEqual(work)
    expect(bed.machine.stats().sessions).toBe(1)
  })

  test('whose answer could not be signed is answered when it is repeated, with one session', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const bytes = bed.bytesOf(r, request(r, t))
    bed.sheds = 'sign'
    expect(bed.sendBytes(r.source, bytes)).toEqual([])
    bed.sheds = undefined
    expect(ops(bed.sendBytes(r.source, bytes))).toEqual([OP.proxyResponse])
    expect(bed.machine.stats().sessions).toBe(1)
    expect(bed.count('signShed')).toBe(1)
  })

  test("gets the relay's key iff it carried its own", () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    expect(only(bed.send(r, request(r, t)), OP.proxyResponse).ext).toBeUndefined()
    const sent = bed.send(r, { ...request(r, t), ext: { key: r.key.spki } })
    expect(only(sent, OP.proxyResponse).ext).toEqual({ key: bed.key.spki })
  })
})

describe('sessions', () => {
  const works = (bed: Bed, r: TestPeer, t: TestPeer, session: ReturnType<typeof openSession>): boolean =>
    ops(bed.send(r, data(r, t, session))).includes(OP.proxyPassData)
  const alive = (bed: Bed, ...peers: TestPeer[]) => {
    for (const peer of peers) bed.send(peer, { op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 })
  }

  test('end after 10 min without a message', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    for (let minute = 0; minute < 20; minute++) {
      bed.pass(30_000)
      alive(bed, r, t)
    }
    expect(works(bed, r, t, session)).toBe(false)
    expect(bed.machine.stats().sessions).toBe(0)
    expect(bed.events.at(-1)).toMatchObject({ type: 'sessionEnded', session, why: 'expired' })
  })

  test('live on as long as they carry something', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    for (let minute = 0; minute < 25; minute++) {
      bed.pass(30_000)
      alive(bed, r, t)
      if (minute === 15) expect(works(bed, r, t, session)).toBe(true)
    }
    expect(works(bed, r, t, session)).toBe(true)
  })

  test("of one peer are capped: its own session idle longest makes room, nobody else's", () => {
    const bed = new Bed({ limits: { sessionsPerId: 2 } })
    const [r, t, other] = [bed.registered(), bed.registered(), bed.registered()]
    const theirs = openSession(bed, other, t)
    bed.pass(1)
    const oldest = openSession(bed, r, t)
    bed.pass(1)
    const newer = openSession(bed, r, t)
    bed.pass(1)
    works(bed, r, t, oldest)
    openSession(bed, r, t)
    expect(works(bed, r, t, newer)).toBe(false)
    expect(works(bed, r, t, oldest)).toBe(true)
    expect(works(bed, other, t, theirs)).toBe(true)
    expect(bed.count('sessionEvicted')).toBe(1)
  })

  test('that ended are off the account of their requester', () => {
    const bed = new Bed({ limits: { sessionsPerId: 2 } })
    const [r, t] = [bed.registered(), bed.registered()]
    const openTwo = () => [openSession(bed, r, t), openSession(bed, r, t)]
    openTwo()
    for (let minute = 0; minute < 21; minute++) {
      bed.pass(30_000)
      alive(bed, r, t)
    }
    openTwo()
    expect(bed.count('sessionEvicted')).toBe(0)
    expect(bed.machine.stats().sessions).toBe(2)
  })

  test('are capped altogether: the one idle longest makes room', () => {
    const bed = new Bed({ limits: { sessions: 2 } })
    const [a, b, c, t] = [bed.registered(), bed.registered(), bed.registered(), bed.registered()]
    const first = openSession(bed, a, t)
    const second = openSession(bed, b, t)
    bed.pass(1)
    works(bed, a, t, first)
    const third = openSession(bed, c, t)
    expect([works(bed, a, t, first), works(bed, b, t, second), works(bed, c, t, third)]).toEqual([true, false, true])
    expect(bed.machine.stats().sessions).toBe(2)
  })
})

import { OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, data, only, openSession, type Sent, type TestPeer } from './relay-bed.ts'

const ackOf = (sent: readonly Sent[]) => {
  const { session, seq, ts } = only(sent, OP.proxyPassData)
  return { op_code: OP.proxyDataAck, session, seq, ts } as const
}
const setUp = (limits = {}) => {
  const bed = new Bed({ limits })
  const [r, t] = [bed.registered(), bed.registered()]
  const alive = () => {
    for (const peer of [r, t]) bed.send(peer, { op_code: OP.keepAlive, id: peer.id, seq: 0, ts: 0 })
  }
  /** Lets time pass without losing the bindings. */
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 30_000) {
      alive()
      bed.pass(Math.min(left, 30_000))
    }
    alive()
  }
  const session = openSession(bed, r, t)
  const send = (from: TestPeer = r, to: TestPeer = t, via = session, text = 'x') =>
    bed.send(from, data(from, to, via, text)).length
  return { bed, r, t, session, send, pass }
}

describe('until the target has answered, a pair', () => {
  test('gets 4 packets a minute', () => {
    const { send, bed } = setUp()
    expect([send(), send(), send(), send(), send(), send()]).toEqual([1, 1, 1, 1, 0, 0])
    expect(bed.count('consentExhausted')).toBe(2)
  })

  test('gets 4 packets over all of its sessions', () => {
    const { bed, r, t, send } = setUp()
    const other = openSession(bed, r, t)
    expect([send(), send(r, t, other), send(), send(r, t, other), send(), send(r, t, other)]).toEqual([
      1, 1, 1, 1, 0, 0,
    ])
  })

  test('gets 4 KiB of datagrams a minute', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered({ encoding: 'json' })]
    const session = openSession(bed, r, t)
    const send = () => bed.send(r, data(r, t, session, 'x'.repeat(690)))
    const sent = [send(), send(), send(), send()]
    const bytes = sent.map(([first]) => first?.bytes.length ?? 0)
    // Three of 1,150 bytes or so; the fourth would pass 4,096.
    expect(bytes.filter((length) => length > 1100)).toHaveLength(3)
    expect(bytes[3]).toBe(0)
    expect(bed.send(r, data(r, t, session))).toHaveLength(1)
  })

  test('gets 4 more when a minute has passed, and no 60 s hold more than 4', () => {
    const { send, pass } = setUp()
    expect([send(), send()]).toEqual([1, 1])
    pass(30_000)
    expect([send(), send(), send()]).toEqual([1, 1, 0])
    pass(29_999)
    expect(send()).toBe(0)
    pass(1)
    expect([send(), send(), send()]).toEqual([1, 1, 0])
    pass(30_000)
    expect([send(), send(), send()]).toEqual([1, 1, 0])
  })

  test('pays for repetitions too', () => {
    const { bed, r, t, session, send } = setUp()
    const bytes = bed.bytesOf(r, data(r, t, session))
    expect([1, 2, 3].map(() => bed.sendBytes(r.source, bytes).length)).toEqual([1, 1, 1])
    expect([send(), send()]).toEqual([1, 0])
    expect(bed.sendBytes(r.source, bytes)).toEqual([])
  })

  test('has a budget of its own', () => {
    const { bed, r, t, session, send } = setUp()
    for (let times = 0; times < 5; times++) send()
    const other = bed.registered()
    const theirs = openSession(bed, other, t)
    const elsewhere = openSession(bed, r, other)
    expect([send(other, t, theirs), send(r, other, elsewhere), send(r, t, session)]).toEqual([1, 1, 0])
  })

  test('spends nothing on packets whose signature is bad', () => {
    const { bed, r, t, session, send } = setUp()
    for (let times = 0; times < 9; times++) bed.send(r, { ...data(r, t, session), sign: new Uint8Array(256) })
    expect(send()).toBe(1)
  })

  test('costs no RSA when its budget is spent', () => {
    const { bed, send } = setUp()
    for (let times = 0; times < 4; times++) send()
    const before = bed.verified
    send()
    expect(bed.verified).toBe(before)
  })

  test('may send a dropped packet again when there is budget', () => {
    const { bed, r, t, session, send, pass } = setUp()
    for (let times = 0; times < 4; times++) send()
    const bytes = bed.bytesOf(r, data(r, t, session))
    expect(bed.sendBytes(r.source, bytes)).toHaveLength(0)
    pass(60_000)
    expect(bed.sendBytes(r.source, bytes)).toHaveLength(1)
  })
})

describe('consent', () => {
  test('is a 0x125 of the target', () => {
    const { bed, r, t, session, send } = setUp()
    bed.send(t, ackOf(bed.send(r, data(r, t, session))))
    expect(Array.from({ length: 10 }, () => send())).toEqual(new Array(10).fill(1))
  })

  test('is a 0x123 of the target', () => {
    const { send, r, t, session } = setUp()
    expect(send(t, r, session)).toBe(1)
    expect(Array.from({ length: 10 }, () => send())).toEqual(new Array(10).fill(1))
  })

  test('is no 0x123 of the target with a bad signature', () => {
    const { bed, r, t, session, send } = setUp()
    bed.send(t, { ...data(t, r, session), sign: new Uint8Array(256) })
    expect(Array.from({ length: 5 }, () => send())).toEqual([1, 1, 1, 1, 0])
  })

  test('is not given by the requester’s own acknowledgement', () => {
    const { bed, r, t, session, send } = setUp()
    bed.holds = true
    bed.send(t, data(t, r, session))
    bed.held.length = 0
    bed.holds = false
    expect(Array.from({ length: 5 }, () => send())).toEqual([1, 1, 1, 1, 0])
    expect(bed.send(r, ackOf(bed.send(t, data(t, r, session))))).toHaveLength(1)
  })

  test('belongs to the session: another one of the pair has none, and the whole budget', () => {
    const { bed, r, t, session, send } = setUp()
    bed.send(t, ackOf(bed.send(r, data(r, t, session))))
    const other = openSession(bed, r, t)
    expect(Array.from({ length: 5 }, () => send(r, t, other))).toEqual([1, 1, 1, 1, 0])
    expect(send()).toBe(1)
  })

  test('is not needed in the other direction: the target may answer with as much as it likes', () => {
    const { send, r, t, session } = setUp()
    expect(Array.from({ length: 10 }, () => send(t, r, session))).toEqual(new Array(10).fill(1))
  })
})

test('when all pairs are taken by as many sources, further ones get nothing, and known ones keep their budget', () => {
  const { bed, r, t, session, send, pass } = setUp({ consentPairs: 1 })
  expect(send()).toBe(1)
  const other = bed.registered()
  const theirs = openSession(bed, other, t)
  expect(send(other, t, theirs)).toBe(0)
  expect([send(), send(), send(), send()]).toEqual([1, 1, 1, 0])
  expect(bed.machine.stats().consentPairs).toBe(1)
  pass(60_000)
  bed.register(other)
  expect(send(other, t, theirs)).toBe(1)
  expect(send(r, t, session)).toBe(0)
})

describe('when all pairs are taken', () => {
  const at = (ip: string, port: number) => ({ source: { ip, port } })
  /** One source with four pairs fills the table. */
  const filled = () => {
    const bed = new Bed({ limits: { consentPairs: 4 } })
    const flooder = bed.registered(at('203.0.113.66', 1))
    const victims = [1, 2, 3, 4].map(() => bed.registered())
    const floods = victims.map((victim) => ({ victim, session: openSession(bed, flooder, victim) }))
    const flood = () => floods.map(({ victim, session }) => bed.send(flooder, data(flooder, victim, session)).length)
    return { bed, flooder, victims, flood }
  }
  const first = (bed: Bed, r: TestPeer, t: TestPeer) => bed.send(r, data(r, t, openSession(bed, r, t))).length

  test('another source still gets its first packets through', () => {
    const { bed, victims, flood } = filled()
    expect(flood()).toEqual([1, 1, 1, 1])
    const [r, t] = [bed.registered(), victims[0] as TestPeer]
    const session = openSession(bed, r, t)
    expect([1, 2, 3, 4, 5].map(() => bed.send(r, data(r, t, session)).length)).toEqual([1, 1, 1, 1, 0])
    expect(bed.machine.stats().consentPairs).toBe(4)
  })

  test('the source that filled the table cannot begin anew with what it lost, nor with another peer of its own', () => {
    const { bed, flood, victims } = filled()
    flood()
    expect(first(bed, bed.registered(), bed.registered())).toBe(1)
    // The oldest pair made room; the others have 3 packets left.
    for (const left of [1, 1, 1, 0, 0]) expect(flood()).toEqual([0, left, left, left])
    const accomplice = bed.registered(at('203.0.113.66', 2))
    expect(first(bed, accomplice, victims[0] as TestPeer)).toBe(0)
  })

  test('a source gets pairs again when a minute has passed', () => {
    const { bed, flooder, flood } = filled()
    flood()
    first(bed, bed.registered(), bed.registered())
    for (const _ of [1, 2, 3]) {
      bed.send(flooder, { op_code: OP.keepAlive, id: flooder.id, seq: 0, ts: 0 })
      bed.pass(20_000)
    }
    expect(first(bed, flooder, bed.registered())).toBe(1)
  })

  test('sources with as many pairs as each other take nothing from one another', () => {
    const bed = new Bed({ limits: { consentPairs: 4 } })
    const sources = [1, 2].map(() => bed.registered())
    for (const r of sources) for (const _ of [1, 2]) expect(first(bed, r, bed.registered())).toBe(1)
    expect(first(bed, sources[0] as TestPeer, bed.registered())).toBe(0)
    expect(first(bed, bed.registered(), bed.registered())).toBe(1)
  })
})

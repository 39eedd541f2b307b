import { type Datagram, instant, type Route } from '@showchain/client/core'
import type { Endpoint } from '@showchain/wire'
import { CAPS, decode, MAX_PROBED_DATAGRAM, OP, type SessionId, sessionIdToBytes, WIRE_ERROR } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, writeChannelHeader } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { Bed, type BedOptions, data, only, openSession, type TestPeer } from './relay-bed.ts'

const IDLE = 600_000

interface Passed {
  readonly to: Endpoint
  readonly bytes: Uint8Array
}

function frameOf(session: SessionId, length = 100, fill = 7): Uint8Array {
  const frame = new Uint8Array(CHANNEL_HEADER_BYTES + length).fill(fill)
  writeChannelHeader(frame, sessionIdToBytes(session))
  return frame
}

/** What the relay sends because of a frame, as it leaves. */
function pass({ machine, now }: Bed, source: Route, bytes: Uint8Array): readonly Passed[] {
  machine.receive({ bytes, source }, now)
  const passed: Passed[] = []
  for (let output = machine.poll(); output !== undefined; output = machine.poll())
    if (output.type === 'transmit') passed.push({ to: output.to, bytes: output.bytes })
  return passed
}

interface Scene {
  readonly bed: Bed
  readonly r: TestPeer
  readonly t: TestPeer
  readonly session: SessionId
}

/** A session whose target has answered. */
function consented(options: BedOptions = {}): Scene {
  const bed = new Bed(options)
  const [r, t] = [bed.registered(), bed.registered()]
  const session = openSession(bed, r, t)
  const { seq, ts } = only(bed.send(r, data(r, t, session, '')), OP.proxyPassData)
  bed.send(t, { op_code: OP.proxyDataAck, session, seq, ts })
  return { bed, r, t, session }
}

describe('a channel frame', () => {
  test('goes to the other end as the very buffer that came in, both ways, without a signature being made or checked', () => {
    const { bed, r, t, session } = consented()
    const { verified, signed } = bed
    const [there, back] = [frameOf(session), frameOf(session, 60)]
    expect(pass(bed, r.source, there)).toEqual([{ to: t.source, bytes: there }])
    expect(pass(bed, r.source, there)[0]?.bytes).toBe(there)
    expect(pass(bed, t.source, back)).toEqual([{ to: r.source, bytes: back }])
    expect([bed.verified, bed.signed]).toEqual([verified, signed])
    expect(bed.count('channelForwarded')).toBe(3)
  })

  test('may be as large as peers find their paths to be, but no larger', () => {
    const { bed, r, t, session } = consented()
    const largest = frameOf(session, MAX_PROBED_DATAGRAM - CHANNEL_HEADER_BYTES)
    expect(pass(bed, r.source, largest)).toEqual([{ to: t.source, bytes: largest }])
    const refused = bed.count('refused')
    expect(pass(bed, r.source, frameOf(session, largest.length + 1 - CHANNEL_HEADER_BYTES))).toEqual([])
    expect(bed.count('refused')).toBe(refused + 1)
  })

  test('of a requester waits for the consent of the target, whose own first frame gives it', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    expect(pass(bed, r.source, frameOf(session))).toEqual([])
    expect(bed.count('consentExhausted')).toBe(1)
    expect(pass(bed, t.source, frameOf(session))).toHaveLength(1)
    expect(pass(bed, r.source, frameOf(session))).toHaveLength(1)
  })

  test.each([
    ['a stranger', (_scene: Scene): Endpoint => ({ ip: '203.0.113.99', port: 9 })],
    ['a registered peer that is no end of it', ({ bed }: Scene): Endpoint => bed.registered().source],
    ["another port of an end's address", ({ r }: Scene): Endpoint => ({ ...r.source, port: r.source.port + 1 })],
  ])('from %s goes nowhere, and is answered with `unbound` once in a second', (_who, sourceOf) => {
    const { bed, ...scene } = consented()
    const source = sourceOf({ bed, ...scene })
    const frame = frameOf(scene.session)
    const [told, ...others] = pass(bed, source, frame)
    expect(decode(told?.bytes ?? frame)).toMatchObject({
      message: { op_code: OP.error, code: WIRE_ERROR.unbound, ref_op: OP.keepAlive, seq: 0, ts: 0 },
    })
    expect([told?.to, others]).toEqual([source, []])
    bed.pass(999)
    expect(pass(bed, source, frame)).toEqual([])
    bed.pass(1)
    expect(pass(bed, source, frame)).toHaveLength(1)
    expect(bed.count('unbound')).toBe(3)
  })

  test('is never answered with more bytes than it has, nor where nobody can be', () => {
    const { bed, session } = consented()
    const stranger = { ip: '203.0.113.99', port: 9 }
    for (let length = 1; length < 40; length++) {
      bed.pass(1000)
      const frame = frameOf(session, length)
      for (const { bytes } of pass(bed, stranger, frame)) expect(bytes.length).toBeLessThanOrEqual(frame.length)
    }
    expect(bed.count('unboundSent')).toBeGreaterThan(0)
    expect(pass(bed, { ip: '203.0.113.99', port: 0 }, frameOf(session))).toEqual([])
    expect(pass(bed, { ip: '239.1.2.3', port: 9 }, frameOf(session))).toEqual([])
  })

  test('of a session that there is not, with any bit of its id flipped, gets no answer', () => {
    const { bed, r, session } = consented()
    for (let bit = 8; bit < 8 * CHANNEL_HEADER_BYTES; bit++) {
      const frame = frameOf(session)
      frame[bit >> 3] = (frame[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(pass(bed, r.source, frame)).toEqual([])
    }
    expect(bed.count('noSession')).toBe(8 * (CHANNEL_HEADER_BYTES - 1))
  })

  test('without anything in it, or cut short, is refused', () => {
    const { bed, r, session } = consented()
    const frame = frameOf(session)
    for (let length = 1; length <= CHANNEL_HEADER_BYTES; length++)
      expect(pass(bed, r.source, frame.subarray(0, length))).toEqual([])
    expect(bed.count('refused')).toBe(CHANNEL_HEADER_BYTES)
  })

  test('for an end that is gone goes nowhere', () => {
    const { bed, r, t, session } = consented()
    for (let seconds = 0; seconds < 90; seconds += 30) {
      bed.pass(30_000)
      bed.register(r)
    }
    expect(pass(bed, r.source, frameOf(session))).toEqual([])
    expect(bed.count('targetAbsent')).toBe(1)
    bed.register(t)
    expect(pass(bed, r.source, frameOf(session))).toHaveLength(1)
  })

  test('for an end whose time has come goes nowhere, though nobody has swept yet', () => {
    const { bed, r, session } = consented()
    expect(pass(bed, r.source, frameOf(session))).toHaveLength(1)
    bed.pass(30_000)
    bed.register(r)
    bed.now = instant(bed.now + 30_000)
    expect(pass(bed, r.source, frameOf(session))).toEqual([])
    expect(bed.count('targetAbsent')).toBe(1)
  })

  test('for an end that is gone never goes to another peer that has registered since', () => {
    const { bed, r, t, session } = consented()
    expect(pass(bed, r.source, frameOf(session))).toHaveLength(1)
    for (let seconds = 0; seconds < 90; seconds += 30) {
      bed.pass(30_000)
      bed.register(r)
    }
    const others = [bed.registered(), bed.registered()]
    expect(pass(bed, r.source, frameOf(session))).toEqual([])
    for (const { source } of others) pass(bed, source, frameOf(session))
    expect(bed.count('unbound')).toBe(others.length)
    bed.register(t)
    expect(pass(bed, r.source, frameOf(session)).map(({ to }) => to)).toEqual([t.source])
  })

  test('at another socket than the first goes nowhere, and nothing is said of it', () => {
    const { bed, r, session } = consented()
    const before = bed.count('unexpected')
    expect(pass(bed, { ...r.source, socket: 1 }, frameOf(session))).toEqual([])
    expect([bed.count('unexpected') - before, bed.count('unboundSent')]).toEqual([1, 0])
  })

  test('follows an end that has moved', () => {
    const { bed, r, t, session } = consented()
    t.source = { ip: '198.51.100.200', port: 7777 }
    bed.register(t)
    expect(pass(bed, r.source, frameOf(session))[0]?.to).toEqual(t.source)
  })
})

describe('frames that come together', () => {
  /** What the relay sends because of all of them, as it leaves. */
  function together({ machine, now }: Bed, datagrams: readonly Datagram[]): readonly Passed[] {
    for (const datagram of datagrams) machine.receive(datagram, now)
    const passed: Passed[] = []
    for (let output = machine.poll(); output !== undefined; output = machine.poll())
      if (output.type === 'transmit') passed.push({ to: output.to, bytes: output.bytes })
    return passed
  }

  test('are passed on in order, whatever comes between them', () => {
    const { bed, r, t, session } = consented()
    const [first, second] = [frameOf(session, 100, 1), frameOf(session, 100, 2)]
    const keepAlive = bed.bytesOf(r, { op_code: OP.keepAlive, id: r.id, seq: 0, ts: 0 })
    const passed = together(
      bed,
      [first, keepAlive, second].map((bytes) => ({ bytes, source: r.source })),
    )
    expect(passed.map(({ to }) => to)).toEqual([t.source, r.source, t.source])
    expect([passed[0]?.bytes, passed[2]?.bytes]).toEqual([first, second])
  })

  test('count one by one: consent, sessions that there are not, and each budget', () => {
    const bed = new Bed({ limits: { framesPerSecondPerId: 1, frameBurstPerId: 20 } })
    const peers = Array.from({ length: 50 }, () => ({ r: bed.registered(), t: bed.registered() }))
    const open = peers.map(({ r, t }) => ({ r, t, session: openSession(bed, r, t) }))
    const [busy] = open
    const spent = Array.from({ length: 60 }, () => busy).flatMap((one) => (one === undefined ? [] : [one]))
    const passed = together(bed, [
      ...open.map(({ t, session }) => ({ bytes: frameOf(session), source: t.source })),
      ...spent.map(({ r, session }) => ({ bytes: frameOf(session), source: r.source })),
      ...open.map(({ r, session }) => ({ bytes: frameOf(session), source: r.source })),
      { bytes: frameOf(busy?.session as SessionId).subarray(0, 10), source: peers[0]?.r.source as Endpoint },
      { bytes: new Uint8Array(100).fill(0xb3), source: peers[0]?.r.source as Endpoint },
    ])
    const expected = [
      ...open.map(({ r }) => r.source),
      ...spent.slice(0, 20).map(({ t }) => t.source),
      ...open.slice(1).map(({ t }) => t.source),
    ]
    expect(passed.map(({ to }) => to)).toEqual(expected)
    expect(['rateLimited', 'refused', 'noSession'].map((name) => bed.count(name as never))).toEqual([41, 1, 1])
  })
})

describe('budgets', () => {
  test('of frames: what is over goes nowhere, and comes back with time', () => {
    const { bed, r, t, session } = consented({ limits: { framesPerSecondPerId: 10, frameBurstPerId: 3 } })
    const sent = (from: TestPeer): number => pass(bed, from.source, frameOf(session)).length
    expect([sent(r), sent(r), sent(r), sent(r)]).toEqual([1, 1, 1, 0])
    expect(bed.count('rateLimited')).toBe(1)
    expect(sent(t)).toBe(1)
    bed.pass(100)
    expect([sent(r), sent(r)]).toEqual([1, 0])
  })

  test('of bytes', () => {
    const { bed, r, session } = consented({ limits: { frameBytesPerSecondPerId: 1000, frameBytesBurstPerId: 1000 } })
    const sent = (length: number): number => pass(bed, r.source, frameOf(session, length - CHANNEL_HEADER_BYTES)).length
    expect([sent(900), sent(200), sent(100)]).toEqual([1, 0, 1])
  })

  test('do not begin anew with a new registration', () => {
    const { bed, r, session } = consented({ limits: { framesPerSecondPerId: 1, frameBurstPerId: 1 } })
    expect(pass(bed, r.source, frameOf(session))).toHaveLength(1)
    bed.register(r)
    expect(pass(bed, r.source, frameOf(session))).toEqual([])
  })
})

describe('a session', () => {
  /** Both ends stay registered while it is idle. */
  const idle = ({ bed, r, t }: Scene, ms: number): void => {
    for (let passed = 0; passed < ms; passed += 30_000) {
      bed.pass(30_000)
      for (const peer of [r, t]) bed.register(peer)
    }
  }

  test('ends when it was idle for ten minutes', () => {
    const scene = consented()
    idle(scene, IDLE)
    expect(pass(scene.bed, scene.r.source, frameOf(scene.session))).toEqual([])
    expect(scene.bed.count('noSession')).toBe(1)
  })

  test('lives on by its frames', () => {
    const scene = consented()
    for (let minute = 0; minute < 30; minute++) {
      idle(scene, 60_000)
      expect(pass(scene.bed, scene.r.source, frameOf(scene.session))).toHaveLength(1)
    }
  })
})

test('a relay says that it carries frames to whom it knows to know extensions', () => {
  const bed = new Bed()
  const [, answer] = [bed.peer(), bed.register(bed.peer())]
  expect(only(answer, OP.directResponse).ext?.caps).toBe(CAPS.channel | CAPS.introduced | CAPS.conceals)
})

describe('the session of an introduction with a hello', () => {
  const HELLO = new Uint8Array(42).fill(1)

  /** R is introduced to T. */
  function introduced(asks = true): Scene & { readonly seq: number; readonly ts: number } {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const ext = asks ? { ext: { hello: HELLO } } : {}
    const request = { op_code: OP.punchRequest, target: t.id, id: r.id, ...ext } as const
    const { session, seq, ts } = only(bed.send(r, request), OP.punchPassRequest, t)
    return { bed, r, t, session, seq, ts }
  }

  const agree = ({ bed, t, session, seq, ts }: ReturnType<typeof introduced>, sign?: Uint8Array): void =>
    void bed.send(t, { op_code: OP.punchAck, id: t.id, seq, ts, session, ...(sign === undefined ? {} : { sign }) })

  test("carries frames both ways with T's 0x114", () => {
    const scene = introduced()
    const { bed, r, t, session } = scene
    expect(pass(bed, r.source, frameOf(session))).toEqual([])
    agree(scene)
    expect(pass(bed, r.source, frameOf(session))).toHaveLength(1)
    expect(pass(bed, t.source, frameOf(session))).toHaveLength(1)
  })

  test('carries none of R after a 0x114 whose signature is bad', () => {
    const scene = introduced()
    agree(scene, new Uint8Array(256))
    expect(pass(scene.bed, scene.r.source, frameOf(scene.session))).toEqual([])
    expect(scene.bed.count('consentExhausted')).toBe(1)
  })

  test('is not that of another introduction of the pair', () => {
    const scene = introduced()
    const { bed, r, t } = scene
    const request = { op_code: OP.punchRequest, target: t.id, id: r.id, ext: { hello: HELLO.with(20, 9) } } as const
    const other = only(bed.send(r, request), OP.punchPassRequest, t).session
    agree(scene)
    expect(pass(bed, r.source, frameOf(other))).toEqual([])
    expect(pass(bed, r.source, frameOf(scene.session))).toHaveLength(1)
  })

  test('is none without a hello', () => {
    const scene = introduced(false)
    agree(scene)
    expect(pass(scene.bed, scene.r.source, frameOf(scene.session))).toEqual([])
    expect(scene.bed.count('noSession')).toBe(1)
  })
})

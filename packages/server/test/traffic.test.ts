/** What a relay says of the bytes, the sessions and the pairs that it had. */
import type { Endpoint, SessionId } from '@showchain/wire'
import { encodeStun, OP, sessionIdToBytes } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, writeChannelHeader } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { Bed, data, only, openSession } from './relay-bed.ts'

function frameOf(session: SessionId, length = 100): Uint8Array {
  const frame = new Uint8Array(CHANNEL_HEADER_BYTES + length)
  writeChannelHeader(frame, sessionIdToBytes(session))
  return frame
}

/** A frame of the relay's ends; what comes out of it is dropped. */
function pass(bed: Bed, source: Endpoint, frame: Uint8Array): void {
  bed.machine.receive({ bytes: frame, source }, bed.now)
  for (let output = bed.machine.poll(); output !== undefined; output = bed.machine.poll());
}

const lengthOf = (sent: readonly { readonly bytes: Uint8Array }[]): number =>
  sent.reduce((sum, { bytes }) => sum + bytes.length, 0)

describe('bytes are counted by direction and kind', () => {
  test('of registrations and other messages', () => {
    const bed = new Bed()
    const peer = bed.peer()
    const request = bed.bytesOf(peer, {
      op_code: OP.directRequest,
      id: peer.id,
      target: bed.id,
      ext: { key: peer.key.spki },
    })
    const answered = lengthOf(bed.sendBytes(peer.source, request))
    expect(bed.machine.view.traffic()).toEqual({
      in: { channel: 0, data: 0, control: request.length, stun: 0, other: 0 },
      out: { channel: 0, data: 0, control: answered, stun: 0, other: 0 },
    })
    expect(answered).toBeGreaterThan(0)
  })

  test('of channel frames', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    const frame = frameOf(session)
    pass(bed, t.source, frame)
    pass(bed, { ip: '203.0.113.9', port: 9 }, frame)
    const { in: came, out } = bed.machine.view.traffic()
    expect([came.channel, out.channel]).toEqual([2 * frame.length, frame.length])
  })

  test('of proxied messages and their acknowledgements', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    const there = bed.bytesOf(r, data(r, t, session))
    const passed = bed.sendBytes(r.source, there)
    const { seq, ts } = only(passed, OP.proxyPassData)
    const back = bed.bytesOf(t, { op_code: OP.proxyDataAck, session, seq, ts })
    const returned = bed.sendBytes(t.source, back)
    const { in: came, out } = bed.machine.view.traffic()
    expect(came.data).toBe(there.length + back.length)
    expect(out.data).toBe(lengthOf(passed) + lengthOf(returned))
  })

  test('of STUN, and of what is nothing', () => {
    const bed = new Bed()
    const request = encodeStun({ type: 'bindingRequest', transactionId: new Uint8Array(12) })
    const source = { ip: '203.0.113.9', port: 9 }
    pass(bed, source, request)
    pass(bed, source, new Uint8Array(33))
    const { in: came, out } = bed.machine.view.traffic()
    expect([came.stun, came.other]).toEqual([request.length, 33])
    expect(out.stun).toBeGreaterThan(request.length)
    expect(out.control).toBe(0)
  })
})

describe('a session that ends', () => {
  test('says what was forwarded in it, both ways, and until when', () => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    const session = openSession(bed, r, t)
    bed.pass(1000)
    pass(bed, t.source, frameOf(session, 50))
    bed.pass(1500)
    pass(bed, r.source, frameOf(session, 70))
    bed.pass(700_000)
    expect(bed.events.at(-1)).toEqual({
      type: 'sessionEnded',
      ...{ session, requester: r.id, target: t.id, why: 'expired' },
      bytes: 2 * CHANNEL_HEADER_BYTES + 120,
      seconds: 2.5,
    })
  })

  test('has nothing of another one that had its place before', () => {
    const bed = new Bed({ limits: { sessionsPerId: 1 } })
    const [r, t] = [bed.registered(), bed.registered()]
    pass(bed, t.source, frameOf(openSession(bed, r, t)))
    openSession(bed, r, t)
    openSession(bed, r, t)
    const ended = bed.events.filter((event) => event.type === 'sessionEnded')
    expect(ended.map(({ why, bytes }) => [why, bytes])).toEqual([
      ['evicted', CHANNEL_HEADER_BYTES + 100],
      ['evicted', 0],
    ])
  })

  test('counts each of many for itself', () => {
    const bed = new Bed({ limits: { sessionsPerId: 1000 } })
    const [r, t] = [bed.registered(), bed.registered()]
    const sessions = Array.from({ length: 200 }, () => {
      bed.pass(100)
      return openSession(bed, r, t)
    })
    for (const [index, session] of sessions.entries()) pass(bed, t.source, frameOf(session, index + 1))
    bed.pass(700_000)
    const ended = bed.events.filter((event) => event.type === 'sessionEnded')
    const carried = new Map(ended.map(({ session, bytes }) => [session, bytes]))
    expect(sessions.map((session) => carried.get(session))).toEqual(
      sessions.map((_, index) => CHANNEL_HEADER_BYTES + index + 1),
    )
  })
})

describe('of each pair that was brought together', () => {
  test('it is known half a minute later whether it is still relayed', () => {
    const bed = new Bed()
    const [r, t, u, v] = [bed.registered(), bed.registered(), bed.registered(), bed.registered()]
    const [stays, leaves] = [openSession(bed, r, t), openSession(bed, r, u)]
    openSession(bed, r, v)
    for (let second = 0; second < 28; second++) {
      pass(bed, t.source, frameOf(stays))
      if (second < 15) pass(bed, u.source, frameOf(leaves))
      bed.pass(1000)
    }
    expect(bed.machine.view.pairs()).toEqual({ left: 0, relayed: 0, unanswered: 0 })
    bed.pass(4000)
    expect(bed.machine.view.pairs()).toEqual({ left: 1, relayed: 1, unanswered: 1 })
  })

  test('each is judged once, and none that ended before', () => {
    const bed = new Bed({ limits: { sessionsPerId: 1 } })
    const [r, t] = [bed.registered(), bed.registered()]
    openSession(bed, r, t)
    pass(bed, t.source, frameOf(openSession(bed, r, t)))
    bed.pass(700_000)
    expect(bed.machine.view.pairs()).toEqual({ left: 1, relayed: 0, unanswered: 0 })
  })
})

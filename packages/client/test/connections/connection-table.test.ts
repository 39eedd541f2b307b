/** Which messages open a connection, and how many connections there may be. */
import { opensslEndToEnd } from '@showchain/crypto'
import { type MessageOf, OP, type PeerId, peerIdFromBytes, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test, vi } from 'vitest'
import { MAX_CONNECTIONS, MAX_UNPROVEN } from '../../src/core/connections/connection-table.ts'
import { MAX_CLOSED_SESSIONS } from '../../src/core/connections/ended-sessions.ts'
import { Bed, OTHER, other, RELAY, relay, self } from '../peer-bed.ts'

/** Four bytes, then zeros. */
const numbered = (number: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

function data(number: number, id: PeerId = peerIdFromBytes(numbered(number, 32))): MessageOf<typeof OP.proxyPassData> {
  return {
    op_code: OP.proxyPassData,
    target: self.id,
    id,
    data: Uint8Array.of(1),
    session: sessionIdFromBytes(numbered(number, 16)),
    seq: 1,
    ts: 1,
  }
}

describe('data in a session that is not known', () => {
  test('opens a connection when it comes from a relay that this peer is registered with', () => {
    const bed = new Bed().registered()
    bed.receive(data(1, other.id), RELAY)
    expect(bed.eventsOf('open')).toMatchObject([{ remoteId: other.id, incoming: true }])
  })

  test('opens none, asks nobody and gets no answer when it comes from anywhere else', () => {
    const bed = new Bed().registered()
    bed.receive(data(1, other.id), OTHER)
    bed.receive(data(1, other.id), { ...RELAY, port: RELAY.port + 1 })
    expect([bed.eventsOf('consent'), bed.eventsOf('open'), bed.taken()]).toEqual([[], [], []])
    expect(bed.counted('unexpected')).toBe(2)
  })

  test('opens none when it comes from a relay that has not answered the registration', () => {
    const bed = new Bed()
    bed.do((machine, now) => machine.register({ id: relay.id, endpoint: RELAY }, now))
    bed.taken()
    bed.receive(data(1, other.id), RELAY)
    expect([bed.eventsOf('consent'), bed.eventsOf('open'), bed.taken()]).toEqual([[], [], []])
  })

  test('opens none at a peer that takes direct paths only', () => {
    const bed = new Bed({ policy: 'direct-only' }).registered()
    bed.receive(data(1, other.id), RELAY)
    expect([bed.eventsOf('consent'), bed.eventsOf('open'), bed.taken()]).toEqual([[], [], []])
  })

  test('opens none when it is for another peer', () => {
    const bed = new Bed().registered()
    bed.receive({ ...data(1, other.id), target: relay.id }, RELAY)
    expect([bed.eventsOf('consent'), bed.eventsOf('open'), bed.taken()]).toEqual([[], [], []])
  })

  test('opens none when that session was closed here: a late message is no new connection', () => {
    const bed = new Bed().registered()
    bed.receive(data(1, other.id), RELAY)
    const [opened] = bed.eventsOf('open')
    bed.do((machine, now) => machine.closeConnection(opened?.connection ?? -1, now))
    bed.taken()
    bed.receive({ ...data(1, other.id), seq: 2 }, RELAY)
    expect([bed.eventsOf('open').length, bed.taken()]).toEqual([1, []])
  })
})

/** Something of this peer's that the other end acknowledges, as no forger can. */
function prove(bed: Bed): void {
  const connection = bed.eventsOf('open').at(-1)?.connection ?? -1
  bed.do((machine, now) => machine.sendDatagram(connection, Uint8Array.of(1), () => {}, now))
  const { session, seq, ts } = bed.last(OP.proxyData)
  bed.receive({ op_code: OP.proxyDataAck, session, seq, ts }, RELAY)
}

test('strangers get 4,096 connections and no more; one that ends makes room', () => {
  const bed = new Bed().registered()
  // Nobody checks it, and so many take seconds.
  const signed = vi.spyOn(self, 'sign').mockReturnValue(new Uint8Array(self.publicKey.signatureLength))
  for (let number = 1; number <= MAX_CONNECTIONS; number++) {
    bed.receive(data(number), RELAY)
    prove(bed)
  }
  bed.receive(data(MAX_CONNECTIONS + 1), RELAY)
  signed.mockRestore()
  expect(bed.eventsOf('open')).toHaveLength(MAX_CONNECTIONS)
  expect(bed.counted('consentRefused')).toBe(1)
  const [opened] = bed.eventsOf('open')
  bed.do((machine, now) => machine.closeConnection(opened?.connection ?? -1, now))
  bed.receive(data(MAX_CONNECTIONS + 2), RELAY)
  expect(bed.eventsOf('open')).toHaveLength(MAX_CONNECTIONS + 1)
})

describe('strangers that a relay passed something on from, and that have proved nothing', () => {
  const empty = (number: number, id?: PeerId) => ({ ...data(number, id), data: new Uint8Array(0) })
  const idOf = (number: number) => peerIdFromBytes(numbered(number, 32))
  const setUp = () => new Bed({ plaintext: false, endToEnd: opensslEndToEnd }).registered()

  test('get 256 places and no more: the one that came first makes room', () => {
    const bed = setUp()
    for (let number = 1; number <= MAX_UNPROVEN; number++) bed.receive(empty(number), RELAY)
    expect(bed.eventsOf('abandoned')).toEqual([])
    for (const number of [301, 302, 303]) bed.receive(empty(number), RELAY)
    expect(bed.eventsOf('abandoned').map(({ remoteId }) => remoteId)).toEqual([1, 2, 3].map(idOf))
    expect(bed.counted('consentRefused')).toBe(0)
  })

  test('have the same places in plaintext, where a connection is open at once', () => {
    const bed = new Bed().registered()
    bed.receive(data(1), RELAY)
    prove(bed)
    for (let number = 2; number <= MAX_UNPROVEN + 3; number++) bed.receive(data(number), RELAY)
    const [, second, third] = bed.eventsOf('open')
    expect(bed.eventsOf('closed')).toMatchObject([
      { connection: second?.connection },
      { connection: third?.connection },
    ])
    expect(bed.counted('consentRefused')).toBe(0)
  })

  test('push nothing out of what is remembered of sessions that ended', () => {
    const bed = new Bed().registered()
    bed.receive(data(1), RELAY)
    prove(bed)
    bed.do((machine, now) => machine.closeConnection(bed.eventsOf('open')[0]?.connection ?? -1, now))
    for (let number = 2; number <= MAX_CLOSED_SESSIONS + MAX_UNPROVEN + 2; number++) bed.receive(data(number), RELAY)
    expect(bed.eventsOf('closed').length).toBeGreaterThan(MAX_CLOSED_SESSIONS)
    bed.taken()
    bed.receive({ ...data(1), seq: 2 }, RELAY)
    expect([
      bed.eventsOf('open').some(({ remoteId }, index) => index > 0 && remoteId === idOf(1)),
      bed.taken(),
    ]).toEqual([false, []])
  })

  test('take no place from a peer that is dialled, also when it came first', () => {
    const bed = setUp()
    bed.receive(empty(1000, other.id), RELAY)
    const relays = [{ id: relay.id, endpoint: RELAY }]
    bed.do((machine, now) => machine.dial({ id: other.id, policy: 'relay-only', addresses: [], relays }, now))
    for (let number = 1; number <= MAX_UNPROVEN; number++) bed.receive(empty(number), RELAY)
    expect(bed.eventsOf('abandoned')).toEqual([])
  })
})

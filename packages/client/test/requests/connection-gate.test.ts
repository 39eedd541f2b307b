/** docs/protocol.md, Consent: what waits while the application decides. */
import { type MessageOf, OP, type PeerId, peerIdFromBytes, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { CONSENT_LIFETIME, MAX_HELD_MESSAGES, MAX_PENDING_CONSENT } from '../../src/core/requests/connection-gate.ts'
import { Bed, other, RELAY, self } from '../peer-bed.ts'

const SESSION = sessionIdFromBytes(new Uint8Array(16).fill(3))

const data = (id: PeerId, seq: number): MessageOf<typeof OP.proxyPassData> => ({
  op_code: OP.proxyPassData,
  target: self.id,
  id,
  data: Uint8Array.of(seq),
  session: SESSION,
  seq,
  ts: 1,
})

/** A peer that is registered, and whose application takes its time. */
function thinking(): Bed {
  const bed = new Bed().registered()
  bed.consent = undefined
  return bed
}

const strangers = (count: number): readonly PeerId[] =>
  Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(32)
    new DataView(bytes.buffer).setUint16(0, index + 1)
    return peerIdFromBytes(bytes)
  })

describe('while the application decides about a peer', () => {
  test('it is asked once, and nothing is answered', () => {
    const bed = thinking()
    for (let seq = 1; seq <= 3; seq++) bed.receive(data(other.id, seq), RELAY)
    expect(bed.eventsOf('consent')).toMatchObject([{ id: other.id, via: 'relay' }])
    expect(bed.taken()).toEqual([])
  })

  test('four of its messages wait, and no more', () => {
    const bed = thinking()
    for (let seq = 1; seq <= MAX_HELD_MESSAGES + 3; seq++) bed.receive(data(other.id, seq), RELAY)
    bed.do((_machine, now) => bed.eventsOf('consent')[0]?.decide(true, now))
    expect(bed.eventsOf('datagram').map(({ bytes }) => bytes[0])).toEqual([1, 2, 3, 4])
  })

  test('a no drops what waited, and looks like absence', () => {
    const bed = thinking()
    bed.receive(data(other.id, 1), RELAY)
    bed.do((_machine, now) => bed.eventsOf('consent')[0]?.decide(false, now))
    expect([bed.eventsOf('open'), bed.taken()]).toEqual([[], []])
    expect(bed.counted('consentRefused')).toBe(1)
  })

  test('no answer for ten seconds is a no, and a yes after that is too late', () => {
    const bed = thinking()
    bed.receive(data(other.id, 1), RELAY)
    bed.advance(CONSENT_LIFETIME)
    bed.taken()
    bed.do((_machine, now) => bed.eventsOf('consent')[0]?.decide(true, now))
    expect([bed.eventsOf('open'), bed.taken()]).toEqual([[], []])
    expect(bed.counted('consentRefused')).toBe(1)
  })
})

test('questions about 256 peers wait at a time; others are dropped until some are decided', () => {
  const bed = thinking()
  const ids = strangers(MAX_PENDING_CONSENT + 2)
  const [late, later] = ids.slice(-2) as [PeerId, PeerId]
  for (const id of ids.slice(0, -1)) bed.receive(data(id, 1), RELAY)
  expect(bed.eventsOf('consent')).toHaveLength(MAX_PENDING_CONSENT)
  expect(bed.eventsOf('consent').map(({ id }) => id)).not.toContain(late)
  expect(bed.counted('consentRefused')).toBe(1)
  bed.do((_machine, now) => bed.eventsOf('consent')[0]?.decide(false, now))
  bed.receive(data(later, 1), RELAY)
  expect(bed.eventsOf('consent').at(-1)?.id).toBe(later)
})

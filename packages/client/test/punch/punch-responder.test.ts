/** docs/protocol.md, Choosing a path: a peer that hides its address answers no 0x112. */
import { type MessageOf, OP, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, OTHER, other, RELAY, relay, self } from '../peer-bed.ts'

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

/** docs/protocol.md, Punch safety: what an attempt sends, to how many addresses, and how often. */
import { type Endpoint, type MessageOf, OP, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { MAX_CANDIDATES, MAX_PROBES } from '../../src/core/punch/limits.ts'
import { Bed, OTHER, other, RELAY, self, sentTo } from '../peer-bed.ts'

const KEEP_ALIVE: MessageOf<typeof OP.keepAlive> = { op_code: OP.keepAlive, id: other.id, seq: 0, ts: 0 }

function invitation(bed: Bed, seq = 7): MessageOf<typeof OP.punchPassRequest> {
  const request = { target: self.id, id: other.id, seq, ts: bed.unixMs } as const
  const { sign } = other.signed({ op_code: OP.punchRequest, ...request, ext: { caps: 4 } })
  const session = sessionIdFromBytes(new Uint8Array(16).fill(5))
  const ext = { caps: 4, key: other.publicKey.spki }
  return { op_code: OP.punchPassRequest, ...request, ...OTHER, session, sign, ext }
}

/** A punch attempt with OTHER as its announced address has begun. */
function attempt(options: ConstructorParameters<typeof Bed>[0] = {}): Bed {
  const bed = new Bed(options).registered()
  bed.receive(invitation(bed), RELAY)
  bed.taken()
  return bed
}

const elsewhere = (number: number): Endpoint => ({ ip: OTHER.ip, port: 20_000 + number })
const ops = (bed: Bed, to: Endpoint): readonly number[] =>
  bed.sent.filter(sentTo(to)).map(({ message }) => message.op_code)

describe('an address that was not announced', () => {
  test('gets 8 keep-alives at most, however many come from there, and nothing else', () => {
    const bed = attempt()
    for (let times = 0; times < 20; times++) {
      bed.receive(KEEP_ALIVE, elsewhere(1))
      bed.advance(100)
    }
    expect(ops(bed, elsewhere(1))).toEqual(new Array<number>(MAX_PROBES).fill(OP.keepAlive))
  })

  test('is answered like 10 others beside the announced one, and the next is not', () => {
    const bed = attempt()
    for (let number = 1; number <= 20; number++) bed.receive(KEEP_ALIVE, elsewhere(number))
    const answered = Array.from({ length: 20 }, (_, index) => ops(bed, elsewhere(index + 1)).length)
    const others = MAX_CANDIDATES - 1
    expect(answered).toEqual([...new Array<number>(others).fill(1), ...new Array<number>(20 - others).fill(0)])
  })

  test('gets nothing when the keep-alive has the id of another peer, or when no attempt runs', () => {
    const bed = attempt()
    bed.receive({ ...KEEP_ALIVE, id: self.id }, elsewhere(1))
    const idle = new Bed().registered()
    idle.receive(KEEP_ALIVE, elsewhere(1))
    expect([ops(bed, elsewhere(1)), ops(idle, elsewhere(1))]).toEqual([[], []])
  })
})

describe('an announced address', () => {
  test('that the attempt is introduced to again and again before its probes are over gets no more than 8', () => {
    const bed = attempt()
    for (let seq = 8; seq < 20; seq++) {
      bed.advance(300)
      bed.receive(invitation(bed, seq), RELAY)
    }
    bed.advance(2000)
    expect(ops(bed, OTHER)).toEqual(new Array<number>(MAX_PROBES).fill(OP.keepAlive))
  })

  test('that answers is probed no more: 0x101 goes there', () => {
    const bed = attempt()
    bed.advance(60)
    const before = ops(bed, OTHER).length
    bed.receive(KEEP_ALIVE, OTHER)
    bed.advance(400)
    expect(ops(bed, OTHER).slice(before)).toEqual([OP.directRequest])
  })
})

test('an attempt ends: after 15 seconds a keep-alive of that peer gets no answer', () => {
  const bed = attempt()
  bed.advance(15_000)
  bed.taken()
  bed.receive(KEEP_ALIVE, elsewhere(1))
  expect(bed.taken()).toEqual([])
})

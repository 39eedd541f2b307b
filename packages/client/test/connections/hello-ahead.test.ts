/** Hellos between peers that have no connection: they are made before it is, and it goes on with them. */
import { opensslEndToEnd } from '@showchain/crypto'
import { CAPS, encode, type MessageOf, OP, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, OTHER, other, RELAY, relay, self } from '../peer-bed.ts'

const CAN = CAPS.channel | CAPS.introduced | CAPS.conceals
/** A cold one. */
const HELLO = new Uint8Array(42).fill(7).fill(1, 0, 2)
const NO_HELLO = HELLO.with(0, 9)

const bedOf = (): Bed => new Bed({ plaintext: false, endToEnd: opensslEndToEnd }).registered(RELAY, CAN)

function invitation(bed: Bed, number: number, hello: Uint8Array | undefined): MessageOf<typeof OP.punchPassRequest> {
  const request = { target: self.id, id: other.id, seq: number, ts: bed.unixMs } as const
  const ext = { caps: CAPS.directData, hello }
  const { sign } = other.signed({ op_code: OP.punchRequest, ...request, ext })
  const session = sessionIdFromBytes(new Uint8Array(16).fill(number))
  return {
    op_code: OP.punchPassRequest,
    ...request,
    ...OTHER,
    session,
    sign,
    ext: { ...ext, key: other.publicKey.spki },
  }
}

const hellosIn = (sent: ReturnType<Bed['taken']>): readonly (Uint8Array | undefined)[] =>
  sent.flatMap(({ message }) => ('ext' in message && message.ext?.hello !== undefined ? [message.ext.hello] : []))

describe('the hello of a stranger', () => {
  test('has one answer in two requests of one input, and one connection', () => {
    const bed = bedOf()
    const both = [5, 6].map((number) => encode(invitation(bed, number, HELLO), 'binary'))
    bed.do((machine, now) => {
      for (const bytes of both) machine.receive({ bytes, source: RELAY }, now)
    })
    const [first, second, ...more] = hellosIn(bed.taken(OP.punchAck))
    expect(first).toHaveLength(58)
    expect([second, more]).toEqual([first, []])
    expect(bed.machine.inspect(bed.now).connections).toHaveLength(1)
  })

  test('that is none makes no connection', () => {
    const bed = bedOf()
    bed.receive(invitation(bed, 5, NO_HELLO), RELAY)
    expect(hellosIn(bed.taken(OP.punchAck))).toEqual([])
    expect(bed.machine.inspect(bed.now).connections.filter(({ remoteId }) => remoteId === other.id)).toHaveLength(0)
  })
})

test('each request of a dial carries one hello, before its connection is made and after', () => {
  const bed = bedOf()
  const target = {
    id: other.id,
    policy: 'auto',
    addresses: [OTHER],
    relays: [{ id: relay.id, endpoint: RELAY }],
  } as const
  bed.do((machine, now) => machine.dial(target, now))
  const first = bed.taken()
  expect(first.map(({ message }) => message.op_code)).toEqual(
    expect.arrayContaining([OP.directRequest, OP.punchRequest]),
  )
  bed.advance(900)
  const hellos = hellosIn([...first, ...bed.taken()])
  expect(hellos.length).toBeGreaterThan(2)
  for (const hello of hellos) expect(hello).toEqual(hellos[0])
  expect(bed.machine.inspect(bed.now).connections).toHaveLength(1)
})

test('a 0x114 leaves before any probe', () => {
  const bed = new Bed().registered(RELAY, CAN)
  bed.receive(invitation(bed, 5, undefined), RELAY)
  bed.advance(900)
  const [first, ...more] = bed.taken().map(({ message }) => message.op_code)
  expect(first).toBe(OP.punchAck)
  expect(new Set(more)).toEqual(new Set([OP.keepAlive]))
})

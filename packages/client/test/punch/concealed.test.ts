/** docs/protocol.md, Concealed ends: introductions that show no address. */
import { opensslEndToEnd } from '@showchain/crypto'
import { CAPS, type Extensions, type MessageOf, OP, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, OTHER, other, RELAY, relay, self } from '../peer-bed.ts'

/** Of a relay of before. */
const INTRODUCES = CAPS.channel | CAPS.introduced
const CONCEALS = INTRODUCES | CAPS.conceals
const HOSTS = [{ ip: '192.168.1.2', port: 4000 }]
/** A cold one, that a relay may carry. */
const HELLO = new Uint8Array(42).fill(7).fill(1, 0, 2)
const relays = [{ id: relay.id, endpoint: RELAY }]

const bedOf = (caps: number, options: ConstructorParameters<typeof Bed>[0] = {}): Bed =>
  new Bed({
    ...{ plaintext: false, endToEnd: opensslEndToEnd, hostCandidates: () => HOSTS },
    ...options,
  }).registered(RELAY, caps)

const asks = (sent: ReturnType<Bed['taken']>): readonly MessageOf<typeof OP.punchRequest>[] =>
  sent.flatMap(({ message }) => (message.op_code === OP.punchRequest ? [message] : []))

describe('a dial by relays alone', () => {
  const dial = (bed: Bed): void =>
    void bed.do((machine, now) => machine.dial({ id: other.id, policy: 'relay-only', addresses: [], relays }, now))

  test('is an introduction that says nothing of where this peer is, then the request of a session', () => {
    const bed = bedOf(CONCEALS)
    dial(bed)
    bed.advance(900)
    const sent = bed.taken()
    const [first, ...more] = asks(sent)
    expect(first?.ext).toEqual({ caps: CAPS.concealed, hello: expect.any(Uint8Array), key: self.publicKey.spki })
    for (const { ext } of more) expect(ext).toEqual(first?.ext)
    expect(sent.filter(({ message }) => message.op_code === OP.proxyRequest)).toEqual([])
    bed.advance(200)
    expect(bed.taken(OP.proxyRequest).length).toBeGreaterThan(0)
  })

  test('has no 0x111 at a relay that would pass on its address', () => {
    const bed = bedOf(INTRODUCES)
    dial(bed)
    bed.advance(5000)
    const sent = bed.taken()
    expect(asks(sent)).toEqual([])
    expect(sent.some(({ message }) => message.op_code === OP.proxyRequest)).toBe(true)
  })

  test('shows a second relay nothing either that would pass it on', () => {
    const second = { ip: '192.0.2.2', port: 4400 }
    const bed = bedOf(CONCEALS).registered(second, INTRODUCES)
    const both = [...relays, { id: relay.id, endpoint: second }]
    bed.do((machine, now) => machine.dial({ id: other.id, policy: 'relay-only', addresses: [], relays: both }, now))
    bed.advance(5000)
    const to = bed.taken().filter(({ message }) => message.op_code === OP.punchRequest)
    expect(new Set(to.map(({ to }) => to.ip))).toEqual(new Set([RELAY.ip]))
  })
})

describe('an introduction', () => {
  const invite = (bed: Bed, ext: Extensions): void => {
    const request = { target: self.id, id: other.id, seq: 7, ts: bed.unixMs } as const
    const { sign } = other.signed({ op_code: OP.punchRequest, ...request, ext })
    const session = sessionIdFromBytes(new Uint8Array(16).fill(5))
    const passed = { ...ext, key: other.publicKey.spki }
    bed.receive({ op_code: OP.punchPassRequest, ...request, ...OTHER, session, sign, ext: passed }, RELAY)
  }
  const acks = (bed: Bed): readonly (Extensions | undefined)[] =>
    bed.taken().flatMap(({ message }) => (message.op_code === OP.punchAck ? [message.ext] : [message.op_code as never]))
  const CONCEALED = { caps: CAPS.concealed, hello: expect.any(Uint8Array), key: self.publicKey.spki }

  test('is answered by a peer that is relay-only, which shows nothing and looks for nobody', () => {
    const bed = bedOf(CONCEALS, { policy: 'relay-only' })
    invite(bed, { caps: CAPS.directData, hello: HELLO })
    bed.advance(900)
    expect(acks(bed)).toEqual([CONCEALED])
    expect(bed.eventsOf('consent')).toMatchObject([{ id: other.id, via: 'relay' }])
    expect(bed.records.filter(({ to }) => to.ip !== RELAY.ip)).toEqual([])
  })

  test.each([
    ['whose relay would pass its address on', INTRODUCES, HELLO],
    ['when there are no keys to be had', CONCEALS, undefined],
  ])('gets silence from a peer that is relay-only, %s', (_when, caps, hello) => {
    const bed = bedOf(caps, { policy: 'relay-only' })
    invite(bed, { caps: CAPS.directData, hello })
    bed.advance(5000)
    expect([acks(bed), bed.eventsOf('consent')]).toEqual([[], []])
  })

  test('without consent gets silence from a peer that is relay-only', () => {
    const bed = bedOf(CONCEALS, { policy: 'relay-only' })
    bed.consent = false
    invite(bed, { caps: CAPS.directData, hello: HELLO })
    bed.advance(5000)
    expect(acks(bed)).toEqual([])
  })

  test('of a peer that shows no address is answered without one, at whatever relay, and nobody is looked for', () => {
    const bed = bedOf(INTRODUCES)
    invite(bed, { caps: CAPS.concealed, hello: HELLO })
    bed.advance(900)
    expect(acks(bed)).toEqual([CONCEALED])
    expect(bed.records.filter(({ to }) => to.ip !== RELAY.ip)).toEqual([])
  })
})

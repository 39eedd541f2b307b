/** docs/protocol.md, Tokens and One flight, at a peer. */
import { nodeEndToEnd } from '@showchain/crypto'
import { type Extensions, OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Bed, OTHER, other, RELAY, relay, SEEN, type Sent, sentTo } from '../peer-bed.ts'

const HERE = { id: relay.id, endpoint: RELAY }
const TOKEN = new Uint8Array(19).fill(7)

const bedOf = (options = {}): Bed => new Bed({ plaintext: false, endToEnd: nodeEndToEnd(), ...options })
const dial = (bed: Bed, relays = [HERE], addresses: readonly (typeof OTHER)[] = []): number =>
  bed.do((machine, now) => machine.dial({ id: other.id, policy: 'auto', addresses, relays }, now))
/** What went to the relay since it was asked last. */
const toRelay = (bed: Bed): readonly Sent[] => bed.taken().filter(sentTo(RELAY))
const opsOf = (sent: readonly Sent[]): readonly number[] => sent.map(({ message }) => message.op_code)

function answer(bed: Bed, { message }: Sent, ext: Extensions = {}): void {
  if (message.op_code !== OP.directRequest) throw new Error('no 0x101')
  const { seq, ts } = message
  const told = { key: relay.publicKey.spki, caps: 18, observed: SEEN, ...ext }
  bed.receive(relay.signed({ op_code: OP.directResponse, id: relay.id, seq, ts, ext: told }), RELAY)
}
function challenge(bed: Bed, { message }: Sent): void {
  if (message.op_code !== OP.directRequest) throw new Error('no 0x101')
  const { seq, ts } = message
  bed.receive({ op_code: OP.challenge, cookie: new Uint8Array(30), ref_op: OP.directRequest, seq, ts }, RELAY)
}

/** A peer that was registered with the relay for a dial, and has a token of it. */
function acquainted(bed = bedOf()): Bed {
  const id = dial(bed)
  const [request] = toRelay(bed)
  answer(bed, request as Sent, { token: TOKEN })
  bed.do((machine, now) => machine.cancelDial(id, now))
  bed.advance(60_000)
  bed.taken()
  return bed
}

describe('a dial at a relay that knows this peer not', () => {
  test('is challenged, and sends the 0x111 right behind the 0x101 with the cookie', () => {
    const bed = bedOf()
    dial(bed)
    const first = toRelay(bed)
    expect(opsOf(first)).toEqual([OP.directRequest])
    challenge(bed, first[0] as Sent)
    const then = toRelay(bed)
    expect(opsOf(then)).toEqual([OP.directRequest, OP.punchRequest])
    expect(then.map(({ message }) => message.ext)).toMatchObject([
      { cookie: expect.anything() },
      { hello: expect.anything(), caps: 4 },
    ])
  })

  test('repeats both together, as the same bytes', () => {
    const bed = bedOf()
    dial(bed)
    challenge(bed, toRelay(bed)[0] as Sent)
    const first = toRelay(bed)
    bed.advance(600)
    const again = toRelay(bed)
    expect(again.map(({ bytes }) => bytes)).toEqual(first.map(({ bytes }) => bytes))
    expect(again.map(({ at }) => at)).toEqual([again[0]?.at, again[0]?.at])
  })

  test('sends one 0x111, whatever the 0x102 says', () => {
    const bed = bedOf()
    dial(bed)
    challenge(bed, toRelay(bed)[0] as Sent)
    const [request] = toRelay(bed)
    answer(bed, request as Sent)
    expect(opsOf(toRelay(bed))).toEqual([])
  })

  test('that speaks only the seed waits for its 0x102: such a one challenges nobody', () => {
    const bed = bedOf({ knownKeys: [relay.publicKey] })
    dial(bed)
    const [request] = toRelay(bed)
    if (request?.message.op_code !== OP.directRequest) throw new Error('no 0x101')
    const { seq, ts } = request.message
    bed.receive(relay.signed({ op_code: OP.directResponse, id: relay.id, seq, ts }), RELAY)
    const introduction = toRelay(bed).find(({ message }) => message.op_code === OP.punchRequest)
    expect(introduction).toBeDefined()
    expect(introduction?.message.ext).toBeUndefined()
  })

  test('says that it is not registered, when it never is', () => {
    const bed = bedOf()
    dial(bed)
    bed.advance(20_000)
    const [failed] = bed.eventsOf('dialFailed')
    expect(failed?.attempts.map(({ why }) => why)).toEqual([
      expect.stringContaining('not registered with it'),
      expect.stringContaining('not registered with it'),
    ])
  })

  test('that is given up sends no 0x111 any more', () => {
    const bed = bedOf()
    const id = dial(bed)
    const [request] = toRelay(bed)
    bed.do((machine, now) => machine.cancelDial(id, now))
    challenge(bed, request as Sent)
    bed.advance(20_000)
    expect(opsOf(toRelay(bed))).not.toContain(OP.punchRequest)
  })

  test('shares the 0x101 of another dial that waits: each sends its own 0x111', () => {
    const bed = bedOf()
    dial(bed)
    challenge(bed, toRelay(bed)[0] as Sent)
    toRelay(bed)
    bed.do((machine, now) => machine.dial({ id: relay.id, policy: 'auto', addresses: [], relays: [HERE] }, now))
    expect(opsOf(toRelay(bed))).toEqual([OP.punchRequest])
  })
})

describe('a dial at a relay that gave a token', () => {
  test('shows it in a 0x101 of 1200 bytes, and sends the 0x111 at once', () => {
    const bed = acquainted()
    dial(bed)
    const sent = toRelay(bed)
    expect(opsOf(sent)).toEqual([OP.directRequest, OP.punchRequest])
    expect(sent[0]?.message.ext).toMatchObject({ token: TOKEN })
    expect(sent[0]?.bytes).toHaveLength(1200)
    expect(sent[1]?.message.ext).toMatchObject({ hello: expect.anything() })
  })

  test('sends both again, with a cookie and without the token, when that is good no more', () => {
    const bed = acquainted()
    dial(bed)
    const [first, introduction] = toRelay(bed)
    challenge(bed, first as Sent)
    const [second, again] = toRelay(bed)
    expect(second?.message.ext).toMatchObject({ cookie: expect.anything() })
    expect(second?.message.ext?.token).toBeUndefined()
    expect(again?.bytes).toEqual(introduction?.bytes)
  })

  test('shows the newest one, and none after an answer without one', () => {
    const bed = acquainted()
    const newer = new Uint8Array(19).fill(8)
    for (const [given, shown] of [
      [newer, TOKEN],
      [undefined, newer],
      [undefined, undefined],
    ] as const) {
      const id = dial(bed)
      const [request] = toRelay(bed)
      expect(request?.message.ext?.token).toEqual(shown)
      answer(bed, request as Sent, given === undefined ? {} : { token: given })
      bed.do((machine, now) => machine.cancelDial(id, now))
      bed.advance(60_000)
      bed.taken()
    }
  })

  test('shows none in JSON, where zeros do not make it long enough', () => {
    const bed = acquainted(bedOf({ encoding: 'json' }))
    dial(bed)
    expect(toRelay(bed)[0]?.message.ext?.token).toBeUndefined()
  })

  test('shows none for a registration that stays: its port is better proven, too', () => {
    const bed = acquainted()
    bed.do((machine, now) => machine.register(HERE, now))
    expect(toRelay(bed)[0]?.message.ext?.token).toBeUndefined()
  })
})

describe('a dial at the address of a peer that gave a token', () => {
  test('shows it beside the hello, and none beside a cookie', () => {
    const bed = bedOf()
    const first = dial(bed, [], [OTHER])
    const [request] = bed.taken().filter(sentTo(OTHER))
    if (request?.message.op_code !== OP.directRequest) throw new Error('no 0x101')
    expect(request.message.ext?.token).toBeUndefined()
    const { seq, ts } = request.message
    const ext = { key: other.publicKey.spki, caps: 4, observed: SEEN, token: TOKEN }
    bed.receive(other.signed({ op_code: OP.directResponse, id: other.id, seq, ts, ext }), OTHER)
    bed.do((machine, now) => machine.cancelDial(first, now))
    for (const { connection } of bed.eventsOf('open'))
      bed.do((machine, now) => machine.closeConnection(connection, now))
    bed.advance(60_000)
    bed.taken()
    dial(bed, [], [OTHER])
    const [again] = bed.taken().filter(sentTo(OTHER))
    expect(again?.message.ext).toMatchObject({ token: TOKEN, hello: expect.anything() })
    expect(again?.bytes).toHaveLength(1200)
    if (again?.message.op_code !== OP.directRequest) throw new Error('no 0x101')
    const stamp = { seq: again.message.seq, ts: again.message.ts }
    bed.receive({ op_code: OP.challenge, cookie: new Uint8Array(30), ref_op: OP.directRequest, ...stamp }, OTHER)
    const [proven] = bed.taken().filter(sentTo(OTHER))
    expect(proven?.message.ext?.token).toBeUndefined()
    expect(proven?.bytes).toHaveLength(1200)
  })
})

/**
 * What somebody can do who records registrations, holds some of them back, and sends any of them at
 * any time, in the name of whoever sent it (docs/protocol.md, Replay, Addresses).
 */
import { type Endpoint, type MessageOf, OP } from '@showchain/wire'
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Bed, type TestPeer } from './relay-bed.ts'

const HOUR = 3_600_000
const ADDRESSES: readonly Endpoint[] = [1, 2, 3].map((number) => ({ ip: `192.0.2.${number}`, port: 7 }))

/** A peer that moves, and the requests that it made so far, in order. */
class Victim {
  readonly #bed: Bed
  readonly peer: TestPeer
  readonly made: { readonly source: Endpoint; readonly bytes: Uint8Array }[] = []
  /** The newest of them that the relay accepted, and where it binds the peer. */
  newest = -1
  bound: Endpoint | undefined

  constructor(bed: Bed) {
    this.#bed = bed
    this.peer = bed.peer()
  }

  /** Asks for a registration, with a cookie where the relay wants one. @returns the number of the last request */
  ask(): number {
    const [challenge] = this.deliver(this.make({}))
    if (challenge?.message.op_code !== OP.challenge) return this.made.length - 1
    return this.make({ cookie: (challenge.message as MessageOf<typeof OP.challenge>).cookie })
  }

  /** The request of this number reaches the relay; one from before the newest accepted moves no binding. */
  deliver(number: number): ReturnType<Bed['sendBytes']> {
    const request = this.made[number]
    if (request === undefined) return []
    const before = this.#bed.count('registered')
    const answers = this.#bed.sendBytes(request.source, request.bytes)
    if (this.#bed.count('registered') === before) return answers
    if (number < this.newest) expect(request.source).toEqual(this.bound)
    this.newest = Math.max(this.newest, number)
    this.bound = request.source
    return answers
  }

  /** A request that did not reach the relay yet. @returns its number */
  make(proof: { readonly cookie?: Uint8Array }): number {
    const { peer } = this
    const ext = { key: peer.key.spki, ...proof }
    const request = { op_code: OP.directRequest, id: peer.id, target: this.#bed.id, ext } as const
    return this.made.push({ source: peer.source, bytes: this.#bed.bytesOf(peer, request) }) - 1
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('register' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hold back' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), to: fc.nat(2) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('replay' as const), which: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crowd' as const), size: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 900, 20_000, 61_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('step clock' as const),
      whose: fc.constantFrom('relay' as const, 'victim' as const),
      by: fc.constantFrom(-48 * HOUR, -HOUR, -5000, 5000, HOUR, 48 * HOUR),
    }),
  },
)

test('a registration that was held back never moves a binding that a later one made, whatever is forgotten', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      // Tables that forget at once.
      const bed = new Bed({ limits: { answers: 1, ids: 2 } })
      const victim = new Victim(bed)
      for (const each of steps) {
        if (each.do === 'register') victim.deliver(victim.ask())
        else if (each.do === 'hold back') victim.ask()
        else if (each.do === 'move') victim.peer.source = ADDRESSES[each.to] as Endpoint
        else if (each.do === 'replay') victim.deliver(each.which % (victim.made.length + 1))
        else if (each.do === 'crowd') for (let count = 0; count < each.size; count++) bed.registered()
        else if (each.do === 'wait') bed.pass(each.ms)
        else if (each.whose === 'relay') bed.clockStep += each.by
        else victim.peer.clockOffset += each.by
      }
    }),
    { numRuns: runs(300) },
  )
})

test('a registration without a cookie counts once, though its sender has set its clock back since', () => {
  const bed = new Bed()
  const victim = new Victim(bed)
  victim.deliver(victim.ask())
  bed.pass(1000)
  const held = victim.make({})
  victim.peer.clockOffset -= 5000
  victim.deliver(victim.ask())
  const answers = () => victim.deliver(held).map(({ message }) => message.op_code)
  // Nothing tells it from one that was made now. It comes from where the peer is bound.
  expect(answers()).toEqual([OP.directResponse])
  victim.deliver(victim.ask())
  expect(answers()).toEqual([OP.challenge])
})

test('a cookie counts once', () => {
  const bed = new Bed({ limits: { answers: 1 } })
  const victim = new Victim(bed)
  victim.peer.source = ADDRESSES[0] as Endpoint
  const first = victim.ask()
  victim.deliver(first)
  victim.peer.source = ADDRESSES[1] as Endpoint
  victim.deliver(victim.ask())
  bed.registered()
  expect(victim.deliver(first).map(({ message }) => message.op_code)).toEqual([OP.challenge])
  expect(bed.events.filter(({ type }) => type === 'bound')).toHaveLength(3)
})

const STEPS = [-48 * HOUR, -HOUR, -90_000, -5000, 5000, 90_000, HOUR, 48 * HOUR]

test.each(STEPS)(
  'a relay whose clock steps by %i ms goes on with those who are registered, and takes new ones',
  (by) => {
    const bed = new Bed()
    const [r, t] = [bed.registered(), bed.registered()]
    bed.pass(20_000)
    bed.clockStep += by
    const request = (from: TestPeer, to: TestPeer) =>
      bed.send(from, { op_code: OP.proxyRequest, id: from.id, target: to.id }).map(({ message }) => message.op_code)
    expect(request(r, t)).toEqual([OP.proxyResponse])
    const late = bed.registered()
    expect(request(late, r)).toEqual([OP.proxyResponse])
    expect(bed.register(t).map(({ message }) => message.op_code)).toEqual([OP.directResponse])
  },
)

test.each(STEPS)('a peer whose clock steps by %i ms is told to register, and is served then', (by) => {
  const bed = new Bed()
  const [r, t] = [bed.registered(), bed.registered()]
  const request = { op_code: OP.proxyRequest, id: r.id, target: t.id } as const
  bed.send(r, request)
  bed.pass(20_000)
  r.clockOffset += by
  const bytes = bed.bytesOf(r, request)
  const [answer] = bed.sendBytes(r.source, bytes)
  const accepted = by > 0 || answer?.message.op_code === OP.proxyResponse
  if (!accepted) {
    expect(answer?.message).toMatchObject({ op_code: OP.error })
    expect(bed.register(r).map(({ message }) => message.op_code)).toEqual([OP.directResponse])
    expect(bed.sendBytes(r.source, bytes).map(({ message }) => message.op_code)).toEqual([OP.proxyResponse])
  }
  // A session with somebody else has no request to be compared with.
  const other = bed.registered()
  const toOther = bed.bytesOf(r, { ...request, target: other.id })
  const [first] = bed.sendBytes(r.source, toOther)
  if (first?.message.op_code === OP.proxyResponse) return
  expect(first?.message).toMatchObject({ op_code: OP.error })
  expect(bed.register(r).map(({ message }) => message.op_code)).toEqual([OP.directResponse])
  expect(bed.sendBytes(r.source, toOther).map(({ message }) => message.op_code)).toEqual([OP.proxyResponse])
})

import { duration, type Instant, instant, later, type Route } from '@showchain/client/core'
import { RELAY_LIMITS, RelayMachine, type StunSockets } from '@showchain/server'
import { decodeStun, type Endpoint, encodeStun, STUN_ATTRIBUTE, type StunMessage, type StunType } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { identityOf, provider } from './relay-bed.ts'

const PEER: Endpoint = { ip: '198.51.100.7', port: 40_000 }
const A: Endpoint = { ip: '203.0.113.10', port: 3478 }
const A2: Endpoint = { ip: '203.0.113.10', port: 3479 }
const B: Endpoint = { ip: '203.0.113.11', port: 3478 }
const B2: Endpoint = { ip: '203.0.113.11', port: 3479 }
const FULL: StunSockets = [[A], [A2], [B], [B2]]
const ID = Uint8Array.from({ length: 12 }, (_, index) => index)
const CLASSIC_ID = Uint8Array.from({ length: 16 }, (_, index) => index + 1)

interface Answer {
  readonly to: Route
  readonly length: number
  readonly message: StunMessage
}

class Bed {
  readonly #machine: RelayMachine
  now: Instant = instant(0)

  constructor(stun?: StunSockets) {
    const random = { bytes: (length: number) => new Uint8Array(length), uint32: () => 1, uniform: () => 0.5 }
    this.#machine = new RelayMachine({
      ...{ random, stun, provider },
      self: identityOf(1).publicKey,
      unixMs: () => 1_800_000_000_000,
    })
  }

  counter(name: keyof ReturnType<RelayMachine['counters']>): number {
    return this.#machine.counters()[name]
  }

  give(bytes: Uint8Array, source: Route = PEER): readonly Answer[] {
    this.#machine.receive({ bytes, source }, this.now)
    const answers: Answer[] = []
    for (let output = this.#machine.poll(); output !== undefined; output = this.#machine.poll()) {
      if (output.type !== 'transmit') throw new Error(`STUN made the relay do ${output.type}`)
      const message = decodeStun(output.bytes)
      if (message === undefined) throw new Error('not STUN')
      answers.push({ to: output.to, length: output.bytes.length, message })
    }
    return answers
  }

  ask(request: Partial<StunMessage> = {}, socket = 0): Answer | undefined {
    const bytes = encodeStun({ type: 'bindingRequest', transactionId: ID, ...request })
    return this.give(bytes, { ...PEER, socket })[0]
  }
}

describe('a Binding request', () => {
  test('that asks for the clock is told it, and no longer than it asked', () => {
    const bed = new Bed()
    const plain = bed.ask()
    const timed = bed.ask({ clock: 0 })
    expect(plain?.message.clock).toBeUndefined()
    expect(timed?.message.clock).toBe(1_800_000_000_000)
    const asked = encodeStun({ type: 'bindingRequest', transactionId: ID, clock: 0 }).length
    const without = encodeStun({ type: 'bindingRequest', transactionId: ID }).length
    expect((timed?.length ?? 0) - (plain?.length ?? 0)).toBe(asked - without)
    expect(bed.ask({ transactionId: CLASSIC_ID, clock: 0 })?.message.clock).toBeUndefined()
  })

  test('is answered with the address that it came from, whoever sent it', () => {
    const answer = new Bed().ask()
    expect(answer?.message).toEqual({ type: 'bindingSuccess', transactionId: ID, mapped: PEER })
    expect(answer?.to).toMatchObject(PEER)
  })

  test('over IPv6 too', () => {
    const source = { ip: '2001:db8::7', port: 40_000 }
    const [answer] = new Bed().give(encodeStun({ type: 'bindingRequest', transactionId: ID }), source)
    expect(answer?.message.mapped).toEqual(source)
  })

  test('of RFC 3489 is answered in its own words: without XOR, with SOURCE-ADDRESS and CHANGED-ADDRESS', () => {
    const answer = new Bed(FULL).ask({ transactionId: CLASSIC_ID })
    expect(answer?.message).toEqual({
      type: 'bindingSuccess',
      transactionId: CLASSIC_ID,
      ...{ mapped: PEER, origin: A, other: B2 },
    })
  })

  test('gets at most 56 bytes for its 20, and those count against the rate of its source', () => {
    const bed = new Bed(FULL)
    expect(bed.ask()?.length).toBe(56)
    const { requestBurstPerSource: burst, requestsPerSecondPerSource: perSecond } = RELAY_LIMITS
    /** How many of more questions than the burst allows are answered. */
    const answered = (): number => Array.from({ length: burst.default + 10 }, () => bed.ask()).filter(Boolean).length
    expect(1 + answered()).toBe(burst.default)
    bed.now = later(bed.now, duration(1000))
    expect(answered()).toBe(perSecond.default)
  })
})

describe('with a second address and port (RFC 5780)', () => {
  test.each([
    [0, A, B2],
    [1, A2, B],
    [2, B, A2],
    [3, B2, A],
  ] as const)('socket %d says where it is, and where the other one is', (socket, origin, other) => {
    expect(new Bed(FULL).ask({}, socket)).toMatchObject({ to: { ...PEER, socket }, message: { origin, other } })
  })

  test.each([
    [{ ip: true, port: true }, 3, B2],
    [{ ip: true, port: false }, 2, B],
    [{ ip: false, port: true }, 1, A2],
    [{ ip: false, port: false }, 0, A],
  ] as const)('CHANGE-REQUEST %o is answered from socket %d', (change, socket, origin) => {
    expect(new Bed(FULL).ask({ change })).toMatchObject({ to: { ...PEER, socket }, message: { origin } })
  })

  test('a relay with one address and two ports changes the port only, and says so', () => {
    const bed = new Bed([[A], [A2]])
    expect(bed.ask()?.message.other).toEqual(A2)
    expect(bed.ask({ change: { ip: false, port: true } })).toMatchObject({ to: { socket: 1 } })
    expect(bed.ask({ change: { ip: true, port: true } })?.message.error?.code).toBe(420)
  })

  test('families are kept apart', () => {
    const bed = new Bed([[A, { ip: '2001:db8::1', port: 3478 }], [A2]])
    const source = { ip: '2001:db8::7', port: 40_000 }
    const [answer] = bed.give(encodeStun({ type: 'bindingRequest', transactionId: ID }), source)
    expect(answer?.message).toMatchObject({ origin: { ip: '2001:db8::1' } })
    expect(answer?.message.other).toBeUndefined()
  })
})

describe('what cannot be honoured gets 420, never a plain answer', () => {
  test.each([
    ['CHANGE-REQUEST, with one socket', { change: { ip: true, port: true } }, STUN_ATTRIBUTE.changeRequest, [[A]]],
    [
      'CHANGE-REQUEST, where the own address is not known',
      { change: { ip: false, port: true } },
      STUN_ATTRIBUTE.changeRequest,
      [],
    ],
    ['RESPONSE-PORT', { responsePort: 9 }, STUN_ATTRIBUTE.responsePort, FULL],
    ['PADDING', { padding: 64 }, STUN_ATTRIBUTE.padding, FULL],
  ] as const)('%s', (_what, request, attribute, sockets) => {
    for (const transactionId of [ID, CLASSIC_ID]) {
      const answer = new Bed(sockets).ask({ ...request, transactionId })
      expect(answer?.message).toMatchObject({ type: 'bindingError', transactionId, error: { code: 420 } })
      expect(answer?.message.unknown).toContain(attribute)
      expect(answer?.message.mapped).toBeUndefined()
    }
  })

  test('an attribute that must be understood and is not', () => {
    const bytes = encodeStun({ type: 'bindingRequest', transactionId: ID, padding: 4 })
    // PADDING's type becomes one that nobody knows, below 0x8000.
    bytes[20] = 0x7f
    expect(new Bed(FULL).give(bytes)[0]?.message).toMatchObject({ error: { code: 420 }, unknown: [0x7f26] })
  })
})

describe('silence', () => {
  test.each(['bindingIndication', 'bindingSuccess', 'bindingError'] as const satisfies readonly StunType[])(
    'for a %s, so that two relays never talk for ever',
    (type) => {
      const bed = new Bed(FULL)
      expect(bed.give(encodeStun({ type, transactionId: ID, mapped: PEER }))).toEqual([])
      expect(bed.counter('refused')).toBe(1)
    },
  )

  test('for a FINGERPRINT that is wrong', () => {
    const bytes = encodeStun({ type: 'bindingRequest', transactionId: ID, fingerprint: true })
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
    expect(new Bed(FULL).give(bytes)).toEqual([])
  })

  test('at the sockets beside the first, for everything that is not STUN', () => {
    const bed = new Bed(FULL)
    expect(bed.give(Uint8Array.of(0xb1, 1, 0), { ...PEER, socket: 1 })).toEqual([])
    expect(bed.counter('unexpected')).toBe(1)
  })
})

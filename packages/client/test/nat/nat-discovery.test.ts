/** RFC 5780 §4 as a client: what counts as an answer, what is claimed, and what is not. */
import { decodeStun, type Endpoint, encodeStun, type StunMessage, sameEndpoint } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { internetPolicy } from '../../src/core/index.ts'
import { Bed, OTHER, RELAY, relay, SEEN } from '../peer-bed.ts'

/** The relay's second address and port. */
const SECOND: Endpoint = { ip: '192.0.2.2', port: 4401 }
const SECOND_PORT: Endpoint = { ip: RELAY.ip, port: SECOND.port }
const SECOND_IP: Endpoint = { ip: SECOND.ip, port: RELAY.port }

interface Request {
  readonly to: Endpoint
  readonly message: StunMessage
}

/** A registered peer, and what it asks. */
class Discovery {
  readonly bed: Bed

  constructor(options: ConstructorParameters<typeof Bed>[0] = {}) {
    this.bed = new Bed(options).registered()
  }

  /** Requests since the last look, each transaction once. */
  asked(): readonly Request[] {
    const seen = new Set<string>()
    return this.bed.stun.splice(0).flatMap(({ to, bytes }) => {
      const message = decodeStun(bytes)
      if (message === undefined || seen.has(message.transactionId.join())) return []
      seen.add(message.transactionId.join())
      return [{ to, message }]
    })
  }

  answer({ message: { transactionId } }: Request, from: Endpoint, fields: Partial<StunMessage> = {}): void {
    const bytes = encodeStun({ type: 'bindingSuccess', transactionId, mapped: SEEN, ...fields })
    this.bed.do((machine, now) => machine.receive({ bytes, source: from }, now))
  }

  /**
   * DirectResponder the first request, and gives those of the filter tests: with another address,
   * with another port.
   */
  filterTests(): readonly [Request, Request] {
    const [first] = this.asked()
    this.answer(first as Request, RELAY, { other: SECOND })
    const asked = this.asked()
    expect(asked.map(({ to, message }) => [to, message.change])).toEqual([
      [RELAY, { ip: true, port: true }],
      [RELAY, { ip: false, port: true }],
    ])
    return asked as unknown as readonly [Request, Request]
  }

  /** DirectResponder every mapping test with the same address: endpoint-independent. */
  finish(): void {
    for (let round = 0; round < 4; round++) {
      this.bed.advance(5000)
      for (const request of this.asked()) if (!sameEndpoint(request.to, RELAY)) this.answer(request, request.to)
    }
  }

  get report() {
    return this.bed.eventsOf('nat').at(-1)?.report
  }
}

const isBinding = (request: Request | undefined, to: Endpoint): boolean =>
  request?.message.type === 'bindingRequest' && sameEndpoint(request.to, to)

describe('NAT discovery', () => {
  test('starts when the relay answered: one Binding request to it', () => {
    const [first, ...more] = new Discovery().asked()
    expect(isBinding(first, RELAY)).toBe(true)
    expect(first?.message).toEqual({ type: 'bindingRequest', transactionId: expect.any(Uint8Array) })
    expect(more).toEqual([])
  })

  test('is not done in seed mode', () => {
    expect(new Bed({ seedMode: true, knownKeys: [relay.publicKey] }).registered().stun).toEqual([])
  })

  test.each([
    ['another address and port', 1, 'T1'],
    ['another port', 2, 'T2'],
    ['nowhere else', 3, 'T3'],
  ] as const)('an answer from %s is filtering %d, and with one mapping %s', (_from, filtering, type) => {
    const discovery = new Discovery()
    const [both, port] = discovery.filterTests()
    if (filtering === 1) discovery.answer(both, SECOND)
    if (filtering <= 2) discovery.answer(port, SECOND_PORT)
    discovery.finish()
    expect(discovery.report).toEqual({ mapped: SEEN, natted: true, mapping: 1, filtering, type, notes: [] })
  })

  test('a server that ignores CHANGE-REQUEST and answers from where it was asked opens nothing', () => {
    const discovery = new Discovery()
    for (const request of discovery.filterTests()) discovery.answer(request, RELAY)
    expect(discovery.bed.counted('unexpected')).toBe(2)
    discovery.finish()
    expect(discovery.report).toMatchObject({ filtering: 3, type: 'T3' })
  })

  test('an answer from the wrong one of the further addresses opens nothing', () => {
    const discovery = new Discovery()
    for (const request of discovery.filterTests()) discovery.answer(request, SECOND_IP)
    discovery.finish()
    expect(discovery.report).toMatchObject({ filtering: 3 })
  })

  test('a refusal (420) says that the filter cannot be known', () => {
    const discovery = new Discovery()
    const refusal = { type: 'bindingError', mapped: undefined, error: { code: 420, reason: '' } } as const
    for (const request of discovery.filterTests()) discovery.answer(request, RELAY, refusal)
    discovery.finish()
    expect(discovery.report).toMatchObject({ filtering: 0, type: undefined })
    expect(discovery.report?.notes).toEqual([expect.stringContaining('does not answer from it')])
  })

  test('the mapping is tested after the filter, at the other address and then at the other port', () => {
    const discovery = new Discovery()
    discovery.filterTests()
    discovery.bed.advance(2000)
    const other = { ip: SEEN.ip, port: SEEN.port + 1 }
    const byIp = discovery.asked().find(({ to }) => sameEndpoint(to, SECOND_IP))
    discovery.answer(byIp as Request, SECOND_IP, { mapped: other })
    const [byBoth] = discovery.asked()
    expect(isBinding(byBoth, SECOND)).toBe(true)
    discovery.answer(byBoth as Request, SECOND, { mapped: other })
    expect(discovery.report).toMatchObject({ mapping: 2, filtering: 3, type: 'T4' })
  })

  test('asks five times for its address, and says so when nobody answers', () => {
    const discovery = new Discovery()
    discovery.bed.advance(10_000)
    expect(discovery.bed.stun).toHaveLength(5)
    expect(discovery.report).toMatchObject({ mapped: undefined, natted: undefined, mapping: 0, filtering: 0 })
    expect(discovery.report?.notes).toEqual(['No server answers STUN.'])
  })

  test.each([
    ['from elsewhere', (d: Discovery, request: Request) => d.answer(request, OTHER)],
    [
      'with another transaction id',
      (d: Discovery, { to, message }: Request) =>
        d.answer({ to, message: { ...message, transactionId: new Uint8Array(12) } }, RELAY),
    ],
    ['that is a request', (d: Discovery, request: Request) => d.answer(request, RELAY, { type: 'bindingRequest' })],
    [
      'that is an indication',
      (d: Discovery, request: Request) => d.answer(request, RELAY, { type: 'bindingIndication' }),
    ],
  ])('an answer %s is none', (_what, answer) => {
    const discovery = new Discovery()
    const [first] = discovery.asked()
    answer(discovery, first as Request)
    expect(discovery.bed.counted('unexpected')).toBe(1)
    discovery.bed.advance(10_000)
    expect(discovery.report).toMatchObject({ mapped: undefined })
  })

  test('asks again when an answer was missing, three times, and then not any more', () => {
    const bed = new Bed()
    bed.do((machine, now) => machine.useStunServers([OTHER], now))
    bed.advance(600_000)
    expect(bed.stun).toHaveLength(4 * 5)
    expect(bed.eventsOf('nat')).toHaveLength(1)
  })

  test('forgets nothing that it knew because packets were lost', () => {
    const discovery = new Discovery()
    const [both, port] = discovery.filterTests()
    discovery.answer(both, SECOND)
    discovery.answer(port, SECOND_PORT)
    discovery.finish()
    discovery.bed.do((machine, now) => machine.useStunServers([], now))
    discovery.bed.advance(60_000)
    expect(discovery.bed.stun.length).toBeGreaterThan(0)
    expect(discovery.report).toMatchObject({ type: 'T1' })
  })

  test.each([
    ['this host', { ip: '127.0.0.1', port: 4401 }],
    ['a multicast group', { ip: '224.0.0.1', port: 4401 }],
    ['loopback behind NAT64', { ip: '64:ff9b::7f00:1', port: 4401 }],
  ])('sends nothing to a second address that the address policy forbids: %s', (_what, forbidden) => {
    const discovery = new Discovery({ allows: internetPolicy })
    const [first] = discovery.asked()
    discovery.answer(first as Request, RELAY, { other: forbidden })
    discovery.bed.advance(10_000)
    expect(discovery.asked().filter(({ to }) => !sameEndpoint(to, RELAY))).toEqual([])
    expect(discovery.bed.counted('addressRefused')).toBe(1)
    expect(discovery.report).toMatchObject({ mapped: SEEN, filtering: 0 })
  })

  test.each([
    ['may not have', '8.8.8.8', 0],
    ['on a private network may have', '192.168.1.1', 2],
  ])('a server %s a private second address', (_what, ip, filterTests) => {
    const server = { ip, port: 3478 }
    const bed = new Bed({ allows: internetPolicy })
    bed.do((machine, now) => machine.useStunServers([server], now))
    const request = decodeStun(bed.stun.splice(0)[0]?.bytes as Uint8Array)
    const bytes = encodeStun({
      ...{ type: 'bindingSuccess', transactionId: request?.transactionId as Uint8Array, mapped: SEEN },
      other: { ip: '192.168.1.2', port: 3479 },
    })
    bed.do((machine, now) => machine.receive({ bytes, source: server }, now))
    expect(bed.stun).toHaveLength(filterTests)
  })

  test('leaves nothing behind when the peer closes in the middle', () => {
    const { bed } = new Discovery()
    bed.do((machine, now) => machine.close(now))
    expect(bed.machine.deadline).toBeUndefined()
  })
})

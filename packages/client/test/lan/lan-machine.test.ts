import { openssl } from '@showchain/crypto'
import type { PeerId } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import {
  type Duration,
  duration,
  type Instant,
  instanceOf,
  instant,
  type LanEvent,
  LanMachine,
  later,
  MAX_FOUND,
  MAX_LOOKS,
  MDNS_GROUP,
  MDNS_GROUPS,
  type Route,
  type ServedLink,
} from '../../src/core/index.ts'
import { mdnsCodec } from '../../src/runtime/lan/mdns-codec.ts'

const SELF = 'jH9jUPzAGGSmqWoKTjmRBnDIVVtHSgoU6GmcX3yfCtA' as PeerId
const OTHER = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' as PeerId
/** 2029-12-30. */
const DAY = 21_913
const LINKS: readonly ServedLink[] = [
  {
    ...{ name: 'eth0', family: 4, scope: 0 },
    subnets: [
      { ip: '192.168.1.10', prefix: 24 },
      { ip: '10.0.0.10', prefix: 16 },
    ],
    endpoints: [
      { ip: '192.168.1.10', port: 4000 },
      { ip: '10.0.0.10', port: 4000 },
    ],
  },
  {
    ...{ name: 'wlan0', family: 4, scope: 0 },
    subnets: [{ ip: '169.254.7.1', prefix: 16 }],
    endpoints: [{ ip: '169.254.7.1', port: 4000 }],
  },
]
/** Two links of IPv6 that have the same addresses, as link-local ones may. */
const TWINS: readonly ServedLink[] = [2, 3].map((scope) => ({
  ...{ name: `eth${scope}`, family: 6, scope },
  subnets: [
    { ip: 'fe80::10', prefix: 64 },
    { ip: `fd00:${scope}::10`, prefix: 64 },
  ],
  endpoints: [
    { ip: 'fe80::10', port: 4000 },
    { ip: `fd00:${scope}::10`, port: 4000 },
  ],
}))
const GROUP_6 = MDNS_GROUPS[6]

class Bed {
  now: Instant = instant(0)
  readonly machine: LanMachine
  readonly sent: { readonly to: Route; readonly bytes: Uint8Array }[] = []
  readonly events: LanEvent[] = []
  unixMs = DAY * 86_400_000

  constructor(links: readonly ServedLink[] = LINKS) {
    const unixMs = (): number => this.unixMs + this.now
    this.machine = new LanMachine({ links, self: SELF, codec: mdnsCodec, provider: openssl, unixMs }, this.now)
  }

  do<Result>(action: (now: Instant) => Result): Result {
    const result = action(this.now)
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll())
      if (output.type === 'transmit') this.sent.push(output)
      else if (output.type === 'event') this.events.push(output.event)
    return result
  }

  advance(by: Duration): void {
    const end = later(this.now, by)
    for (let at = this.machine.deadline; at !== undefined && at <= end; at = this.machine.deadline) {
      this.now = at
      this.do((now) => this.machine.wake(now))
    }
    this.now = end
  }

  hear(bytes: Uint8Array, source: Route = { ip: '192.168.1.20', port: MDNS_GROUP.port, socket: 0 }): void {
    this.do((now) => this.machine.receive({ bytes, source }, now))
  }
}

const own = (day = DAY): string => instanceOf(openssl, SELF, day)
const theirs = instanceOf(openssl, OTHER, DAY)
const from = (ip: string, socket: number, port = 5353): Route => ({ ip, port, socket })

/** With names in capitals. */
function capitals(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte))
}

test('names are those of the service and the peer in any case', () => {
  const bed = new Bed()
  bed.hear(capitals(mdnsCodec.query(own())))
  expect(bed.sent).toHaveLength(1)
})

describe('a look', () => {
  test('asks on every link, again after one and three seconds, and is silent after four', () => {
    const bed = new Bed()
    const look = bed.do((now) => bed.machine.look(OTHER, now))
    expect(bed.sent).toEqual(
      [0, 1].map((socket) => ({
        ...{ type: 'transmit', to: { ...MDNS_GROUP, socket } },
        bytes: mdnsCodec.query(theirs),
      })),
    )
    bed.advance(duration(2999))
    expect(bed.sent).toHaveLength(4)
    bed.advance(duration(1000))
    expect([bed.sent.length, bed.events]).toEqual([6, []])
    bed.advance(duration(1))
    expect(bed.events).toEqual([{ type: 'silent', look }])
    bed.advance(duration(600_000))
    expect([bed.sent.length, bed.machine.deadline]).toEqual([6, undefined])
  })

  test('hands up what hosts of the link answer, each address once, also later', () => {
    const bed = new Bed()
    const look = bed.do((now) => bed.machine.look(OTHER, now))
    const answer = mdnsCodec.answer({ instance: theirs, port: 9, ips: ['192.168.1.20', '10.0.0.20'] })
    bed.hear(answer)
    bed.hear(answer)
    bed.advance(duration(5000))
    bed.hear(mdnsCodec.answer({ instance: theirs, port: 9, ips: ['192.168.1.21'] }))
    const endpoints = (...ips: string[]) => ({ type: 'found', look, endpoints: ips.map((ip) => ({ ip, port: 9 })) })
    expect(bed.events).toEqual([endpoints('192.168.1.20', '10.0.0.20'), endpoints('192.168.1.21')])
    // It was answered before the second query was due.
    expect(bed.sent).toHaveLength(2)
    bed.machine.stop(look)
    bed.hear(mdnsCodec.answer({ instance: theirs, port: 9, ips: ['192.168.1.22'] }))
    expect(bed.events).toHaveLength(2)
  })

  test('takes at most so many addresses, whoever sends more', () => {
    const bed = new Bed()
    bed.do((now) => bed.machine.look(OTHER, now))
    for (let last = 20; last < 60; last++)
      bed.hear(mdnsCodec.answer({ instance: theirs, port: 9, ips: [`192.168.1.${last}`] }))
    expect(bed.events.flatMap((event) => (event.type === 'found' ? event.endpoints : []))).toHaveLength(MAX_FOUND)
  })

  test('takes no address that a host of the link cannot have', () => {
    const bed = new Bed()
    bed.do((now) => bed.machine.look(OTHER, now))
    const ips = [
      '8.8.8.8',
      '192.168.2.1',
      '192.168.1.255',
      '192.168.1.0',
      '127.0.0.1',
      'fd00:2::1',
      '2001:4860::1',
      'fe80::1',
    ]
    for (const ip of ips) bed.hear(mdnsCodec.answer({ instance: theirs, port: 9, ips: [ip] }))
    // Of the other link.
    bed.hear(mdnsCodec.answer({ instance: theirs, port: 9, ips: ['169.254.7.2'] }))
    expect(bed.events).toEqual([])
    expect(bed.machine.counters()).toMatchObject({ elsewhere: 9 })
    bed.hear(mdnsCodec.answer({ instance: theirs, port: 9, ips: ['169.254.7.2'] }), from('169.254.7.2', 1))
    expect(bed.events).toHaveLength(1)
  })

  test('is one of so many: more are silent at once; their queries have a rate', () => {
    const bed = new Bed()
    for (let count = 0; count <= MAX_LOOKS; count++) bed.do((now) => bed.machine.look(OTHER, now))
    expect(bed.events).toEqual([{ type: 'silent', look: MAX_LOOKS + 1 }])
    expect(bed.sent.filter(({ to }) => to.socket === 0)).toHaveLength(8)
    expect(bed.machine.counters()).toMatchObject({ queries: 16, held: 2 * (MAX_LOOKS - 8) })
  })
})

describe('on a link of IPv6', () => {
  test('questions and answers go to its group, with its addresses', () => {
    const bed = new Bed(TWINS)
    bed.do((now) => bed.machine.look(OTHER, now))
    expect(bed.sent.map(({ to }) => to)).toEqual([0, 1].map((socket) => ({ ...GROUP_6, socket })))
    bed.hear(mdnsCodec.query(own()), from('fe80::20', 1))
    expect(bed.sent[2]).toMatchObject({
      ...{ to: { ...GROUP_6, socket: 1 } },
      bytes: mdnsCodec.answer({ instance: own(), port: 4000, ips: ['fe80::10', 'fd00:3::10'] }),
    })
  })

  test('a link-local address is one of the interface where it was learned, and of no other', () => {
    const bed = new Bed(TWINS)
    const look = bed.do((now) => bed.machine.look(OTHER, now))
    const answer = mdnsCodec.answer({ instance: theirs, port: 9, ips: ['fe80::20', 'fd00:3::20'] })
    for (const socket of [1, 0, 1]) bed.hear(answer, from('fe80::20', socket))
    expect(bed.events).toEqual([
      {
        ...{ type: 'found', look },
        endpoints: [
          { ip: 'fe80::20', port: 9, socket: -3 },
          { ip: 'fd00:3::20', port: 9 },
        ],
      },
      { type: 'found', look, endpoints: [{ ip: 'fe80::20', port: 9, socket: -2 }] },
    ])
  })

  test('nothing is said for ten minutes where nobody looks', () => {
    const bed = new Bed(TWINS)
    bed.advance(duration(600_000))
    expect([bed.sent, bed.machine.deadline]).toEqual([[], undefined])
  })

  test.each([
    ['another network', 'fd00:9::20'],
    ['a public address', '2001:4860::1'],
    ['another zone', 'fe80::20%eth3'],
    ['IPv4', '192.168.1.20'],
  ])('nothing is answered to %s', (_where, ip) => {
    const bed = new Bed(TWINS)
    bed.hear(mdnsCodec.query(own()), from(ip, 0))
    expect([bed.sent, bed.machine.counters().foreign]).toEqual([[], 1])
  })
})

describe('an answer', () => {
  test('goes to the group, on the link of the question, with the addresses of that link', () => {
    const bed = new Bed()
    bed.hear(mdnsCodec.query(own()))
    bed.hear(mdnsCodec.query(own()), from('169.254.9.9', 1))
    expect(bed.sent).toMatchObject([
      { to: { ...MDNS_GROUP, socket: 0 } },
      {
        to: { ...MDNS_GROUP, socket: 1 },
        bytes: mdnsCodec.answer({ instance: own(), port: 4000, ips: ['169.254.7.1'] }),
      },
    ])
    const [first] = bed.sent
    expect(first?.bytes).toEqual(mdnsCodec.answer({ instance: own(), port: 4000, ips: ['192.168.1.10', '10.0.0.10'] }))
  })

  test('leaves once a second on a link, for each name', () => {
    const bed = new Bed()
    for (let count = 0; count < 10; count++) {
      for (const day of [DAY - 1, DAY, DAY + 1]) bed.hear(mdnsCodec.query(own(day)))
      bed.advance(duration(100))
    }
    expect([bed.sent.length, bed.machine.counters().held]).toEqual([3, 27])
    bed.hear(mdnsCodec.query(own()))
    expect(bed.sent).toHaveLength(4)
  })

  test('has the names of yesterday, today and tomorrow, and goes with the day', () => {
    const bed = new Bed()
    for (const day of [-2, -1, 0, 1, 2]) bed.hear(mdnsCodec.query(own(DAY + day)))
    expect(bed.sent).toHaveLength(3)
    bed.unixMs += 86_400_000
    bed.hear(mdnsCodec.query(own(DAY - 1)))
    expect(bed.sent).toHaveLength(3)
    bed.hear(mdnsCodec.query(own(DAY + 2)))
    expect(bed.sent).toHaveLength(4)
  })

  test.each([
    ['another port than that of mDNS', from('192.168.1.20', 0, 40_000)],
    ['another network', from('10.1.1.1', 0)],
    ['a public address', from('81.2.0.1', 0)],
    ['the network of another link', from('169.254.9.9', 0)],
    ['all hosts', from('192.168.1.255', 0)],
    ['a socket that it does not have', from('192.168.1.20', 7)],
  ])('is not for a question from %s', (_where, source) => {
    const bed = new Bed()
    bed.hear(mdnsCodec.query(own()), source)
    expect(bed.sent).toEqual([])
  })

  test('is not given by a peer that nobody may find', () => {
    const bed = new Bed()
    const hidden = new LanMachine(
      { links: LINKS, self: undefined, codec: mdnsCodec, provider: openssl, unixMs: () => bed.unixMs },
      bed.now,
    )
    hidden.receive({ bytes: mdnsCodec.query(own()), source: from('192.168.1.20', 0) }, bed.now)
    expect(hidden.poll()).toBeUndefined()
  })
})

describe('what comes', () => {
  test('is not read when it is longer than Ethernet carries, or is about something else', () => {
    const bed = new Bed()
    const long = new Uint8Array(1473)
    long.set(mdnsCodec.query(own()))
    bed.hear(long)
    bed.hear(new Uint8Array(100))
    bed.hear(new Uint8Array(0))
    expect([bed.sent, bed.machine.counters().unreadable]).toEqual([[], 0])
  })

  test('is read at a rate', () => {
    const bed = new Bed()
    const broken = mdnsCodec.query(own()).slice(0, 50)
    for (let count = 0; count < 1000; count++) bed.hear(broken)
    expect(bed.machine.counters()).toMatchObject({ unreadable: 100, flood: 900 })
    bed.advance(duration(1000))
    bed.hear(mdnsCodec.query(own()))
    expect(bed.sent).toHaveLength(1)
  })
})

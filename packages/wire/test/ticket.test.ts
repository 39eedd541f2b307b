import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatAddress,
  formatTicket,
  parseAddress,
  parseTicket,
  type Ticket,
  ticketSchema,
  websocketUrl,
} from '../src/index.ts'
import { endpoint, port } from './arbitraries.ts'
import { ALICE, BOB } from './samples.ts'

const badTicket = expect.objectContaining({ code: 'ERR_BAD_TICKET' })
const longHost = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`

describe('a ticket', () => {
  test.each<[string, Ticket]>([
    [`showchain:${ALICE}`, { id: ALICE, relays: [], addresses: [] }],
    [
      `showchain:${ALICE}?addr=192.0.2.1:4000`,
      { id: ALICE, relays: [], addresses: [{ host: '192.0.2.1', port: 4000 }] },
    ],
    [
      `showchain:${ALICE}?relay=${BOB}@relay.example.org:4242&relay=${BOB}@[2001:db8::1]:1&addr=[::1]:65535`,
      {
        id: ALICE,
        relays: [
          { id: BOB, address: { host: 'relay.example.org', port: 4242 } },
          { id: BOB, address: { host: '2001:db8::1', port: 1 } },
        ],
        addresses: [{ host: '::1', port: 65535 }],
      },
    ],
    [
      `showchain:${ALICE}?addr=192.0.2.1:4400&mailbox=${BOB}`,
      { id: ALICE, relays: [], addresses: [{ host: '192.0.2.1', port: 4400 }], mailbox: BOB },
    ],
    [
      `showchain:${ALICE}?addr=192.0.2.1:4400&permit=AQ-_`,
      { id: ALICE, relays: [], addresses: [{ host: '192.0.2.1', port: 4400 }], permit: 'AQ-_' },
    ],
    [
      `showchain:${ALICE}?addr=192.0.2.1:4400&via=ws:8080`,
      {
        ...{ id: ALICE, relays: [], addresses: [{ host: '192.0.2.1', port: 4400 }] },
        websocket: { tls: false, port: 8080 },
      },
    ],
    [
      `showchain:${ALICE}?relay=${BOB}@192.0.2.1:5&relay=${BOB}@192.0.2.2:5&via=wss:8443&addr=[::1]:65535`,
      {
        id: ALICE,
        relays: [
          { id: BOB, address: { host: '192.0.2.1', port: 5 } },
          { id: BOB, address: { host: '192.0.2.2', port: 5 }, websocket: { tls: true, port: 8443 } },
        ],
        addresses: [{ host: '::1', port: 65535 }],
      },
    ],
  ])('%s is read and written back', (text, ticket) => {
    expect(parseTicket(text)).toEqual(ticket)
    expect(formatTicket(ticket)).toBe(text)
    expect(ticketSchema.safeParse(ticket).success).toBe(true)
  })

  test('is read with white space around it, unknown parameters, and hosts in other spellings', () => {
    expect(parseTicket(`  showchain:${ALICE}?x=1&addr=Example.ORG:1&flag&addr=[2001:DB8::0:1]:2&=\n`)).toEqual({
      id: ALICE,
      relays: [],
      addresses: [
        { host: 'example.org', port: 1 },
        { host: '2001:db8::1', port: 2 },
      ],
    })
    expect(parseTicket(`showchain:${ALICE}?`)).toEqual({ id: ALICE, relays: [], addresses: [] })
  })

  test.each([
    ['nothing', ''],
    ['another scheme', `https:${ALICE}`],
    ['a scheme in upper case', `SHOWCHAIN:${ALICE}`],
    ['no id', 'showchain:?addr=192.0.2.1:1'],
    ['a short id', `showchain:${ALICE.slice(1)}`],
    ['an id in another spelling', `showchain:${ALICE.slice(0, -1)}F`],
    ['two question marks', `showchain:${ALICE}?addr=192.0.2.1:1?x`],
    ['an address without a port', `showchain:${ALICE}?addr=192.0.2.1`],
    ['port 0', `showchain:${ALICE}?addr=192.0.2.1:0`],
    ['IPv6 without brackets', `showchain:${ALICE}?addr=2001:db8::1:5`],
    ['a zone', `showchain:${ALICE}?addr=[fe80::1%25eth0]:5`],
    ['an escape', `showchain:${ALICE}?addr=192.0.2.1%3A5`],
    ['an empty address', `showchain:${ALICE}?addr=`],
    ['a relay without an id', `showchain:${ALICE}?relay=192.0.2.1:5`],
    ['a relay with a bad id', `showchain:${ALICE}?relay=abc@192.0.2.1:5`],
    ['a relay without an address', `showchain:${ALICE}?relay=${BOB}`],
    ['nine addresses', `showchain:${ALICE}?${'addr=192.0.2.1:5&'.repeat(9)}`],
    ['a mailbox with a bad id', `showchain:${ALICE}?mailbox=abc`],
    ['an empty permit', `showchain:${ALICE}?addr=192.0.2.1:4400&permit=`],
    ['a permit that is no base64url', `showchain:${ALICE}?permit=AAA%3D`],
    ['a permit of 53 bytes', `showchain:${ALICE}?permit=${'A'.repeat(71)}`],
    ['two permits', `showchain:${ALICE}?permit=AAAA&permit=AAAA`],
    ['a permit beside a relay', `showchain:${ALICE}?relay=${BOB}@192.0.2.1:5&permit=AAAA`],
    ['two mailboxes', `showchain:${ALICE}?mailbox=${BOB}&mailbox=${BOB}`],
    ['a mailbox beside a relay', `showchain:${ALICE}?relay=${BOB}@192.0.2.1:5&mailbox=${BOB}`],
    ['a via of another kind', `showchain:${ALICE}?via=http:80`],
    ['a via with a bad port', `showchain:${ALICE}?via=ws:65536`],
    ['two of them for one relay', `showchain:${ALICE}?relay=${BOB}@192.0.2.1:5&via=ws:1&via=ws:2`],
    ['two of its own', `showchain:${ALICE}?via=ws:1&via=ws:2`],
    ['one before the first relay', `showchain:${ALICE}?via=ws:1&relay=${BOB}@192.0.2.1:5`],
    ['too many characters', `showchain:${ALICE}?x=${'a'.repeat(5000)}`],
  ])('with %s is refused with ERR_BAD_TICKET', (_what, text) => {
    expect(() => parseTicket(text)).toThrow(badTicket)
  })

  test('has no mailbox beside relays', () => {
    const relays = [{ id: BOB, address: { host: '192.0.2.1', port: 5 } }]
    expect(ticketSchema.safeParse({ id: ALICE, relays, addresses: [], mailbox: BOB }).success).toBe(false)
  })

  test('that is refused says which part is wrong', () => {
    expect(() => parseTicket(`showchain:${ALICE}?addr=nowhere`)).toThrow('addr="nowhere" is not host:port.')
  })

  test('with the most and longest routes that there may be is read back from its text', () => {
    const address = { host: longHost, port: 65535 }
    const ticket: Ticket = {
      id: ALICE,
      relays: new Array(8).fill({ id: BOB, address, websocket: { tls: true, port: 65535 } }),
      addresses: new Array(8).fill(address),
    }
    expect(ticketSchema.safeParse(ticket).success).toBe(true)
    expect(formatTicket(ticket)).toHaveLength(4765)
    expect(parseTicket(formatTicket(ticket))).toEqual(ticket)
  })

  test('survives being written and read, whatever its routes', () => {
    const address = fc.oneof(
      endpoint.map(({ ip, port }) => ({ host: ip, port })),
      fc.record({ host: fc.domain(), port }),
    )
    const ticket = fc.record({
      id: fc.constant(ALICE),
      relays: fc.array(fc.record({ id: fc.constant(BOB), address }), { maxLength: 8 }),
      addresses: fc.array(address, { maxLength: 8 }),
    })
    fc.assert(
      fc.property(ticket, (value) => {
        expect(parseTicket(formatTicket(value))).toEqual(value)
      }),
    )
  })
})

describe('where a relay takes WebSocket connections', () => {
  test.each([
    ['relay.example.org', undefined, 'wss://relay.example.org:443/showchain'],
    ['2001:db8::1', { tls: true, port: 8443 }, 'wss://[2001:db8::1]:8443/showchain'],
    ['192.0.2.1', { tls: false, port: 80 }, 'ws://192.0.2.1:80/showchain'],
  ])('is at its own name: %s', (host, at, url) => {
    expect(websocketUrl(host, at)).toBe(url)
  })
})

describe('an address', () => {
  test.each([
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['a-b.c1:80', { host: 'a-b.c1', port: 80 }],
    ['4.example:80', { host: '4.example', port: 80 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    [`${longHost}:80`, { host: longHost, port: 80 }],
  ])('%s is read and written back', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
    expect(formatAddress(address)).toBe(text)
  })

  test.each([
    '-a.example:80',
    'a-.example:80',
    'a..b:80',
    'a.example.:80',
    'a_b.example:80',
    'münchen.example:80',
    `${'a'.repeat(64)}.example:80`,
    `${longHost}d:80`,
    // resolvers read these as 127.0.0.1
    '127.1:80',
    '2130706433:80',
    '0x7f000001:80',
    '0x7f.1:80',
    'a.0x7f:80',
    '1.2.3.256:80',
    'example.org',
    'example.org:0',
    'user@example.org:80',
  ])('%s is refused with ERR_BAD_ENDPOINT', (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ENDPOINT' }))
  })
})

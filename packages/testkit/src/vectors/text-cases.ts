/** Texts: ids, endpoints, tickets. Expectations are written by hand. */
import type { EndpointVector, IdentityVector, RefusedText, TextVectors, TicketVector } from './files.ts'

const refusedList = (list: Readonly<Record<string, string>>): readonly RefusedText[] =>
  Object.entries(list).map(([reason, text]) => ({ reason, text }))

const ENDPOINTS: readonly EndpointVector[] = (
  [
    ['192.0.2.1:4000', '192.0.2.1', 4000, '192.0.2.1:4000'],
    ['0.0.0.0:1', '0.0.0.0', 1, '0.0.0.0:1'],
    ['[::]:65535', '::', 65535, '[::]:65535'],
    ['[::1]:80', '::1', 80, '[::1]:80'],
    ['[2001:DB8:0:0:1:0:0:1]:5', '2001:db8::1:0:0:1', 5, '[2001:db8::1:0:0:1]:5'],
    ['[2001:0db8::0001]:5', '2001:db8::1', 5, '[2001:db8::1]:5'],
    ['[2001:db8::1:1:1:1:1]:5', '2001:db8:0:1:1:1:1:1', 5, '[2001:db8:0:1:1:1:1:1]:5'],
    ['[2001:0:0:1:0:0:0:1]:5', '2001:0:0:1::1', 5, '[2001:0:0:1::1]:5'],
    ['[1:2:3:4:5:6:7::]:5', '1:2:3:4:5:6:7:0', 5, '[1:2:3:4:5:6:7:0]:5'],
    ['[64:ff9b::192.0.2.33]:5', '64:ff9b::c000:221', 5, '[64:ff9b::c000:221]:5'],
    ['[::ffff:192.0.2.1]:5', '192.0.2.1', 5, '192.0.2.1:5'],
    ['[::ffff:c000:201]:5', '192.0.2.1', 5, '192.0.2.1:5'],
    ['[0:0:0:0:0:FFFF:192.0.2.1]:5', '192.0.2.1', 5, '192.0.2.1:5'],
    ['[::192.0.2.1]:5', '::c000:201', 5, '[::c000:201]:5'],
  ] as const
).map(([text, ip, port, canonical]) => ({ text, ip, port, canonical }))

const REFUSED_ENDPOINTS = {
  empty: '',
  'no port': '192.0.2.1',
  'an empty port': '192.0.2.1:',
  'port 0': '192.0.2.1:0',
  'port 65536': '192.0.2.1:65536',
  'a port with a leading zero': '192.0.2.1:080',
  'a port with a sign': '192.0.2.1:+80',
  'a port with an exponent': '192.0.2.1:8e1',
  'white space': ' 192.0.2.1:80',
  'a line end': '192.0.2.1:80\n',
  'a number past 255': '192.0.2.256:80',
  'a leading zero': '192.0.02.1:80',
  'three numbers': '192.0.2:80',
  'one number': '3221225985:80',
  'a hexadecimal number': '0xc0.0.2.1:80',
  'IPv6 without brackets': '2001:db8::1:80',
  'brackets without a port': '[2001:db8::1]',
  'brackets around IPv4': '[192.0.2.1]:80',
  'a zone': '[fe80::1%eth0]:80',
  'nine groups': '[1:2:3:4:5:6:7:8:9]:80',
  'seven groups': '[1:2:3:4:5:6:7]:80',
  'two shortenings': '[1::2::3]:80',
  'a shortening of no group': '[1:2:3:4::5:6:7:8]:80',
  'three colons': '[1:::2]:80',
  'a colon at the end': '[1:2:3:4:5:6:7:]:80',
  'IPv4 inside IPv6 that is not at its end': '[192.0.2.1::]:80',
  'IPv4 inside IPv6 with a leading zero': '[::ffff:192.0.02.1]:80',
  'a group of five digits': '[12345::]:80',
  'a host name': 'example.org:80',
}

/** 253 characters: three labels of 63, one of 58, and the last one. */
const LONGEST_NAME = `${`${'a'.repeat(63)}.`.repeat(3)}${'b'.repeat(58)}.ab`

export function textVectors(requester: IdentityVector, target: IdentityVector, relay: IdentityVector): TextVectors {
  const id = target.id
  const route = (host: string, port: number): { host: string; port: number } => ({ host, port })
  const tickets: readonly TicketVector[] = [
    ticket(`showchain:${id}`, id, [], []),
    ticket(`showchain:${id}?`, id, [], [], `showchain:${id}`),
    ticket(`showchain:${id}?addr=192.0.2.1:4000`, id, [], [route('192.0.2.1', 4000)]),
    ticket(
      `showchain:${id}?relay=${relay.id}@relay.example.org:4242&relay=${relay.id}@[2001:db8::1]:1&addr=[::1]:65535`,
      id,
      [
        { id: relay.id, address: route('relay.example.org', 4242) },
        { id: relay.id, address: route('2001:db8::1', 1) },
      ],
      [route('::1', 65535)],
    ),
    ticket(
      ` showchain:${id}?colour=blue&addr=Example.ORG:1&flag&addr=[2001:DB8::0:1]:2\n`,
      id,
      [],
      [route('example.org', 1), route('2001:db8::1', 2)],
      `showchain:${id}?addr=example.org:1&addr=[2001:db8::1]:2`,
    ),
    ticket(
      `\ufeff\u00a0showchain:${id}?addr=[::ffff:192.0.2.1]:1&ADDR=x&=y&&addr\u3000`,
      id,
      [],
      [route('192.0.2.1', 1)],
      `showchain:${id}?addr=192.0.2.1:1`,
    ),
    ticket(
      `showchain:${id}?relay=${relay.id}@RELAY-1.Example.org:1&relay=${relay.id}@a.b2c.x-y:2`,
      id,
      [
        { id: relay.id, address: route('relay-1.example.org', 1) },
        { id: relay.id, address: route('a.b2c.x-y', 2) },
      ],
      [],
      `showchain:${id}?relay=${relay.id}@relay-1.example.org:1&relay=${relay.id}@a.b2c.x-y:2`,
    ),
    ticket(`showchain:${id}?addr=${LONGEST_NAME}:1`, id, [], [route(LONGEST_NAME, 1)]),
    ticket(
      `showchain:${id}?addr=192.0.2.1:1&relay=${relay.id}@192.0.2.2:2`,
      id,
      [{ id: relay.id, address: route('192.0.2.2', 2) }],
      [route('192.0.2.1', 1)],
      `showchain:${id}?relay=${relay.id}@192.0.2.2:2&addr=192.0.2.1:1`,
    ),
    {
      ...ticket(
        `showchain:${relay.id}?mailbox=${id}&addr=192.0.2.2:2`,
        relay.id,
        [],
        [route('192.0.2.2', 2)],
        `showchain:${relay.id}?addr=192.0.2.2:2&mailbox=${id}`,
      ),
      mailbox: id,
    },
    {
      ...ticket(
        `showchain:${relay.id}?via=ws:8080&addr=192.0.2.2:2`,
        relay.id,
        [],
        [route('192.0.2.2', 2)],
        `showchain:${relay.id}?addr=192.0.2.2:2&via=ws:8080`,
      ),
      websocket: { tls: false, port: 8080 },
    },
    {
      ...ticket(
        `showchain:${relay.id}?permit=AQ-_&via=wss:443&addr=192.0.2.2:2`,
        relay.id,
        [],
        [route('192.0.2.2', 2)],
        `showchain:${relay.id}?addr=192.0.2.2:2&via=wss:443&permit=AQ-_`,
      ),
      websocket: { tls: true, port: 443 },
      permit: 'AQ-_',
    },
    ticket(
      `showchain:${id}?relay=${relay.id}@a.example:1&relay=${relay.id}@b.example:2&via=wss:65535&addr=192.0.2.1:1`,
      id,
      [
        { id: relay.id, address: route('a.example', 1) },
        { id: relay.id, address: route('b.example', 2), websocket: { tls: true, port: 65_535 } },
      ],
      [route('192.0.2.1', 1)],
    ),
  ]
  const refusedTickets = {
    empty: '',
    'another scheme': `https:${id}`,
    'a scheme in upper case': `SHOWCHAIN:${id}`,
    'an authority': `showchain://${id}`,
    'no id': 'showchain:?addr=192.0.2.1:1',
    'an id one character short': `showchain:${id.slice(1)}`,
    'an id with padding': `showchain:${id}=`,
    'two question marks': `showchain:${id}?addr=192.0.2.1:1?x`,
    'an address without a port': `showchain:${id}?addr=192.0.2.1`,
    'an address with port 0': `showchain:${id}?addr=192.0.2.1:0`,
    'IPv6 without brackets': `showchain:${id}?addr=2001:db8::1:5`,
    'an IPv6 zone': `showchain:${id}?addr=[fe80::1%25eth0]:5`,
    'an escape': `showchain:${id}?addr=192.0.2.1%3A5`,
    'an empty address': `showchain:${id}?addr=`,
    'a host name that resolvers read as a number': `showchain:${id}?addr=127.1:5`,
    'a host name that ends in a hexadecimal number': `showchain:${id}?addr=example.0x7f:5`,
    'a host name that ends in a dot': `showchain:${id}?addr=example.org.:5`,
    'a host name with an empty label': `showchain:${id}?addr=example..org:5`,
    'a label that begins with a hyphen': `showchain:${id}?addr=-example.org:5`,
    'a label that ends with a hyphen': `showchain:${id}?addr=example-.org:5`,
    'a label with an underscore': `showchain:${id}?addr=exa_mple.org:5`,
    'a label of 64 characters': `showchain:${id}?addr=${'a'.repeat(64)}.org:5`,
    'a host name of 254 characters': `showchain:${id}?addr=${LONGEST_NAME}a:5`,
    'a host name beyond ASCII': `showchain:${id}?addr=b\u00fccher.example:5`,
    'white space inside': `showchain:${id}? addr=192.0.2.1:5&addr=192.0.2.1: 5`,
    'an equals sign in a value': `showchain:${id}?addr=192.0.2.1:5=5`,
    'two ids of a relay': `showchain:${id}?relay=${relay.id}@${relay.id}@192.0.2.1:5`,
    'a relay without an id': `showchain:${id}?relay=192.0.2.1:5`,
    'a relay with a bad id': `showchain:${id}?relay=abc@192.0.2.1:5`,
    'a relay without an address': `showchain:${id}?relay=${relay.id}`,
    'nine addresses': `showchain:${id}?${'addr=192.0.2.1:5&'.repeat(9)}`,
    'nine relays': `showchain:${id}?${`relay=${relay.id}@192.0.2.1:5&`.repeat(9)}`,
    'a mailbox with a bad id': `showchain:${relay.id}?mailbox=${id}A`,
    'an empty permit': `showchain:${relay.id}?permit=`,
    'a permit with padding': `showchain:${relay.id}?permit=AQ==`,
    'two permits': `showchain:${relay.id}?permit=AQ&permit=AQ`,
    'a permit beside a relay': `showchain:${id}?relay=${relay.id}@192.0.2.1:5&permit=AQ`,
    'two mailboxes': `showchain:${relay.id}?mailbox=${id}&mailbox=${id}`,
    'a mailbox beside a relay': `showchain:${id}?relay=${relay.id}@192.0.2.1:5&mailbox=${relay.id}`,
    'a via of another kind': `showchain:${relay.id}?via=http:80`,
    'a via with leading zeros': `showchain:${relay.id}?via=ws:080`,
    'a via beyond the last port': `showchain:${relay.id}?via=ws:65536`,
    'two of one relay': `showchain:${id}?relay=${relay.id}@192.0.2.1:5&via=ws:1&via=ws:1`,
    'a via before the first relay': `showchain:${id}?via=ws:1&relay=${relay.id}@192.0.2.1:5`,
    'more than 4800 characters': `showchain:${id}?x=${'a'.repeat(4800)}`,
  }
  const refusedIds = {
    empty: '',
    'one character short': id.slice(1),
    'one character long': `${id}A`,
    padding: `${id}=`,
    'the alphabet of plain base64': `+/${id.slice(2)}`,
    'unused bits that are not zero': `${'A'.repeat(42)}B`,
    hex: Buffer.from(id, 'base64url').toString('hex'),
  }
  return {
    about: 'Texts: ids, endpoints, tickets. What is refused has its reason in words.',
    ids: [
      { bytes: '00'.repeat(32), text: 'A'.repeat(43) },
      { bytes: 'ff'.repeat(32), text: `${'_'.repeat(42)}8` },
      ...[requester, target, relay].map((identity) => ({
        bytes: Buffer.from(identity.id, 'base64url').toString('hex'),
        text: identity.id,
      })),
    ],
    refusedIds: refusedList(refusedIds),
    endpoints: ENDPOINTS,
    refusedEndpoints: refusedList(REFUSED_ENDPOINTS),
    tickets,
    refusedTickets: refusedList(refusedTickets),
  }
}

const ticket = (
  text: string,
  id: string,
  relays: TicketVector['relays'],
  addresses: TicketVector['addresses'],
  canonical: string = text,
): TicketVector => ({ text, id, relays, addresses, canonical })

import { createHash } from 'node:crypto'
import { openssl } from '@showchain/crypto'
import { type PeerId, peerIdToBytes } from '@showchain/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayOf, instanceOf } from '../../src/core/index.ts'
import { lanLinks } from '../../src/runtime/lan/lan-links.ts'
import { mdnsCodec } from '../../src/runtime/lan/mdns-codec.ts'

const ID = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' as PeerId
const INSTANCE = '0123456789abcdef'

/** As docs/protocol.md has them. */
const label = (text: string): readonly number[] => [text.length, ...Buffer.from(text)]
const SERVICE = [...label(INSTANCE), ...label('_showchain'), ...label('_udp'), ...label('local'), 0]
const TARGET = [...label(INSTANCE), ...label('local'), 0]
const QUERY = Uint8Array.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...SERVICE, 0, 33, 0, 1])
const TTL = [0, 0, 0, 120]
const FLUSH = [0x80, 1]
const ANSWER = Uint8Array.from([
  ...[0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 2],
  ...[...SERVICE, 0, 33, ...FLUSH, ...TTL, 0, 6 + TARGET.length, 0, 0, 0, 0, 0x0f, 0xa0, ...TARGET],
  ...[...TARGET, 0, 1, ...FLUSH, ...TTL, 0, 4, 192, 168, 1, 10],
  ...[...TARGET, 0, 28, ...FLUSH, ...TTL, 0, 16, 0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
])
const SAID = { instance: INSTANCE, port: 4000, ips: ['192.168.1.10', 'fd00:1::10'] }

test('the name of a day is 16 digits of a hash of the id and the day', () => {
  const day = dayOf(Date.UTC(2030, 0, 1))
  expect([day, dayOf(Date.UTC(2029, 11, 31, 23, 59, 59, 999))]).toEqual([21_915, 21_914])
  const hash = createHash('sha256')
    .update('lan')
    .update(peerIdToBytes(ID))
    .update(Buffer.from([0, 0, 0x55, 0x9b]))
  expect(instanceOf(openssl, ID, day)).toBe(hash.digest('hex').slice(0, 16))
})

describe('messages', () => {
  test('are what the protocol says, byte for byte', () => {
    expect(mdnsCodec.query(INSTANCE)).toEqual(QUERY)
    expect(mdnsCodec.answer(SAID)).toEqual(ANSWER)
    expect(mdnsCodec.read(QUERY)).toEqual({ asked: [INSTANCE], answers: [] })
    expect(mdnsCodec.read(ANSWER)).toEqual({ asked: [], answers: [SAID] })
  })

  test('are read in any case, and with names that are compressed', () => {
    const compressed = Uint8Array.from([
      ...[0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1],
      // "local" is at 12 + 17 + 11 + 5.
      ...[
        ...SERVICE,
        0,
        33,
        ...FLUSH,
        ...TTL,
        0,
        25,
        0,
        0,
        0,
        0,
        0x0f,
        0xa0,
        ...label(INSTANCE.toUpperCase()),
        0xc0,
        45,
      ],
      ...[...TARGET, 0, 1, ...FLUSH, ...TTL, 0, 4, 192, 168, 1, 10],
    ])
    expect(mdnsCodec.read(compressed)?.answers).toEqual([{ ...SAID, ips: ['192.168.1.10'] }])
  })

  test('of anything else say nothing', () => {
    const other = Uint8Array.from(QUERY)
    other[20] = 0x7a
    expect(mdnsCodec.read(other)).toEqual({ asked: [], answers: [] })
    const nameless = Uint8Array.from(ANSWER)
    nameless.set([0, 0], 12 + SERVICE.length + 14)
    expect(mdnsCodec.read(nameless)?.answers).toEqual([])
    // A pointer to itself.
    expect(mdnsCodec.read(Uint8Array.from([...QUERY.subarray(0, 12), 0xc0, 12, 0, 33, 0, 1]))).toBeUndefined()
    for (let length = 0; length < SERVICE.length + 40; length++)
      expect(mdnsCodec.read(ANSWER.subarray(0, length))?.answers ?? []).toEqual([])
  })

  test('of strangers throw nothing, and say no more than a message may', () => {
    const edits = fc.array(fc.tuple(fc.nat(ANSWER.length - 1), fc.nat(255)), { maxLength: 8 })
    fc.assert(
      fc.property(fc.constantFrom(QUERY, ANSWER), edits, (message, changes) => {
        const bytes = Uint8Array.from(message)
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        const read = mdnsCodec.read(bytes)
        for (const { instance, port, ips } of read?.answers ?? []) {
          expect(instance).toMatch(/^[0-9a-f]{16}$/)
          expect(port).toBeGreaterThan(0)
          expect(ips.length).toBeLessThanOrEqual(4)
        }
      }),
      { numRuns: 2000, seed: 1 },
    )
  })
})

test('links are interfaces of private networks, by family; not those of containers and tunnels', () => {
  const at = (cidr: string, internal = false, scopeid = 0) => ({
    ...{ address: cidr.split('/')[0] as string, cidr, internal, scopeid },
  })
  const local = (scope: number) => at(`fe80::${scope}/64`, false, scope)
  const links = lanLinks({
    lo: [at('127.0.0.1/8', true), at('::1/128', true)],
    wlan0: [at('169.254.3.4/16')],
    eth0: [at('192.168.1.10/24'), local(2), at('fd00:1::10/64'), at('2001:db8::1/64')],
    eth1: [at('81.2.3.4/24'), local(3)],
    eth2: [at('100.64.0.2/10'), local(4)],
    eth3: [at('10.0.0.1/31')],
    eth4: [at('fd00:2::1/64')],
    eth5: [local(5)],
    eth6: [local(6), at('2001:db8::1/64')],
    docker0: [at('172.17.0.1/16'), local(7)],
    'br-0a1b2c': [at('172.18.0.1/16')],
    tun0: [at('10.8.0.2/24'), local(8)],
    wg0: [at('10.9.0.2/24')],
    bad0: [{ address: '10.7.0.1', cidr: null, internal: false }],
  })
  expect(links).toEqual([
    { name: 'eth0', family: 4, scope: 0, subnets: [{ ip: '192.168.1.10', prefix: 24 }] },
    {
      ...{ name: 'eth0', family: 6, scope: 2 },
      subnets: [
        { ip: 'fe80::2', prefix: 64 },
        { ip: 'fd00:1::10', prefix: 64 },
      ],
    },
    { name: 'eth5', family: 6, scope: 5, subnets: [{ ip: 'fe80::5', prefix: 64 }] },
    { name: 'wlan0', family: 4, scope: 0, subnets: [{ ip: '169.254.3.4', prefix: 16 }] },
  ])
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  FLEET_HEADER_BYTES,
  FLEET_ITEM,
  FLEET_TAG_BYTES,
  type FleetHeader,
  type FleetItem,
  FleetWriter,
  fleetSigned,
  fleetTag,
  MAX_FLEET_MESSAGE,
  readFleetHeader,
  readFleetItems,
  sessionNode,
  writeSessionNode,
} from '../../src/fleet/index.ts'
import { MAX_KEY_BYTES, MAX_PROBED_DATAGRAM, type PeerId, peerIdFromBytes } from '../../src/index.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const PEER: PeerId = peerIdFromBytes(new Uint8Array(32).fill(0xa1))
const A1 = 'a1'.repeat(32)
const HEADER: FleetHeader = { to: 3, from: 0x0102, life: 0xdeadbeef, time: 0x0001_0203_0405_0607 }
const HEADER_BYTES = '01 0003 0102 deadbeef 0001020304050607'

function messageOf(items: readonly FleetItem[], header: FleetHeader = HEADER): Uint8Array {
  const writer = new FleetWriter()
  for (const item of items) if (!writer.add(item)) throw new Error('No room.')
  return writer.take(header)
}

/** What docs/fleet.md says of each kind, by hand. */
const GOLDEN: readonly (readonly [FleetItem, string])[] = [
  [{ kind: 'deliver', peer: PEER, datagram: Uint8Array.of(0xb3, 1, 2) }, `01 0023 ${A1} b30102`],
  [
    {
      ...{ kind: 'arrived', peer: PEER, from: { ip: '192.0.2.1', port: 4000 } },
      ...{ key: Uint8Array.of(9, 9), datagram: Uint8Array.of(0xb3) },
    },
    `02 002c ${A1} 04 c0000201 0fa0 0002 0909 b3`,
  ],
  [
    {
      ...{ kind: 'arrived', peer: PEER, from: { ip: '2001:db8::1', port: 1 } },
      ...{ key: new Uint8Array(0), datagram: Uint8Array.of(0xb1) },
    },
    `02 0036 ${A1} 06 20010db8000000000000000000000001 0001 0000 b1`,
  ],
  [{ kind: 'bound', peer: PEER, at: 0x19b_76da_a87b }, `03 0028 ${A1} 0000019b76daa87b`],
  [{ kind: 'gone', peer: PEER }, `04 0020 ${A1}`],
  [
    {
      ...{ kind: 'status', bindings: 7, sessions: 258, draining: true },
      addresses: [{ ip: '192.0.2.1', port: 3478 }],
    },
    '05 0011 00000007 00000102 01 01 04 c0000201 0d96',
  ],
  [
    { kind: 'handed', alone: true, from: { ip: '192.0.2.1', port: 4000 }, datagram: Uint8Array.of(0xb3, 1) },
    '06 000a 01 04 c0000201 0fa0 b301',
  ],
  [
    { kind: 'handed', alone: false, from: { ip: '192.0.2.1', port: 4000 }, datagram: Uint8Array.of(0xb3) },
    '06 0009 00 04 c0000201 0fa0 b3',
  ],
  [{ kind: 'share', peer: PEER, heard: false, wants: 0 }, `07 0025 ${A1} 00 00000000`],
  [{ kind: 'share', peer: PEER, heard: true, wants: 65_536 }, `07 0025 ${A1} 01 00010000`],
  [
    { kind: 'shared', peer: PEER, at: { ip: '192.0.2.1', port: 4000 }, lent: 4096 },
    `08 002b ${A1} 04 c0000201 0fa0 00001000`,
  ],
  [{ kind: 'shared', peer: PEER, at: undefined, lent: 0 }, `08 0020 ${A1}`],
  [{ kind: 'repaid', peer: PEER, bytes: 0xfffffffe }, `09 0024 ${A1} fffffffe`],
  [
    { kind: 'ban', who: '192.0.2.1', until: 0x19b_76da_a87c, at: 0x19b_76da_a87b },
    '0a 0019 0000019b76daa87b 0000019b76daa87c 3139322e302e322e31',
  ],
  [
    { kind: 'ban', who: '192.0.2.1', until: undefined, at: 0x19b_76da_a87b },
    '0a 0019 0000019b76daa87b 001fffffffffffff 3139322e302e322e31',
  ],
  [{ kind: 'bans', digest: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }, '0b 0008 0102030405060708'],
]

describe('a message between nodes', () => {
  test('has these bytes', () => {
    for (const [item, bytes] of GOLDEN)
      expect(hex(messageOf([item]))).toBe(`${HEADER_BYTES} ${bytes} ${'00'.repeat(16)}`.replaceAll(' ', ''))
    expect(hex(fleetSigned(messageOf([], { ...HEADER, to: 'all' })))).toBe('01ffff0102deadbeef0001020304050607')
  })

  test('says what was written', () => {
    const items = GOLDEN.map(([item]) => item)
    const message = messageOf(items)
    expect(readFleetHeader(message)).toEqual(HEADER)
    expect(readFleetItems(message)).toEqual(items)
    expect(readFleetHeader(messageOf([], { ...HEADER, to: 'all' }))?.to).toBe('all')
    expect(fleetTag(message)).toHaveLength(FLEET_TAG_BYTES)
  })

  test('has as many items as it has room for, and the next one begins anew', () => {
    const writer = new FleetWriter()
    const item: FleetItem = { kind: 'deliver', peer: PEER, datagram: new Uint8Array(MAX_PROBED_DATAGRAM).fill(7) }
    let added = 0
    while (writer.add(item)) added++
    const message = writer.take(HEADER)
    expect(added).toBeGreaterThan(20)
    expect(message.length).toBeLessThanOrEqual(MAX_FLEET_MESSAGE)
    expect(readFleetItems(message)).toHaveLength(added)
    expect(writer.isEmpty).toBe(true)
    expect(readFleetItems(writer.take(HEADER))).toEqual([])
  })

  test('of a kind that is not known yet loses only that item', () => {
    const [gone, later] = [GOLDEN[4]?.[1] ?? '', '7f 0002 0102']
    const message = fromHex(`${HEADER_BYTES} ${later} ${gone} ${later} ${'00'.repeat(16)}`)
    expect(readFleetItems(message)).toEqual([{ kind: 'gone', peer: PEER }])
  })
})

describe('what is no message', () => {
  test.each([
    ['too short', new Uint8Array(FLEET_HEADER_BYTES + FLEET_TAG_BYTES - 1).fill(1)],
    ['too long', new Uint8Array(MAX_FLEET_MESSAGE + 1).fill(1)],
    ['of another version', fromHex(`02 0003 0102 deadbeef 0001020304050607 ${'00'.repeat(16)}`)],
    ['by everybody', fromHex(`01 0003 ffff deadbeef 0001020304050607 ${'00'.repeat(16)}`)],
    ['of a time above 2^53 − 1', fromHex(`01 0003 0102 deadbeef 0021020304050607 ${'00'.repeat(16)}`)],
  ])('%s has no header', (_what, bytes) => {
    expect(readFleetHeader(bytes)).toBeUndefined()
  })

  test.each([
    ['an item that goes on behind the end', '04 0021'],
    ['half an item', '04 00'],
    ['a peer id that is cut', `04 001f ${'a1'.repeat(31)}`],
    ['something behind a peer id', `04 0021 ${A1} 00`],
    ['a datagram of no bytes', `01 0020 ${A1}`],
    ['a datagram that nobody forwards', `01 05cd ${A1} ${'00'.repeat(MAX_PROBED_DATAGRAM + 1)}`],
    ['port 0', `02 002b ${A1} 04 c0000201 0000 0002 0909 b3`],
    ['a family that is none', `02 002c ${A1} 05 c0000201 0fa0 0002 0909 b3`],
    ['a key that is cut', `02 002a ${A1} 04 c0000201 0fa0 0009 09`],
    [
      'a key that nobody has',
      `02 ${(44 + MAX_KEY_BYTES).toString(16).padStart(4, '0')} ${A1} 04 c0000201 0fa0 0259 ${'09'.repeat(MAX_KEY_BYTES + 1)} b3`,
    ],
    ['a time that is cut', `03 0027 ${A1} 0000019b76daa8`],
    ['a status that is cut', '05 0009 00000007 00000102 01'],
    ['fewer addresses than it says', '05 0011 00000007 00000102 01 02 04 c0000201 0d96'],
    ['a frame of no bytes that was handed', '06 0008 01 04 c0000201 0fa0'],
    ['a frame that was handed from nowhere', '06 0001 01'],
    ['a share that is cut', `07 0024 ${A1} 00 000100`],
    ['something behind a share', `07 0026 ${A1} 00 00010000 00`],
    ['an address without what is lent', `08 0027 ${A1} 04 c0000201 0fa0`],
    ['something behind what is lent', `08 002c ${A1} 04 c0000201 0fa0 00001000 00`],
    ['half an address', `08 0021 ${A1} 04`],
    ['a repayment that is cut', `09 0023 ${A1} 000001`],
    ['something behind a repayment', `09 0025 ${A1} 00000100 00`],
    ['a ban that is cut', '0a 000f 0000019b76daa87b 001fffffffffff'],
    ['a ban of nobody', '0a 0010 0000019b76daa87b 001fffffffffffff'],
    ['a ban of what is no text', '0a 0012 0000019b76daa87b 001fffffffffffff ff20'],
    ['a ban of who has a space', '0a 0013 0000019b76daa87b 001fffffffffffff 612062'],
    ['a ban of a name of 65 characters', `0a 0051 0000019b76daa87b 001fffffffffffff ${'61'.repeat(65)}`],
    ['a ban that ends after 2^53 − 1', '0a 0012 0000019b76daa87b 0020000000000000 6162'],
    ['a digest that is cut', '0b 0007 01020304050607'],
    ['more addresses than it says', '05 0011 00000007 00000102 01 00 04 c0000201 0d96'],
  ])('%s makes the message malformed', (_what, item) => {
    const message = fromHex(`${HEADER_BYTES} ${item} ${'00'.repeat(16)}`)
    expect(readFleetHeader(message)).toBeDefined()
    expect(readFleetItems(message)).toBeUndefined()
  })

  test('never makes the reader throw, and what it reads it would write', () => {
    const items = fc.array(fc.tuple(fc.integer({ min: 0, max: 11 }), fc.uint8Array({ maxLength: 60 })), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(items, fc.uint8Array({ maxLength: 3 }), (parts, rest) => {
        const bodies = parts.map(
          ([kind, body]) =>
            `${kind.toString(16).padStart(2, '0')}00${body.length.toString(16).padStart(2, '0')}${hex(body)}`,
        )
        const read = readFleetItems(fromHex(`${HEADER_BYTES}${bodies.join('')}${hex(rest)}${'00'.repeat(16)}`))
        if (read === undefined) return
        expect(readFleetItems(messageOf(read))).toEqual(read)
      }),
    )
  })

  test('with one bit changed is refused, or says something that it would write', () => {
    for (const [item] of GOLDEN) {
      const message = messageOf([item])
      for (let bit = 0; bit < message.length * 8; bit++) {
        const changed = message.slice()
        changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
        const items = readFleetHeader(changed) === undefined ? undefined : readFleetItems(changed)
        if (items !== undefined) expect(readFleetItems(messageOf(items))).toEqual(items)
      }
    }
  })
})

describe('the id of a session', () => {
  test('ends with the number of its node', () => {
    const id = new Uint8Array(16).fill(0xee)
    writeSessionNode(id, 0x0203)
    expect(hex(id)).toBe(`${'ee'.repeat(14)}0203`)
    expect(sessionNode(Uint8Array.of(0xb3, ...id), 1)).toBe(0x0203)
  })
})

test('every kind has a number of its own', () => {
  expect(new Set(Object.values(FLEET_ITEM)).size).toBe(Object.keys(FLEET_ITEM).length)
})

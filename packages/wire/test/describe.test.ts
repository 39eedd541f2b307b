import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describe as describeMessage, type Message, rowOf } from '../src/index.ts'
import { anyMessage } from './arbitraries.ts'
import { CHALLENGE, DIRECT_REQUEST, PUNCH_PASS_REQUEST, repeat } from './samples.ts'

describe('a message in one line', () => {
  test('has its name, op code and fields in the order of the row; ids are shortened, bytes counted', () => {
    expect(describeMessage(DIRECT_REQUEST)).toBe(
      'directRequest 0x101 id=ERERERER… target=IiIiIiIi… seq=7 ts=1763935769829 sign=256B',
    )
    expect(describeMessage(PUNCH_PASS_REQUEST)).toBe(
      'punchPassRequest 0x112 target=IiIiIiIi… id=ERERERER… seq=7 ts=1763935769829 ip=192.0.2.1 port=4000 session=MzMzMzMz… sign=256B',
    )
    expect(describeMessage(CHALLENGE)).toBe('challenge 0x1f1 cookie=ZmZmZmZm… ref_op=0x101 seq=7 ts=1763935769829')
  })

  test('shows every extension field', () => {
    const message: Message = {
      ...DIRECT_REQUEST,
      ext: {
        key: repeat(1, 294),
        cookie: repeat(1, 8),
        caps: 5,
        nat: { mapping: 1, filtering: 3 },
        local: [
          { ip: '192.0.2.1', port: 1 },
          { ip: '::1', port: 2 },
        ],
        kx: repeat(1, 32),
        hello: repeat(1, 42),
        token: repeat(1, 19),
        pad: 3,
        permit: repeat(1, 45),
        modulus: repeat(0x81, 256),
        unknown: [{ type: 200, value: repeat(1, 3) }],
      },
    }
    expect(describeMessage(message)).toContain(
      ' +key=294B +cookie=8B +caps=5 +nat=1/3 +local=192.0.2.1:1,[::1]:2 +kx=32B +hello=42B +token=19B +pad=3B +permit=45B +modulus=256B +ext200=3B',
    )
    const observed = { op_code: 0x102, ext: { observed: { ip: '::1', port: 2 } } } as unknown as Message
    expect(describeMessage(observed)).toContain(' +observed=[::1]:2')
  })

  test('of an unknown op code is the op code', () => {
    expect(describeMessage({ op_code: 0x7777 } as unknown as Message)).toBe('0x7777')
  })

  test('is one short line for any message', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const text = describeMessage(message)
        expect(text).toMatch(/^[ -~…]+$/)
        expect(text.startsWith(`${rowOf(message.op_code)?.name} `)).toBe(true)
      }),
    )
  })
})

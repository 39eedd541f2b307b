/** CPace: the draft's vectors, every flipped bit, and what ends with other passwords, channels and sessions get. */
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Cpace,
  type CpaceInputs,
  type CpaceKeys,
  type CpaceMessage,
  generatorOf,
  generatorString,
  lvCat,
  scalarMultVfy,
} from '../src/portable/cpace.ts'
import { fromHex, repeatable, toHex } from './fixtures.ts'

interface End {
  readonly scalar: string
  readonly associated: string
  readonly share: string
}
interface Vectors {
  readonly lvCat: readonly { readonly parts: readonly string[]; readonly result: string }[]
  readonly inputs: Readonly<Record<keyof CpaceInputs, string>>
  readonly generatorString: string
  readonly generator: string
  readonly initiator: End
  readonly responder: End
  readonly secret: string
  readonly isk: string
  readonly multiplied: { readonly scalar: string; readonly share: string; readonly result: string }
  readonly invalid: readonly string[]
}
const vectors = JSON.parse(readFileSync(new URL('cpace.json', import.meta.url), 'utf8')) as Vectors
const inputs: CpaceInputs = {
  password: fromHex(vectors.inputs.password),
  channel: fromHex(vectors.inputs.channel),
  session: fromHex(vectors.inputs.session),
}
const scalarOf = (hex: string): bigint => BigInt(`0x${Buffer.from(fromHex(hex)).reverse().toString('hex')}`)

/** An end whose scalar is known. */
const endOf = (role: 'initiator' | 'responder', given: CpaceInputs = inputs): Cpace =>
  new Cpace(role, given, fromHex(vectors[role].associated), { bytes: () => fromHex(vectors[role].scalar) })

/** What both ends get when the initiator's message, and the responder's, come as they are altered. */
function run(
  [a, b]: readonly [CpaceInputs, CpaceInputs],
  alterA: (message: CpaceMessage) => CpaceMessage = (message) => message,
  alterB = alterA,
): readonly [CpaceKeys | undefined, CpaceKeys | undefined] {
  const [initiator, responder] = [endOf('initiator', a), endOf('responder', b)]
  return [initiator.finish(alterB(responder.message)), responder.finish(alterA(initiator.message))]
}
const agree = ([a, b]: readonly [CpaceKeys | undefined, CpaceKeys | undefined]): boolean =>
  a !== undefined && b !== undefined && (a.confirms(b.confirmation) || b.confirms(a.confirmation))

const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

describe('the vectors of the draft', () => {
  test.each(vectors.lvCat)('lv_cat gives $result', ({ parts, result }) => {
    expect(toHex(lvCat(...parts.map(fromHex)))).toBe(result)
  })

  test('generator string and generator', () => {
    expect(toHex(generatorString(inputs))).toBe(vectors.generatorString)
    expect(toHex(generatorOf(inputs).toBytes())).toBe(vectors.generator)
  })

  test.each(['initiator', 'responder'] as const)('the share of the %s', (role) => {
    expect(toHex(endOf(role).message.share)).toBe(vectors[role].share)
  })

  test('the shared secret, from both ends', () => {
    const { initiator, responder, secret } = vectors
    for (const [one, other] of [
      [initiator, responder],
      [responder, initiator],
    ] as const)
      expect(toHex(scalarMultVfy(scalarOf(one.scalar), fromHex(other.share)) as Uint8Array)).toBe(secret)
  })

  test('the ISK, by what comes of it: keys by HKDF, and confirmations as section 10.4 suggests', () => {
    const isk = fromHex(vectors.isk)
    const mac = createHash('sha512').update('CPaceMac').update(inputs.session).update(isk).digest()
    const [initiator, responder] = run([inputs, inputs])
    for (const [keys, { share, associated }] of [
      [initiator, vectors.initiator],
      [responder, vectors.responder],
    ] as const) {
      expect(toHex(keys?.key('a purpose') as Uint8Array)).toBe(
        toHex(new Uint8Array(hkdfSync('sha512', isk, '', 'a purpose', 32))),
      )
      const sent = lvCat(fromHex(share), fromHex(associated))
      expect(toHex(keys?.confirmation as Uint8Array)).toBe(createHmac('sha512', mac).update(sent).digest('hex'))
    }
  })

  test('scalar_mult_vfy, and the shares that it refuses', () => {
    const { multiplied, invalid } = vectors
    const scalar = scalarOf(multiplied.scalar)
    expect(toHex(scalarMultVfy(scalar, fromHex(multiplied.share)) as Uint8Array)).toBe(multiplied.result)
    for (const share of invalid) expect(scalarMultVfy(scalar, fromHex(share))).toBeUndefined()
  })
})

describe('a run', () => {
  test('gives both ends the same keys, another one for each purpose', () => {
    const [a, b] = run([inputs, inputs])
    expect(a?.confirms(b?.confirmation as Uint8Array)).toBe(true)
    expect(b?.confirms(a?.confirmation as Uint8Array)).toBe(true)
    expect(a?.key('one')).toEqual(b?.key('one'))
    expect(a?.key('one')).not.toEqual(a?.key('other'))
  })

  test.each(['password', 'channel', 'session'] as const)('is confirmed by neither end with another %s', (name) => {
    const other = { ...inputs, [name]: Uint8Array.of(...inputs[name], 0) }
    const keys = run([inputs, other])
    expect(agree(keys)).toBe(false)
    expect(keys[0]?.key('a')).not.toEqual(keys[1]?.key('a'))
  })

  test('is over after a share that is no element of the group, or the neutral one', () => {
    for (const share of [...vectors.invalid.map(fromHex), new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)])
      for (const role of ['initiator', 'responder'] as const)
        expect(endOf(role).finish({ share, associated: Uint8Array.of(1) })).toBeUndefined()
  })

  test('is not confirmed when any bit of a message or a confirmation was flipped', () => {
    const { share, associated } = endOf('initiator').message
    for (let bit = 0; bit < share.length * 8; bit++)
      expect(
        agree(
          run(
            [inputs, inputs],
            (message) => ({ ...message, share: flipped(share, bit) }),
            (m) => m,
          ),
        ),
      ).toBe(false)
    for (let bit = 0; bit < associated.length * 8; bit++)
      expect(
        agree(
          run(
            [inputs, inputs],
            (message) => ({ ...message, associated: flipped(associated, bit) }),
            (m) => m,
          ),
        ),
      ).toBe(false)
    const [a, b] = run([inputs, inputs])
    const confirmation = b?.confirmation as Uint8Array
    for (let bit = 0; bit < confirmation.length * 8; bit++) expect(a?.confirms(flipped(confirmation, bit))).toBe(false)
  })

  test("is not confirmed by an end's own message and confirmation, sent back", () => {
    const initiator = endOf('initiator')
    const keys = initiator.finish(endOf('responder').message)
    expect(keys?.confirms(keys.confirmation)).toBe(false)
  })

  test('uses its scalar once', () => {
    const initiator = endOf('initiator')
    const { message } = endOf('responder')
    expect(initiator.finish(message)).toBeDefined()
    expect(initiator.finish(message)).toBeUndefined()
  })

  test('agrees for any password, channel and session, and any chance', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.nat(), (password, channel, session, seed) => {
        const random = repeatable(seed)
        const ends = (['initiator', 'responder'] as const).map(
          (role) => new Cpace(role, { password, channel, session }, Buffer.from(role), random),
        ) as [Cpace, Cpace]
        const [a, b] = [ends[0].finish(ends[1].message), ends[1].finish(ends[0].message)]
        expect(a?.confirms(b?.confirmation as Uint8Array)).toBe(true)
        expect(b?.confirms(a?.confirmation as Uint8Array)).toBe(true)
      }),
      { numRuns: 20, seed: 1 },
    )
  })
})

import { createHash, createPublicKey } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { conformanceChecks } from '../../src/conformance/checks.ts'
import { type Answer, serveConformance } from '../../src/conformance/lines.ts'
import type { Implementation } from '../../src/conformance/operations.ts'
import { ownImplementation } from '../../src/conformance/own.ts'
import {
  type ConformanceResult,
  conforms,
  ImplementationGone,
  runConformance,
  tally,
  UnsupportedOperation,
} from '../../src/conformance/run.ts'
import { type RefusedKeyVector, readVectors } from '../../src/vectors/files.ts'

const failures = async (implementation: Implementation): Promise<readonly ConformanceResult[]> =>
  (await runConformance(implementation)).filter((result) => result.outcome === 'failed')
const failedVectors = async (implementation: Implementation): Promise<readonly string[]> =>
  (await failures(implementation)).map(({ operation, vector }) => `${operation} ${vector}`)

describe('the conformance runner', () => {
  test('finds nothing wrong with our own implementation, and skips nothing', async () => {
    const results = await runConformance(ownImplementation)
    expect(results.filter((result) => result.outcome !== 'passed')).toEqual([])
    expect(results).toHaveLength([...conformanceChecks()].length)
    expect(new Set(results.map((result) => result.operation))).toEqual(new Set(Object.keys(ownImplementation)))
  })

  test('skips what an implementation does not do', async () => {
    const results = await runConformance({ peerId: ownImplementation.peerId })
    const { passed, failed, skipped } = tally(results)
    expect(passed).toBe(results.filter(({ operation }) => operation === 'peerId').length)
    expect(failed).toBe(0)
    expect(passed + failed + skipped).toBe(results.length)
    expect(conforms(results)).toBe(true)
    const unsupported: Implementation = {
      sign: () => {
        throw new UnsupportedOperation()
      },
    }
    expect(tally(await runConformance(unsupported))).toEqual({ passed: 0, failed: 0, skipped: results.length })
  })

  test('finds no conformance where nothing is supported', async () => {
    expect(conforms(await runConformance({}))).toBe(false)
  })

  test('asks nothing more of an implementation that is gone', async () => {
    let asked = 0
    const peerId = (): never => {
      asked++
      throw new ImplementationGone('It ended.')
    }
    expect(await runConformance({ peerId })).toMatchObject([
      { outcome: 'failed', got: 'ImplementationGone: It ended.' },
    ])
    expect(asked).toBe(1)
  })

  test('takes JSON whose members stand in another order and with other white space', async () => {
    const encode: Required<Implementation>['encode'] = (input) => {
      const hex = ownImplementation.encode(input) as string | null
      if (input.encoding === 'binary' || hex === null) return hex
      const members = Object.entries(JSON.parse(Buffer.from(hex, 'hex').toString()) as object)
      return Buffer.from(JSON.stringify(Object.fromEntries(members.reverse()), undefined, 1)).toString('hex')
    }
    expect(await failures({ encode })).toEqual([])
  })

  test('reports what was expected and what came', async () => {
    const [first] = await failures({ peerId: () => 'nonsense' })
    expect(first).toMatchObject({ operation: 'peerId', vector: 'requester-2048', got: '"nonsense"' })
    const [thrown] = await failures({
      peerId: () => {
        throw new Error('no such thing')
      },
    })
    expect(thrown).toMatchObject({ got: 'Error: no such thing' })
    const [nothing] = await failures({ peerId: () => undefined as unknown as string })
    expect(nothing).toMatchObject({ got: 'undefined' })
  })
})

describe('the conformance runner finds an implementation that', () => {
  const { decode, encode, preimage, verify, parseTicket } = ownImplementation
  type Input<Name extends keyof Implementation> = Parameters<Required<Implementation>[Name]>[0]
  const jsonOf = (datagram: string): string => Buffer.from(datagram, 'hex').toString()

  test('reads JSON with JSON.parse alone', async () => {
    const careless = (input: Input<'decode'>): ReturnType<typeof decode> => {
      if (!jsonOf(input.datagram).startsWith('{')) return decode(input)
      try {
        const again = Buffer.from(JSON.stringify(JSON.parse(jsonOf(input.datagram)))).toString('hex')
        return decode({ ...input, datagram: again })
      } catch {
        return null
      }
    }
    expect(await failedVectors({ decode: careless })).toEqual(
      expect.arrayContaining([
        'decode JSON: a name twice, equal values',
        'decode JSON: minus zero',
        'decode JSON: a number written 1.0',
        'decode JSON: a number written 1e3',
        'decode JSON: a byte that is not UTF-8',
      ]),
    )
  })

  test('ignores what stands behind a message', async () => {
    const lenient = (input: Input<'decode'>): ReturnType<typeof decode> => {
      for (let end = input.datagram.length; end >= input.datagram.length - 4 && end > 0; end -= 2) {
        const message = decode({ ...input, datagram: input.datagram.slice(0, end) })
        if (message !== null) return message
      }
      return null
    }
    expect(await failedVectors({ decode: lenient })).toContain('decode binary: one zero byte behind the message')
  })

  test('signs 0x112 under its own op code', async () => {
    const wrong = (input: Input<'preimage'>): ReturnType<typeof preimage> => {
      const hex = preimage(input) as string
      return input.message.op_code === 0x112 ? hex.replace('000111', '000112') : hex
    }
    // Its vectors have four forms, each with three sizes of key.
    expect(await failedVectors({ preimage: wrong })).toHaveLength(4 * 3)
  })

  test('accepts every signature', async () => {
    const found = await failedVectors({ verify: () => true })
    expect(found.length).toBeGreaterThan(0)
    expect(await failedVectors({ verify })).toEqual([])
  })

  test('refuses a 0x113 whose target is its signer', async () => {
    const strict = (input: Input<'decode'>): ReturnType<typeof decode> => {
      const message = decode(input) as Record<string, unknown> | null
      return message !== null && message.op_code === 0x113 && message.id === message.target ? null : decode(input)
    }
    expect(await failedVectors({ decode: strict })).toEqual(
      [2048, 3072, 4096].flatMap((bits) =>
        ['binary', 'JSON'].map((encoding) => `decode sameAddressResponse/${bits}/own-target, ${encoding}`),
      ),
    )
  })

  test.each([
    ['a key with exponent 3', 'exponent-3'],
    ['a key of 1024 bits', 'rsa-1024'],
    ['a key without parameters of its algorithm', 'another encoding: no parameters of the algorithm'],
    ['bytes behind a key', 'another encoding: a byte behind the key'],
    ['BER in place of DER', 'another encoding: a length in more bytes than it needs'],
  ])('takes %s', async (_what, name) => {
    const { keys } = readVectors('refused-keys.json')
    const taken = keys.find((key) => key.name === name) as RefusedKeyVector
    const { peerId } = ownImplementation
    const lenient: Implementation = {
      peerId: ({ key }) => (key === taken.spki ? String(taken.message?.id) : peerId({ key })),
      verify: (input) => input.key === taken.spki || verify(input),
    }
    expect(await failedVectors(lenient)).toEqual([`peerId ${name}`, `verify signed by ${name}`])
  })

  test('imports keys with OpenSSL and no policy of its own', async () => {
    const careless = ({ key }: Input<'peerId'>): string | null => {
      try {
        const spki = Buffer.from(key, 'hex')
        createPublicKey({ key: spki, format: 'der', type: 'spki' })
        return createHash('sha256').update(spki).digest('base64url')
      } catch {
        return null
      }
    }
    expect((await failedVectors({ peerId: careless })).length).toBeGreaterThan(12)
  })

  test('takes early what only a record may have', async () => {
    const { answerHello } = ownImplementation
    const { hellos } = readVectors('hello.json')
    const good = hellos.find(({ early }) => early === '')?.request as string
    const lenient: Implementation = {
      answerHello: async (input) => (await answerHello(input)) ?? answerHello({ ...input, hello: good }),
    }
    expect(await failedVectors(lenient)).toEqual(
      expect.arrayContaining(['answerHello another stream', 'answerHello PING before the frame']),
    )
  })

  test('sends what is too large', async () => {
    const unlimited = (input: Input<'encode'>): ReturnType<typeof encode> =>
      encode(input) ?? Buffer.from(JSON.stringify(input.message)).toString('hex')
    expect(await failedVectors({ encode: unlimited })).toContain('encode directRequest/4096/first-contact, json')
  })

  test('reads tickets in upper case', async () => {
    const lenient = ({ text }: Input<'parseTicket'>): ReturnType<typeof parseTicket> =>
      parseTicket({ text: text.replace(/^SHOWCHAIN/, 'showchain') })
    expect(await failedVectors({ parseTicket: lenient })).toEqual(['parseTicket a ticket: a scheme in upper case'])
  })
})

describe('the line protocol', () => {
  const ask = async (lines: readonly string[], implementation: Implementation): Promise<readonly Answer[]> => {
    const input = new PassThrough()
    const output = new PassThrough()
    input.end(lines.map((line) => `${line}\n`).join(''))
    await serveConformance(implementation, input, output)
    output.end()
    const text = (await output.toArray()).join('')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Answer)
  }

  test('answers each request in order under its number', async () => {
    const answers = await ask(
      [
        '{"id":1,"do":"parseEndpoint","with":{"text":"192.0.2.1:5"}}',
        '{"id":2,"do":"parseEndpoint","with":{"text":"nowhere"}}',
        '{"id":3,"do":"sign","with":{"message":{},"privateKey":"none"}}',
        '{"id":4,"do":"dance","with":{}}',
      ],
      ownImplementation,
    )
    expect(answers).toEqual([
      { id: 1, result: { ip: '192.0.2.1', port: 5 } },
      { id: 2, result: null },
      { id: 3, error: expect.any(String) },
      { id: 4, unsupported: true },
    ])
  })
})

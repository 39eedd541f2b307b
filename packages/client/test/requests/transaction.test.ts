/** docs/protocol.md, Retransmission and Addresses, from the side that asks. */
import { type MessageOf, OP, type Unsigned } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import type { Transaction } from '../../src/core/requests/transaction.ts'
import { ContextBed } from '../context-bed.ts'
import { OTHER, other, self } from '../peer-bed.ts'

type DirectRequest = MessageOf<typeof OP.directRequest>
type DirectResponse = MessageOf<typeof OP.directResponse>

/** A 0x101 to OTHER, and what became of it. */
class Asked {
  readonly bed: ContextBed
  readonly transaction: Transaction
  readonly answers: number[] = []
  readonly verified: number[] = []
  readonly failures: string[] = []

  constructor(options: ConstructorParameters<typeof ContextBed>[0] = {}, cookieBytes = 0) {
    this.bed = new ContextBed(options)
    this.transaction = this.bed.do(() =>
      this.bed.transactions.start({
        to: OTHER,
        request: (stamp, cookie) => ({
          op_code: OP.directRequest,
          id: self.id,
          target: other.id,
          ...stamp,
          ext: { caps: 4, ...(cookie === undefined ? {} : { cookie }), ...padding(cookieBytes) },
        }),
        answered: (message) => {
          this.answers.push(message.op_code)
          if (message.op_code !== OP.directResponse) return
          this.transaction.verify(other.publicKey, message, () => this.verified.push(message.op_code))
        },
        failed: (why) => this.failures.push(why),
      }),
    )
  }

  get request(): DirectRequest {
    const { message } = this.bed.sent.at(-1) ?? {}
    if (message?.op_code !== OP.directRequest) throw new Error('nothing was asked')
    return message
  }

  /** The 0x102 of the other end, to the request that was sent last. */
  response(change: Partial<DirectResponse> = {}): DirectResponse {
    const { seq, ts } = this.request
    return { ...other.signed({ op_code: OP.directResponse, id: other.id, seq, ts }), ...change }
  }

  challenge(cookie: number, { seq, ts } = this.request): boolean {
    const message = { op_code: OP.challenge, cookie: Uint8Array.of(cookie), ref_op: OP.directRequest, seq, ts } as const
    return this.bed.answer(OP.directRequest, message, OTHER)
  }
}

const padding = (bytes: number): Unsigned<DirectRequest>['ext'] =>
  bytes === 0 ? {} : { unknown: [{ type: 200, value: new Uint8Array(bytes) }] }

describe('a request', () => {
  test('is signed, and sent again as the same bytes after 0.5, 1, 2 and 4 s, each ±20 %', () => {
    const { bed, failures } = new Asked()
    bed.advance(30_000)
    const gaps = bed.sent.slice(1).map(({ at }, index) => at - (bed.sent[index]?.at ?? 0))
    for (const [index, expected] of [500, 1000, 2000, 4000].entries())
      expect(Math.abs((gaps[index] as number) / expected - 1)).toBeLessThanOrEqual(0.2)
    expect(gaps).toHaveLength(4)
    expect(new Set(bed.sent.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size).toBe(1)
    expect(failures).toEqual(['no answer'])
  })

  test('that could not be signed fails at once', () => {
    const asked = new Asked()
    asked.bed.sheds = true
    asked.challenge(1)
    expect(asked.failures).toEqual(['the request could not be signed'])
    asked.bed.advance(30_000)
    expect(asked.bed.sent).toHaveLength(1)
  })

  test('that does not fit a datagram fails at once', () => {
    const { bed, failures } = new Asked({}, 1000)
    expect([bed.sent, failures]).toEqual([[], ['the request does not fit a datagram in binary']])
  })
})

describe('an answer', () => {
  test('is taken from where the request went, and when it echoes its seq and ts', () => {
    const asked = new Asked()
    const { seq, ts } = asked.request
    expect(asked.bed.answer(OP.directRequest, asked.response(), { ...OTHER, port: 1 })).toBe(false)
    expect(asked.bed.answer(OP.directRequest, asked.response({ seq: seq + 1 }), OTHER)).toBe(false)
    expect(asked.bed.answer(OP.directRequest, asked.response({ ts: ts + 1 }), OTHER)).toBe(false)
    expect(asked.bed.answer(OP.punchRequest, asked.response(), OTHER)).toBe(false)
    expect(asked.answers).toEqual([])
    expect(asked.bed.answer(OP.directRequest, asked.response(), OTHER)).toBe(true)
    expect(asked.verified).toEqual([OP.directResponse])
  })

  test('counts only under a good signature', () => {
    const asked = new Asked()
    asked.bed.answer(OP.directRequest, asked.response({ sign: new Uint8Array(256) }), OTHER)
    expect([asked.answers.length, asked.verified]).toEqual([1, []])
  })

  test('that is forged costs a signature check eight times, and no more', () => {
    const asked = new Asked()
    for (let times = 0; times < 20; times++)
      asked.bed.answer(OP.directRequest, asked.response({ sign: new Uint8Array(256).fill(times) }), OTHER)
    expect(asked.bed.verified).toBe(8)
  })

  test('ends retransmission when it settles the request, and others may still come', () => {
    const asked = new Asked()
    asked.transaction.settle()
    asked.bed.advance(30_000)
    expect([asked.bed.sent.length, asked.failures]).toEqual([1, []])
    expect(asked.bed.answer(OP.directRequest, asked.response(), OTHER)).toBe(true)
  })

  test('to a request that was closed is none', () => {
    const asked = new Asked()
    const response = asked.response()
    asked.transaction.close()
    expect(asked.bed.answer(OP.directRequest, response, OTHER)).toBe(false)
    asked.bed.advance(30_000)
    expect([asked.bed.sent.length, asked.failures, asked.bed.idle]).toEqual([1, [], true])
  })
})

describe('a challenge', () => {
  test('makes the request anew, with the cookie and another seq, in place of the one before', () => {
    const asked = new Asked()
    const before = asked.request
    asked.challenge(7)
    const after = asked.request
    expect(after.ext).toEqual({ caps: 4, cookie: Uint8Array.of(7) })
    expect(after.seq).toBeGreaterThan(before.seq)
    expect(asked.transaction.stamp).toEqual({ seq: after.seq, ts: after.ts })
    expect(asked.challenge(8, before)).toBe(false)
  })

  test('is followed twice, and no more', () => {
    const asked = new Asked()
    for (const cookie of [1, 2, 3, 4]) asked.challenge(cookie)
    expect(asked.request.ext?.cookie).toEqual(Uint8Array.of(2))
    expect(asked.bed.sent).toHaveLength(3)
  })

  test('is not followed in seed mode, in which there are no cookies', () => {
    const asked = new Asked({ seedMode: true })
    asked.challenge(1)
    expect(asked.bed.sent).toHaveLength(1)
  })
})

test('when all are closed nothing fails, and nothing is left', () => {
  const asked = new Asked()
  asked.bed.transactions.close()
  asked.bed.advance(30_000)
  expect([asked.failures, asked.bed.sent.length, asked.bed.idle]).toEqual([[], 1, true])
})

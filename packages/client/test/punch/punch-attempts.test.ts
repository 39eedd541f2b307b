/** docs/protocol.md, Punch safety: the attempts of one peer together. */
import { type Endpoint, OP, type PeerId } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { ConnectionTable } from '../../src/core/connections/connection-table.ts'
import type { PunchAttempt } from '../../src/core/punch/punch-attempt.ts'
import { PunchAttempts } from '../../src/core/punch/punch-attempts.ts'
import { ConnectionGate } from '../../src/core/requests/connection-gate.ts'
import { ContextBed } from '../context-bed.ts'
import { OTHER, other, relay, type Signer } from '../peer-bed.ts'

const THIRD: Endpoint = { ip: '198.51.100.8', port: 5000 }

class Bed extends ContextBed {
  readonly attempts: PunchAttempts

  constructor() {
    super()
    const gate = new ConnectionGate(this.context, () => false)
    const connections = new ConnectionTable(this.context, this.transactions, gate, {
      punch: () => {},
      questions: () => ({ question: () => undefined, answered: () => {} }),
      closed: () => {},
    })
    this.attempts = new PunchAttempts(this.context, this.transactions, connections)
  }

  /** An attempt with this peer, whose address is probed. */
  open({ id, publicKey }: Signer, address: Endpoint): PunchAttempt {
    return this.do((now) => {
      const attempt = this.attempts.open(id, publicKey, 4, undefined, now)
      attempt.probe(address, now)
      return attempt
    })
  }

  /** Keep-alives to ports of this address that nobody announced. */
  guesses({ ip, port }: Endpoint): number {
    return this.sent.filter(({ to }) => to.ip === ip && to.port !== port).length
  }
}

describe('birthday probing', () => {
  test('begins two seconds after the first probes, and only where nothing was found', () => {
    const bed = new Bed()
    const attempt = bed.open(other, OTHER)
    bed.do(() => bed.attempts.birthday(attempt, 'many ports', OTHER))
    bed.advance(1999)
    expect(bed.guesses(OTHER)).toBe(0)
    bed.advance(1)
    expect(bed.guesses(OTHER)).toBe(1)
  })

  test('is of one attempt at a time: another one begins when that is over', () => {
    const bed = new Bed()
    const [first, second] = [bed.open(other, OTHER), bed.open(relay, THIRD)]
    bed.do(() => bed.attempts.birthday(first, 'many ports', OTHER))
    bed.do(() => bed.attempts.birthday(second, 'many ports', THIRD))
    bed.advance(10_000)
    expect([bed.guesses(OTHER) > 700, bed.guesses(THIRD)]).toEqual([true, 0])
    bed.advance(30_000)
    const later = bed.open(relay, THIRD)
    bed.do(() => bed.attempts.birthday(later, 'many ports', THIRD))
    bed.advance(10_000)
    expect(bed.guesses(THIRD)).toBeGreaterThan(700)
  })
})

describe('an attempt', () => {
  test('is one for each peer, while it runs', () => {
    const bed = new Bed()
    const attempt = bed.open(other, OTHER)
    expect(bed.open(other, OTHER)).toBe(attempt)
    expect(bed.open(relay, THIRD)).not.toBe(attempt)
    bed.advance(15_000)
    expect(bed.attempts.get(other.id)).toBeUndefined()
    expect(bed.open(other, OTHER)).not.toBe(attempt)
  })

  test('that a request of its peer has proved checks the path where that came from', () => {
    const bed = new Bed()
    bed.open(other, OTHER)
    bed.taken()
    bed.do((now) => bed.attempts.verified(other.id, THIRD, now))
    bed.do((now) => bed.attempts.verified(relay.id as PeerId, THIRD, now))
    expect(bed.taken().map(({ to, message }) => [to, message.op_code])).toEqual([[THIRD, OP.directRequest]])
  })

  test('finds a path by the token of its own question, and by no other', () => {
    const bed = new Bed()
    const attempt = bed.open(other, OTHER)
    const token = attempt.question(THIRD) as Uint8Array
    bed.do((now) => attempt.answered(new Uint8Array(token.length), false, now))
    const before = attempt.found
    bed.do((now) => attempt.answered(token, false, now))
    expect([before, attempt.found, attempt.question(THIRD)]).toEqual([false, true, undefined])
  })

  test('ends with its peer machine, and nothing is left', () => {
    const bed = new Bed()
    const attempt = bed.open(other, OTHER)
    bed.do(() => bed.attempts.birthday(attempt, 'many sockets', OTHER))
    bed.advance(2500)
    expect(bed.sockets.size).toBeGreaterThan(100)
    bed.do((now) => bed.attempts.close(now))
    bed.do(() => bed.transactions.close())
    bed.taken()
    bed.advance(60_000)
    expect([bed.taken(), bed.sockets.size, bed.idle]).toEqual([[], 0, true])
  })
})

/** A code from both ends: the right one, wrong ones, and what a mailbox can do that lies. */

import { parseTicket } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { encode, FIRST_BYTE, OfferRun, type RunEvent, TakeRun } from '../src/core/index.ts'
import { Bed, idOf, MAILBOX, optionsOf, repeatable, ticketOf } from './bed.ts'

const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

/** A START whose share is valid. */
function start(seed: number): Uint8Array {
  const run = new TakeRun(1, optionsOf('abandon-ability', 2, seed))
  const frames: Uint8Array[] = []
  for (let event = run.poll(); event !== undefined; event = run.poll())
    if (event.type === 'write') frames.push(event.bytes)
  return frames.at(-1) as Uint8Array
}

describe('two ends with the same code', () => {
  test("have each other's ticket", () => {
    const bed = new Bed()
    const offering = bed.offer()
    expect(offering.events).toEqual([{ type: 'slot', number: 1, seconds: 600 }])
    const taking = bed.take(1)
    expect(taking.events).toEqual([{ type: 'ticket', ticket: parseTicket(ticketOf(1)) }])
    expect(offering.last).toEqual({ type: 'ticket', ticket: parseTicket(ticketOf(2)) })
    expect(bed.machine.counters()).toMatchObject({ slotsGiven: 1, slotsTaken: 1, runsDone: 1, runsWrong: 0 })
    expect(bed.machine.stats()).toMatchObject({ clients: 0, slots: 0 })
  })

  test('and a ticket of the greatest length', () => {
    const host = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`
    const relay = `relay=${idOf(9)}@${host}:65535`
    const long = `showchain:${idOf(1)}?${`${relay}&`.repeat(8)}${`addr=${host}:65535&`.repeat(8)}`.slice(0, -1)
    const bed = new Bed()
    bed.enter(new OfferRun({ ...optionsOf('orbit-velvet', 1), ticket: () => long }))
    expect(bed.take(1).last).toEqual({ type: 'ticket', ticket: parseTicket(long) })
  })

  test('tell the mailbox neither the tickets nor the words', () => {
    const bed = new Bed()
    const [offering, taking] = [bed.offer(), bed.take(1)]
    const seen = Buffer.concat([offering.said, taking.said, offering.heard, taking.heard]).toString('latin1')
    expect(seen.length).toBeGreaterThan(300)
    for (const secret of ['orbit', 'velvet', 'showchain:', '192.0.2.1', idOf(1), idOf(2)])
      expect(seen).not.toContain(secret)
  })
})

describe('a wrong code', () => {
  test('is told to both ends, and neither has a ticket', () => {
    const bed = new Bed()
    const [offering, taking] = [bed.offer('orbit-velvet'), bed.take(1, 'orbit-vivid')]
    expect(offering.last).toEqual({ type: 'failed', why: 'wrong' })
    expect(taking.last).toEqual({ type: 'failed', why: 'wrong' })
    expect(bed.machine.counters()).toMatchObject({ runsDone: 0, runsWrong: 1 })
  })

  test('spends the slot: the right one comes too late', () => {
    const bed = new Bed()
    const offering = bed.offer()
    bed.take(1, 'orbit-vivid')
    expect(bed.take(1).last).toEqual({ type: 'failed', why: 'unknown' })
    expect(offering.events).toHaveLength(2)
  })

  test('with the number of another slot is one, though the words are right', () => {
    const bed = new Bed()
    const [first, second] = [bed.offer('orbit-velvet', 1), bed.offer('orbit-vivid', 3)]
    expect(bed.take(2, 'orbit-velvet').last).toEqual({ type: 'failed', why: 'wrong' })
    expect(second.last).toEqual({ type: 'failed', why: 'wrong' })
    expect(first.last).toEqual({ type: 'slot', number: 1, seconds: 600 })
  })
})

describe('a mailbox that lies', () => {
  /** What each end says in the end when the mailbox is not the one in between. */
  function between(
    offering: OfferRun,
    taking: TakeRun,
    alter: (to: 'offering' | 'taking', bytes: Uint8Array, count: number) => Uint8Array = (_to, bytes) => bytes,
    number = 1,
  ): readonly (RunEvent | undefined)[] {
    const last: Record<'offering' | 'taking', RunEvent | undefined> = { offering: undefined, taking: undefined }
    const count = { offering: 0, taking: 0 }
    const runs = { offering, taking }
    offering.receive(FIRST_BYTE)
    taking.receive(FIRST_BYTE)
    offering.receive(encode.slot(number, 600))
    for (let busy = true; busy; ) {
      busy = false
      for (const [from, to] of [
        ['offering', 'taking'],
        ['taking', 'offering'],
      ] as const)
        for (let event = runs[from].poll(); event !== undefined; event = runs[from].poll()) {
          busy = true
          if (event.type !== 'write') last[from] = event
          // START, REPLY, PROOF, DONE and WRONG go to the other end.
          else if ((event.bytes[0] as number) >= 0x21) runs[to].receive(alter(to, event.bytes, count[to]++))
        }
    }
    return [last.offering, last.taking]
  }
  const types = (events: readonly (RunEvent | undefined)[]): readonly unknown[] => events.map((event) => event?.type)
  const ends = (words = 'orbit-velvet'): readonly [OfferRun, TakeRun] => [
    new OfferRun(optionsOf('orbit-velvet', 1)),
    new TakeRun(1, optionsOf(words, 2)),
  ]

  /** One bit of a byte of START, REPLY, PROOF and DONE, type and length as well: of each byte, or of some. */
  function flipsOneBit(step: number): void {
    const header = 3
    const lengths = { start: 48, reply: 32, proof: 64 + ticketOf(2).length + 16, done: 64 + ticketOf(1).length + 16 }
    const cases = [
      ['offering', 0, lengths.start],
      ['taking', 0, lengths.reply],
      ['offering', 1, lengths.proof],
      ['taking', 1, lengths.done],
    ] as const
    for (const [to, which, length] of cases)
      for (let at = 0; at < header + length; at += step) {
        const alter = (at_: number) => (end: string, bytes: Uint8Array, count: number) =>
          end === to && count === which ? flipped(bytes, at_ * 8 + (at_ % 8)) : bytes
        const [offering, taking] = types(between(...ends(), alter(at)))
        expect([to, which, at, taking]).not.toEqual([to, which, at, 'ticket'])
        // DONE is the last: the offering end has the ticket already.
        if (!(to === 'taking' && which === 1)) expect([to, which, at, offering]).not.toEqual([to, which, at, 'ticket'])
      }
  }
  test('gives no end a ticket when it flips a bit of any seventh byte', () => flipsOneBit(7))
  test('gives no end a ticket when it flips a bit of any byte', { tags: ['long'] }, () => flipsOneBit(1))

  test('an end that seals a ticket under the right key, and shows another confirmation, is not believed', () => {
    // A tag of ChaCha20-Poly1305 fits many keys, so it alone would let one try stand for many guesses.
    const [firstBit, headerBytes] = [0, 3]
    const options = optionsOf('orbit-velvet', 2)
    const { crypto } = options
    const aead: typeof crypto.aead = (key) => {
      const own = crypto.aead(key)
      return {
        seal: (nonce, confirmation, ...rest) => own.seal(nonce, flipped(confirmation, firstBit), ...rest),
        open: (...sealed) => own.open(...sealed),
        openInPlace: (...sealed) => own.openInPlace(...sealed),
      }
    }
    const taking = new TakeRun(1, { ...options, crypto: { ...crypto, aead } })
    const ended = between(ends()[0], taking, (to, bytes, count) =>
      to === 'offering' && count === 1 ? flipped(bytes, headerBytes * 8 + firstBit) : bytes,
    )
    expect(ended[0]).toEqual({ type: 'failed', why: 'wrong' })
  })

  test('cannot bring ends of other slots or other mailboxes together', () => {
    expect(types(between(...ends()))).toEqual(['ticket', 'ticket'])
    expect(types(between(...ends(), undefined, 2))).toEqual(['failed', 'failed'])
    const elsewhere = new TakeRun(1, { ...optionsOf('orbit-velvet', 2), mailbox: idOf(0xcc) })
    expect(MAILBOX).not.toBe(idOf(0xcc))
    expect(types(between(ends()[0], elsewhere))).toEqual(['failed', 'failed'])
  })

  test("cannot send an end its own frames back, or another run's", () => {
    const earlier: Uint8Array[] = []
    between(...ends(), (to, bytes) => {
      if (to === 'taking') earlier.push(bytes)
      return bytes
    })
    const fresh = new TakeRun(1, { ...optionsOf('orbit-velvet', 2), random: repeatable(77) })
    const replayed = between(ends()[0], fresh, (to, bytes, count) =>
      to === 'taking' ? (earlier[count] ?? bytes) : bytes,
    )
    expect(types(replayed)[1]).toBe('failed')
    const offering = new OfferRun(optionsOf('orbit-velvet', 1))
    const own: RunEvent[] = []
    offering.receive(FIRST_BYTE)
    offering.receive(encode.slot(1, 600))
    offering.receive(encode.start(new Uint8Array(16), new Uint8Array(32).fill(0)))
    for (let event = offering.poll(); event !== undefined; event = offering.poll()) own.push(event)
    expect(own.at(-1)).toEqual({ type: 'failed', why: 'malformed' })
  })

  test('has one guess at each end, and learns whether it was right', () => {
    const guess = new TakeRun(1, optionsOf('abandon-ability', 3))
    expect(types(between(new OfferRun(optionsOf('orbit-velvet', 1)), guess))).toEqual(['failed', 'failed'])
  })

  test.each([
    ['a second slot', [encode.slot(1, 600), encode.slot(2, 600)]],
    ['a reply', [encode.slot(1, 600), encode.reply(new Uint8Array(32))]],
    ['a run before its slot', [encode.start(new Uint8Array(16), new Uint8Array(32))]],
    ['a proof before the run', [encode.slot(1, 600), encode.proof(new Uint8Array(64), new Uint8Array(20))]],
    ['a second start', [encode.slot(1, 600), start(2), start(3)]],
    ['what a client says', [encode.offer()]],
    ['another version', [Uint8Array.of(2)]],
  ])('is found out when it sends the offering end %s', (_what, frames) => {
    const offering = new OfferRun(optionsOf('orbit-velvet', 1))
    for (const bytes of frames[0]?.length === 1 ? frames : [FIRST_BYTE, ...frames]) offering.receive(bytes)
    const events: RunEvent[] = []
    for (let event = offering.poll(); event !== undefined; event = offering.poll()) events.push(event)
    expect(events.at(-1)).toEqual({ type: 'failed', why: 'malformed' })
  })

  test('that ends the stream leaves no end waiting', () => {
    const offering = new OfferRun(optionsOf('orbit-velvet', 1))
    offering.ended()
    const events: RunEvent[] = []
    for (let event = offering.poll(); event !== undefined; event = offering.poll()) events.push(event)
    expect(events.at(-1)).toEqual({ type: 'failed', why: 'gone' })
  })
})

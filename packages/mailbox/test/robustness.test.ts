/** Whatever comes, nothing throws, and nothing is kept of those who have gone. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encode, FIRST_BYTE, OfferRun, TakeRun } from '../src/core/index.ts'
import { Bed, optionsOf } from './bed.ts'

/** Frames as they should be, with any contents, and what is none. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constant(FIRST_BYTE),
  fc.constant(encode.offer()),
  fc.constant(encode.wrong()),
  fc.integer({ min: 0, max: 3 }).map((number) => encode.take(number)),
  fc.tuple(fc.nat(4), fc.nat(700)).map(([number, seconds]) => encode.slot(number, seconds)),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((share) => encode.reply(share)),
  fc.uint8Array({ minLength: 48, maxLength: 48 }).map((bytes) => encode.start(bytes.slice(0, 16), bytes.slice(16))),
  fc.uint8Array({ minLength: 65, maxLength: 200 }).map((bytes) => encode.proof(bytes.slice(0, 64), bytes.slice(64))),
)

test('a mailbox takes anything from its clients, in any order', () => {
  const step = fc.record({ client: fc.nat(5), bytes: piece, leaves: fc.boolean(), waits: fc.nat(20_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const bed = new Bed()
      for (let count = 0; count < 6; count++) bed.enter(undefined, `source ${count % 2}`)
      for (const { client: at, bytes, leaves, waits } of steps) {
        const client = bed.clients[at]
        if (client === undefined) continue
        if (leaves && waits % 7 === 0) bed.leave(client)
        else bed.send(client, bytes)
        bed.wait(waits)
      }
      for (const client of bed.clients) bed.leave(client)
      expect(bed.machine.stats()).toMatchObject({ clients: 0, slots: 0 })
      expect(bed.machine.deadline).toBeUndefined()
    }),
    { numRuns: 300, seed: 1 },
  )
})

test('an end takes anything from a mailbox, and has no ticket of it', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      for (const run of [new OfferRun(optionsOf('orbit-velvet', 1)), new TakeRun(1, optionsOf('orbit-velvet', 2))]) {
        run.receive(FIRST_BYTE)
        for (const bytes of pieces) run.receive(bytes)
        run.ended()
        const types: string[] = []
        for (let event = run.poll(); event !== undefined; event = run.poll()) types.push(event.type)
        expect(types).not.toContain('ticket')
        expect(types.filter((type) => type === 'failed')).toHaveLength(1)
      }
    }),
    { numRuns: 60, seed: 1 },
  )
})

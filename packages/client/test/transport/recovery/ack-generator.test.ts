/** RFC 9000 §13.2: what is acknowledged, and when. */
import { FrameWriter, readFrames } from '@showchain/wire/end-to-end'
import { expect, test } from 'vitest'
import { type Instant, instant } from '../../../src/core/index.ts'
import { ACK_DELAY, ACK_EVERY, RECEIVED_RANGES } from '../../../src/core/transport/limits.ts'
import { AckGenerator } from '../../../src/core/transport/recovery/ack-generator.ts'
import type { Acks } from '../../../src/core/transport/recovery/path-traits.ts'

const START: Instant = instant(1000)

function received(acks: Acks, ...numbers: readonly number[]): AckGenerator {
  const generator = new AckGenerator(acks)
  for (const number of numbers) generator.received(number, 'ack-eliciting', START)
  return generator
}

/** The ranges and the delay of the ACK frame that it writes. */
function written(generator: AckGenerator, now: Instant = START): { ranges: readonly number[]; delay: number } {
  const buffer = new Uint8Array(1000)
  const writer = new FrameWriter()
  writer.reset(buffer, buffer.length)
  generator.write(writer, now)
  const ignored = (): boolean => true
  let found = { ranges: [] as readonly number[], delay: -1 }
  readFrames(buffer.subarray(0, writer.length), {
    ack: (ranges, delay) => {
      found = { ranges: [...ranges], delay }
      return true
    },
    ...{ stream: ignored, resetStream: ignored, stopSending: ignored, maxData: ignored, maxStreamData: ignored },
    ...{
      maxStreams: ignored,
      pathChallenge: ignored,
      pathResponse: ignored,
      datagram: ignored,
      close: ignored,
      staticKey: ignored,
    },
  })
  return found
}

test('the first record of all is acknowledged a millisecond later, whatever its number, but where each costs a signature', () => {
  expect([received('prompt', 0).due, received('prompt', 3).due]).toEqual([START + 1, START + 1])
  expect(received('prompt', 0, 1, 2).due).toBe(START + 1)
  expect(received('gathered', 0).due).toBe(START + ACK_DELAY.gathered)
})

test('later, the first record in order is acknowledged after the delay, the second one a millisecond later', () => {
  const generator = received('prompt', 0)
  written(generator)
  generator.received(1, 'ack-eliciting', START)
  expect(generator.due).toBe(START + ACK_DELAY.prompt)
  generator.received(2, 'ack-eliciting', START)
  expect(generator.due).toBe(START + 1)
})

test('a gap, and a record that fills one, are acknowledged at once', () => {
  expect(received('prompt', 0, 2).due).toBe(START)
  const filled = received('prompt', 0, 2)
  written(filled)
  filled.received(1, 'ack-eliciting', START)
  expect(filled.due).toBe(START)
})

test('32 records are acknowledged at once, on a path that gathers acknowledgements too', () => {
  const numbers = Array.from({ length: ACK_EVERY }, (_, number) => number)
  expect(received('gathered', ...numbers).due).toBe(START)
  expect(received('gathered', ...numbers.slice(1)).due).toBe(START + ACK_DELAY.gathered)
})

test('records that elicit no acknowledgement are reported with the next one only', () => {
  const generator = received('prompt')
  generator.received(0, 'non-eliciting', START)
  expect([generator.due, generator.pending]).toEqual([undefined, false])
  generator.received(1, 'ack-eliciting', START)
  expect(written(generator).ranges).toEqual([0, 1])
})

test('probes of paths ask for nothing, and leave the first record after them the first', () => {
  const generator = received('prompt')
  generator.received(0, 'probing', START)
  expect([generator.due, generator.pending]).toEqual([undefined, false])
  generator.received(1, 'ack-eliciting', START)
  expect(generator.due).toBe(received('prompt', 0).due)
  generator.received(2, 'probing', START)
  expect(written(generator).ranges).toEqual([0, 2])
})

test('an ACK frame has the newest ranges first, and how long the newest record waited', () => {
  const generator = received('prompt', 0, 1, 5, 3)
  expect(written(generator, instant(START + 8))).toEqual({ ranges: [5, 5, 3, 3, 0, 1], delay: 8 })
  expect([generator.due, generator.pending]).toEqual([undefined, false])
})

test('numbers of an acknowledged ACK frame are not reported again, save the newest one', () => {
  const generator = received('prompt', 0, 2, 4)
  written(generator)
  generator.forget(3)
  generator.received(5, 'ack-eliciting', START)
  expect(written(generator).ranges).toEqual([4, 5])
  generator.forget(6)
  generator.received(9, 'ack-eliciting', START)
  expect(written(generator).ranges).toEqual([9, 9, 5, 5])
})

test('only the newest ranges are kept', () => {
  const generator = received('prompt', ...Array.from({ length: 100 }, (_, index) => 2 * index))
  expect(written(generator).ranges).toHaveLength(2 * RECEIVED_RANGES)
})

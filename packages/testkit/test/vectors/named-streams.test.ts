/** The vectors of named streams, read by the implementation, and each bit of the names flipped. */
import { isProtocolName } from '@showchain/wire/end-to-end'
import { expect, test } from 'vitest'
import { endToEndImplementation as ours } from '../../src/conformance/end-to-end.ts'
import { flipped } from '../../src/vectors/end-to-end/ends.ts'
import { readVectors } from '../../src/vectors/files.ts'

const { ids, beginnings, refused } = readVectors('named-streams.json')

test.each(ids)('$id is of the $opener, named: $named', ({ id, ...place }) => {
  expect(ours.readStreamId({ id })).toEqual(place)
})

test.each(beginnings)('$name reads and writes so', ({ bytes, protocol, data }) => {
  expect(ours.readStreamName({ bytes })).toEqual({ protocol, data })
  expect(ours.writeStreamName({ protocol })).toBe(bytes.slice(0, bytes.length - data.length))
})

test.each(beginnings)('$name with any bit flipped is another name or none', async ({ bytes, protocol, data }) => {
  for (let bit = 0; bit < (1 + protocol.length) * 8; bit++) {
    const read = await ours.readStreamName({ bytes: flipped(bytes, bit) })
    expect(read, `bit ${bit}`).not.toEqual({ protocol, data })
    if (read !== null) expect(isProtocolName(read.protocol), `bit ${bit}`).toBe(true)
  }
})

test.each(refused)('$name: it is refused', ({ bytes }) => {
  expect(ours.readStreamName({ bytes })).toBeNull()
})

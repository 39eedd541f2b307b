import { expect, test } from 'vitest'
import { ConnectionIds } from '../../src/core/secure/connection-ids.ts'

/** Gives these bytes, one id after the other. */
const giving = (...ids: readonly (readonly number[])[]) => {
  const next = ids.values()
  return { bytes: () => Uint8Array.from(next.next().value ?? []), uint32: () => 0, uniform: () => 0 }
}
const ID = [1, 2, 3, 4, 5, 6, 7, 8] as const
/** A record begins with its type. */
const recordOf = (id: readonly number[]): Uint8Array => Uint8Array.of(0xb2, ...id, 0, 0, 0)

test('a record finds its connection by all eight bytes of the id', () => {
  const ids = new ConnectionIds<string>(giving(ID))
  ids.allocate('a connection')
  expect(ids.find(recordOf(ID))).toBe('a connection')
  for (let bit = 0; bit < 64; bit++) {
    const changed = ID.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    expect(ids.find(recordOf(changed)), `bit ${bit}`).toBeUndefined()
  }
})

test('no id begins like another one or like the zeros of a handshake, and a forgotten one finds nothing', () => {
  const alike = [...ID.slice(0, 4), 9, 9, 9, 9]
  const last = [8, 7, 6, 5, 4, 3, 2, 1]
  const ids = new ConnectionIds<string>(giving(ID, alike, [0, 0, 0, 0, 1, 1, 1, 1], last))
  const first = ids.allocate('first')
  expect([...ids.allocate('second')]).toEqual(last)
  ids.forget(first)
  expect([ids.find(recordOf(ID)), ids.find(recordOf(last))]).toEqual([undefined, 'second'])
})

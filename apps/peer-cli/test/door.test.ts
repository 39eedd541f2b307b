/** Who may connect to an end that waits. */
import { type PeerId, peerIdFromBytes } from '@showchain/wire'
import { expect, test } from 'vitest'
import { UnreachableError } from '../src/failures.ts'
import { Door } from '../src/meeting.ts'

const [ALICE, BOB] = [1, 2].map((byte) => peerIdFromBytes(new Uint8Array(32).fill(byte))) as [PeerId, PeerId]
const lets = (door: Door): readonly unknown[] => [ALICE, BOB].map((id) => door.accept({ id, via: 'relay' }))

test('lets in nobody before a ticket or a code is out', () => {
  expect(lets(new Door({}))).toEqual([false, false])
})

test('lets in everyone with a ticket, or those that --allow names', () => {
  const [open, allowing] = [new Door({}), new Door({ allow: [BOB] })]
  open.openToAll()
  allowing.openToAll()
  expect([lets(open), lets(allowing)]).toEqual([
    [true, true],
    [false, true],
  ])
})

test('lets in the one who used the code alone', () => {
  const door = new Door({})
  door.openTo(ALICE)
  expect(lets(door)).toEqual([true, false])
})

test('that --allow keeps for others says so to the one who used the code', () => {
  const door = new Door({ allow: [BOB] })
  expect(() => door.openTo(ALICE)).toThrow(UnreachableError)
  expect(lets(door)).toEqual([false, false])
})

/** For how long a peer knows where another was, and what that costs its store. */
import { parsePeerId } from '@showchain/wire'
import { expect, test } from 'vitest'
import { socketOnLink } from '../../src/core/endpoint/route.ts'
import { Acquaintances, AcquaintancesInMemory, ADDRESS_LIFETIME } from '../../src/core/secure/acquaintances.ts'
import { other } from '../peer-bed.ts'

const ID = parsePeerId(other.id)
const HOME = { ip: '93.4.0.1', port: 4400 }

function bed() {
  const clock = { now: 1_800_000_000_000 }
  const kept = new AcquaintancesInMemory()
  let written = 0
  const store = {
    get: (id: typeof ID) => kept.get(id),
    set: (...entry: Parameters<typeof kept.set>) => {
      written++
      kept.set(...entry)
    },
  }
  return { clock, acquaintances: new Acquaintances(store, () => clock.now), written: () => written }
}

test('an address is known for a day', () => {
  const { clock, acquaintances } = bed()
  expect(acquaintances.address(ID)).toBeUndefined()
  acquaintances.keepAddress(ID, HOME)
  clock.now += ADDRESS_LIFETIME - 1
  expect(acquaintances.address(ID)).toEqual(HOME)
  clock.now += 1
  expect(acquaintances.address(ID)).toBeUndefined()
})

test('an address of one link is not kept: another network may have it later', () => {
  const { acquaintances } = bed()
  acquaintances.keepAddress(ID, { ip: 'fe80::1', port: 4400, socket: socketOnLink(2) })
  expect(acquaintances.address(ID)).toBeUndefined()
})

test('the newest address counts, and a token or key beside it stays', () => {
  const { acquaintances } = bed()
  acquaintances.keepToken(ID, Uint8Array.of(1))
  acquaintances.keepAddress(ID, HOME)
  acquaintances.keepAddress(ID, { ...HOME, port: 4401 })
  expect(acquaintances.address(ID)).toEqual({ ...HOME, port: 4401 })
  expect(acquaintances.token(ID)).toEqual(Uint8Array.of(1))
})

test('the store is written when the address is another one, or half of its time is over', () => {
  const { clock, acquaintances, written } = bed()
  for (let each = 0; each < 10; each++) acquaintances.keepAddress(ID, HOME)
  expect(written()).toBe(1)
  clock.now += ADDRESS_LIFETIME / 2 + 1
  acquaintances.keepAddress(ID, HOME)
  expect(written()).toBe(2)
  clock.now += ADDRESS_LIFETIME - 1
  expect(acquaintances.address(ID)).toEqual(HOME)
})

/** Who may connect, by --allow. That the peer asks it is tried by programs, in the demo's tests. */
import { expect, test } from 'vitest'
import { acceptOf } from '../src/contacts.ts'

const ID = 'A'.repeat(43)

test('is everybody unless somebody is named', () => expect(acceptOf({})).toBe('everyone'))

test('is only who is named', () => expect(acceptOf({ allow: [ID] })).toEqual([ID]))

test('is nobody whose id is none', () =>
  expect(() => acceptOf({ allow: [ID, 'somebody'] })).toThrow(expect.objectContaining({ code: 'ERR_USAGE' })))

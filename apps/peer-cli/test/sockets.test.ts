/** The program on the other kind of sockets: all other tests use the default, batched where it works. */
import { testAgain } from '@showchain-tooling/vitest/again'
import { expect, test } from 'vitest'

test('every test passes with sockets of node:dgram, too', { tags: ['long'] }, async () => {
  const { code, output } = await testAgain({ SHOWCHAIN_UDP: 'dgram' })
  expect(code, output).toBe(0)
})

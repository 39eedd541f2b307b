import { Counters } from '@showchain/client/core'
import { expect, test } from 'vitest'

test('counters start at 0, count by name and are read as a copy', () => {
  const counters = new Counters({ sent: 'datagrams that went out', lost: 'datagrams that did not arrive' })
  const { count } = counters
  const before = counters.snapshot()
  count('sent')
  count('sent')
  expect(before).toEqual({ sent: 0, lost: 0 })
  expect(counters.snapshot()).toEqual({ sent: 2, lost: 0 })
  expect(counters.get('sent')).toBe(2)
})

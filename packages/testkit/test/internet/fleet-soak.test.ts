import { expect, test } from 'vitest'
import { fleetSoak } from '../../src/index.ts'

test('every pair of a fleet is introduced, whatever dies and splits, and nothing is kept', { tags: ['long'] }, () => {
  const outcome = fleetSoak(1, { nodes: 6, peers: 300, introductions: 400 })
  expect(outcome.introduced).toBe(1)
  expect(outcome.deaths).toBeGreaterThan(3)
  expect(outcome.splits).toBeGreaterThan(0)
  expect(outcome.left).toBe(0)
})

test('an introduction takes two messages on the bus, whatever the number of peers', { tags: ['long'] }, () => {
  for (const peers of [50, 400]) {
    const outcome = fleetSoak(2, { nodes: 4, peers, introductions: 300, faults: false })
    expect(outcome.atOnce).toBe(1)
    expect(outcome.published).toBeLessThanOrEqual(2)
    expect(outcome.received).toBeLessThanOrEqual(4)
  }
})

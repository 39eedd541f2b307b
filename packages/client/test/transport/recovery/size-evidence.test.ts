/** When losses are for the size of a record. */
import { expect, test } from 'vitest'
import { SizeEvidence } from '../../../src/core/transport/recovery/size-evidence.ts'

const SIZES = [1200, 1232, 1352, 1452] as const

/** What became of records, in order: `+` acknowledged, `-` lost, with their size class. */
function judged(what: string, evidence = new SizeEvidence(1200, [1452, 1352, 1232])): boolean {
  let number = 0
  for (const each of what.split(' ').filter((word) => word !== '')) {
    const bytes = SIZES[Number(each[1])] as number
    if (each[0] === '+') evidence.acked(number, bytes)
    else evidence.lost(number, bytes)
    number++
  }
  return evidence.narrower
}

test.each([
  ['three large ones lost, and a small one between them acknowledged', '+3 -3 +0 -3 -3', true],
  ['the same of the sizes between', '+2 -1 +0 -2 -3', true],
  ['one large one that was acknowledged ends the row', '+3 -3 +0 -3 +3 -3', false],
  ['a middle one was acknowledged: only the largest do not pass', `${'+3 '.repeat(20)}-3 +2 -3 -3`, true],
  ['a larger one was acknowledged', '+3 -2 +0 -2 +3 -2', false],
  ['nothing smaller was acknowledged since', '+0 +3 -3 -3 -3 -3 -3 -3', false],
  ['only small ones are lost', '+3 -0 -0 -0 -0 -0 +3', false],
  ['small ones are lost as often: a longer row is needed', '+0 -0 +0 -0 +0 -3 +0 -3 -3', false],
  ['and then that one tells', '+0 -0 +0 -0 +0 -3 +0 -3 -3 -3 -3 -3 -3 -3 -3 -3 -3', true],
] as const)('%s', (_name, what, narrower) => {
  expect(judged(what)).toBe(narrower)
})

test('an acknowledgement of what left before the first loss says nothing', () => {
  const evidence = new SizeEvidence(1200, [1452])
  for (const number of [10, 12, 13]) evidence.lost(number, 1452)
  evidence.acked(9, 1200)
  expect(evidence.narrower).toBe(false)
  evidence.acked(8, 1452)
  evidence.acked(11, 1200)
  expect(evidence.narrower).toBe(true)
  evidence.acked(14, 1452)
  expect(evidence.narrower).toBe(false)
})

test.each([
  [0, 0],
  [0.005, 0],
  [0.05, 1],
  [0.1, 1],
  [0.2, 2],
  [0.3, 3],
  [0.9, 6],
])('at a loss of %d, %d probes in a row are lost by chance', (loss, probes) => {
  const evidence = new SizeEvidence(1200, [1452])
  for (let number = 0; number < 200; number++) {
    if (number < loss * 200) evidence.lost(number, 1200)
    else evidence.acked(number, 1200)
  }
  expect(evidence.probesLostByChance).toBe(probes)
})

test('a loss rate of long ago is forgotten', () => {
  const evidence = new SizeEvidence(1200, [1452])
  for (let number = 0; number < 100; number++) evidence.lost(number, 1200)
  for (let number = 100; number < 3000; number++) evidence.acked(number, 1200)
  expect(evidence.probesLostByChance).toBe(0)
})

test('a path with one size is never narrower', () => {
  const evidence = new SizeEvidence(1200, [])
  for (let number = 0; number < 50; number++) evidence.lost(number, 1200)
  evidence.acked(50, 1200)
  expect([evidence.narrower, evidence.probesLostByChance > 0]).toEqual([false, true])
})

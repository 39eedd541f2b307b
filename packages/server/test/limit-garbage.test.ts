/** How much garbage lies in a process that is a relay. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Replaces the entries of a large table in turn, each when it is old. Prints the most that was in use. */
const PROGRAM = `
  import { limitGarbage } from '@showchain/server/runtime'
  if (process.argv.at(-1) === 'limited') limitGarbage()
  const ENTRIES = 300_000
  const table = new Array(ENTRIES).fill(null)
  let most = 0
  for (let count = 0; count < 10 * ENTRIES; count++) {
    table[(count * 7919) % ENTRIES] = { count, list: [count] }
    if (count % 10_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed)
  }
  console.log(most)
`

/** With a collector that is no other thread, which is the same in each run. @returns bytes */
function mostInUse(how: 'limited' | 'free'): number {
  const run = spawnSync(process.execPath, ['--single-threaded-gc', '--input-type=module', '-e', PROGRAM, how], {
    encoding: 'utf8',
    cwd: new URL('..', import.meta.url),
    timeout: 60_000,
  })
  expect(run.stderr).toBe('')
  return Number(run.stdout)
}

test('a process whose garbage is limited has less in use at most', () => {
  expect(mostInUse('limited')).toBeLessThan(0.85 * mostInUse('free'))
})

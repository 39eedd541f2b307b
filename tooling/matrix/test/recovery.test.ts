import { fileURLToPath } from 'node:url'
import { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { meetsGoal, type RecoveryRow } from '../src/measure-recovery.ts'

describe('a row of the recovery table meets its goal', () => {
  const row: RecoveryRow = {
    ...{ fault: 'sleeps 30 s', pair: 'T3–T3', traffic: 'stream', idle: false, goal: 1000 },
    ...{ runs: 3, survived: 3, median: 100, worst: 1000 },
  }
  test.each([
    ['the worst case is in time', {}, true],
    ['one was late', { worst: 1001 }, false],
    ['one connection ended', { survived: 2 }, false],
  ])('%s', (_what, changes, good) => {
    expect(meetsGoal({ ...row, ...changes })).toBe(good)
  })
})

const program = fileURLToPath(new URL('../dist/recovery.js', import.meta.url))

describe('pnpm recovery', () => {
  test('prints a line of JSON for each kind of traffic, busy and idle', async () => {
    const { stdout } = await new Program(program, ['--json', '--seeds', '1', '--only', 'path blocked']).ended()
    const rows = stdout.split('\n').map((line) => JSON.parse(line))
    expect(rows.map(({ event, traffic, idle }) => [event, traffic, idle])).toEqual([
      ['recovery', 'datagrams', false],
      ['recovery', 'datagrams', true],
      ['recovery', 'stream', false],
      ['recovery', 'stream', true],
    ])
  })

  test.each([
    ['--seeds', 'none'],
    ['--only', 'earthquake'],
  ])('says what is wrong with %s %s', async (...args) => {
    const { code, stderr } = await new Program(program, args).ended()
    expect(code).not.toBe(0)
    expect(stderr).toContain(args[0])
  })
})

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { explain } from '../src/explain.ts'
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

test('a recording is explained from the fault on', () => {
  const at = (time: number, name: string, data: object): string => `\x1e${JSON.stringify({ time, name, data })}\n`
  const metrics = 'recovery:metrics_updated'
  const recording = [
    '\x1e{"qlog_version":"0.3"}\n',
    at(50, metrics, { pto_count: 3 }),
    at(100, 'showchain:path_updated', { new: { kind: 'direct' } }),
    at(1100, metrics, { pto_count: 1 }),
    at(1200, 'transport:packet_received', {}),
    at(1300, metrics, { pto_count: 2 }),
    at(1500, 'transport:packet_received', {}),
    at(1550, 'showchain:path_updated', { old: { kind: 'direct' }, new: { kind: 'direct' } }),
    at(1600, 'showchain:path_updated', { old: { kind: 'direct' }, new: { kind: 'relay' } }),
    at(20_000, 'showchain:path_updated', { new: { kind: 'direct' } }),
  ]
  const found = explain({ silence: 0, survived: true, recording, struck: 1000, whole: 1250 })
  expect(found).toEqual({ whole: 250, late: 100, doubted: 300, heard: 500, moved: 600, to: 'relay' })
})

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

  test('--explain prints the table of docs/architecture.md', async () => {
    const { stdout } = await new Program(program, ['--explain']).ended()
    const docs = readFileSync(new URL('../../../docs/architecture.md', import.meta.url), 'utf8')
    expect(docs).toContain(`\n${stdout.trim()}\n`)
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

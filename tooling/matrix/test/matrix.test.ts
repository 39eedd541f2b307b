import { fileURLToPath } from 'node:url'
import { MAPPED_PAIRINGS, NAT_PAIRINGS, PAIRINGS } from '@showchain/testkit'
import { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { isGood, type Row } from '../src/measure.ts'

describe('a row of the matrix is good', () => {
  const row: Row = {
    ...{
      requester: 'T1',
      target: 'T2',
      mapped: undefined,
      best: 'direct',
      lossPercent: 0,
      plaintext: false,
      runs: 100,
      connected: 100,
      direct: 100,
      ipv6: 0,
    },
    ...{
      connectTrips: undefined,
      firstByteTrips: undefined,
      directTrips: undefined,
      directMs: undefined,
      packets: undefined,
    },
  }
  test.each([
    ['all connected, all direct', {}, true],
    ['one not connected', { connected: 99 }, false],
    ['one not direct', { direct: 99 }, false],
    ['one of a hundred birthdays missed', { best: 'birthday', direct: 99 }, true],
    ['two of a hundred birthdays missed', { best: 'birthday', direct: 98 }, false],
    ['on the relay, where there is nothing else', { best: 'relay', direct: 0 }, true],
    ['direct, where physics does not allow it', { best: 'relay', direct: 1 }, false],
  ] as const)('%s', (_what, changes, good) => {
    expect(isGood({ ...row, ...changes })).toBe(good)
  })
})

const program = (name: string): string => fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url))

describe('pnpm matrix', () => {
  test('prints a line of JSON for each protected pair and each plaintext pair of NAT types, and ends with 0', async () => {
    const { code, stdout } = await new Program(program('main'), ['--json', '--seeds', '1']).ended()
    const rows = stdout.split('\n').map((line) => JSON.parse(line))
    expect(rows.filter(({ plaintext }) => !plaintext)).toHaveLength(PAIRINGS.length)
    expect(rows.filter(({ plaintext }) => plaintext)).toHaveLength(NAT_PAIRINGS.length)
    expect(rows.every(({ event, ok }) => event === 'matrix' && ok)).toBe(true)
    expect(rows.filter(({ mapped }) => mapped !== undefined)).toHaveLength(MAPPED_PAIRINGS.length)
    expect(code).toBe(0)
  })

  test('prints a table for people', { tags: ['long'] }, async () => {
    const { code, stdout } = await new Program(program('main'), ['--seeds', '1', '--loss', '0,5']).ended()
    const rows = stdout.split('\n').filter((line) => line.endsWith('ok │'))
    expect(rows.filter((line) => line.includes('protected'))).toHaveLength(2 * PAIRINGS.length)
    expect(rows.filter((line) => line.includes('plaintext'))).toHaveLength(NAT_PAIRINGS.length)
    expect(code).toBe(0)
  })

  test.each([
    ['--seeds', 'none'],
    ['--loss', '200'],
    ['--colour', 'red'],
  ])('says what is wrong with %s %s', async (...args) => {
    const { code, stderr } = await new Program(program('main'), args).ended()
    expect(code).not.toBe(0)
    expect(stderr).toContain(args[0])
  })
})

test('pnpm soak plays scenarios on several threads, and ends with 0 when all passed', { tags: ['long'] }, async () => {
  const { code, stdout } = await new Program(program('soak'), [
    '--scenarios',
    '12',
    '--from',
    '100',
    '--jobs',
    '2',
  ]).ended()
  expect(stdout).toMatch(/^12 scenarios from seed 100 on$/m)
  expect(stdout).toMatch(/^12 scenarios in /m)
  expect(stdout).toMatch(/^All passed\.$/m)
  expect(code).toBe(0)
})

test('pnpm soak:streams says how much went through what', async () => {
  const { code, stdout } = await new Program(program('stream-soak'), ['--bytes', '2000000', '--seed', 'few']).ended()
  expect(stdout).toMatch(/^2,000,000 bytes on 1 streams in .* 0 bytes lost, doubled, out of place or altered\.$/m)
  expect(code).toBe(0)
})

test('pnpm soak:fleet introduces every pair, and keeps nothing', { tags: ['long'] }, async () => {
  const small = ['--nodes', '3', '--peers', '40', '--introductions', '40', '--seed', '5']
  const { code, stdout } = await new Program(program('fleet-soak'), small).ended()
  expect(JSON.parse(stdout.split('\n').at(-1) ?? '')).toMatchObject({ introduced: 1, left: 0 })
  expect(code).toBe(0)
})

test('pnpm goodput prints a line of JSON for each line', { tags: ['long'] }, async () => {
  const { code, stdout } = await new Program(program('goodput'), ['--json', '--seconds', '0.1']).ended()
  const rows = stdout.split('\n').map((line) => JSON.parse(line))
  expect(rows.length).toBeGreaterThan(5)
  for (const { cubic, bbr } of rows) expect([cubic, bbr].every(Number.isFinite)).toBe(true)
  expect(code).toBe(0)
})

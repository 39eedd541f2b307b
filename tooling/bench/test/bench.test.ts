/**
 * The benchmark as a program: every suite once, as short as can be. What it measures is nobody's
 * business here.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FigureTable } from '../src/figures.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const bench = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'showchain-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('pnpm bench', () => {
  /** Plays suites, and checks that all that was measured is shown and written. */
  async function measures(suites: readonly string[], filters: readonly string[]): Promise<void> {
    const file = join(folder, 'figures.json')
    const { code, stdout, stderr } = await bench('--quick', '--json', file, ...filters)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { machine, tables } = JSON.parse(await readFile(file, 'utf8')) as {
      readonly machine: { readonly node: string }
      readonly tables: readonly (FigureTable & { readonly suite: string })[]
    }
    expect(machine.node).toBe(process.versions.node)
    expect(new Set(tables.map(({ suite }) => suite))).toEqual(new Set(suites))
    for (const { title, rows } of tables) {
      expect(stdout).toContain(title)
      for (const { name } of rows) expect(stdout).toContain(name)
    }
  }

  test('measures what it is asked for and writes what it shows', () => {
    const suites = ['codec', 'packets', 'internet']
    return measures(suites, suites)
  })

  test('measures everything', { tags: ['long'] }, () =>
    measures(
      [
        'codec',
        'signatures',
        'registrations',
        'packets',
        'frames',
        'fleet',
        'streams',
        'connect',
        'memory',
        'growth',
        'latency',
        'internet',
        'siege',
        'hostile',
        'tunnels',
      ],
      [],
    ),
  )

  test('a filter leaves out the other suites', async () => {
    const { code, stdout } = await bench('--quick', 'cod')
    expect(code).toBe(0)
    expect(stdout).toContain('Codec')
    expect(stdout).not.toContain('Signatures')
  })

  test.each([
    ['a suite that there is not', ['frobnicate'], 'bench: there is no suite "frobnicate".'],
    ['an option that there is not', ['--frobnicate'], "bench: Unknown option '--frobnicate'"],
    ['compare without a base', ['compare'], 'bench: compare needs --base.'],
    ['a base without compare', ['--base', 'HEAD'], 'bench: --base and --rounds are options of compare.'],
    ['a number of rounds that is none', ['compare', '--base', 'HEAD', '--rounds', '0'], 'bench: --rounds is a whole'],
    ['a siege that never ends', ['siege', '--seconds', '0'], 'bench: --seconds is a whole number from 1 to 600.'],
    ['a file that cannot be written', ['--json', '/'], 'bench: cannot write / (EISDIR).'],
  ])('%s gets one clear line, the usage, and exit code 2', async (_what, args, line) => {
    const { code, stderr } = await bench(...args)
    expect(code).toBe(2)
    expect(stderr.split('\n')[0]).toContain(line)
    expect(stderr).toContain('Usage: pnpm bench')
  })

  test('--help tells what there is', async () => {
    const { code, stdout } = await bench('--help')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Usage: pnpm bench/)
  })
})

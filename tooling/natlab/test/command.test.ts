/** `pnpm natlab` as a program. */
import { watch } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { needs } from '@showchain-tooling/vitest/needs'
import { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { missing, run } from '../src/machine.ts'
import { SCENARIOS } from '../src/scenarios/index.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
/** Where `ip netns` has a file for each namespace. */
const NAMESPACES = '/run/netns'
const MINUTES = 60_000

function natlab(...args: readonly string[]): Program {
  const program = new Program(MAIN, args)
  onTestFinished(() => program.kill())
  return program
}

test('--list prints every scenario', async () => {
  const { code, stdout } = await natlab('--list').ended()
  expect(code).toBe(0)
  expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(SCENARIOS.map(({ name }) => name))
})

test('an unknown scenario gives exit code 2 and one line', async () => {
  expect(await natlab('t5').ended()).toEqual({
    code: 2,
    stdout: '',
    stderr: 'natlab: there is no scenario "t5"; --list names them.',
  })
})

test('a missing requirement gives exit code 2 and one line', async () => {
  const program = new Program(MAIN, [], { PATH: '/nowhere' })
  const { code, stderr } = await program.ended()
  expect(code).toBe(2)
  expect(stderr).toMatch(/^natlab: the NAT lab needs (Linux|root|Debian's .*coturn.*)[^\n]*\.$/)
})

const namespaces = (lab: string): readonly string[] =>
  run('ip', ['netns', 'list'])
    .split('\n')
    .filter((line) => line.startsWith(`${lab}-`))

/** Resolves when the last namespace of a lab was removed. */
async function gone(lab: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(NAMESPACES, () => look())
    const look = (): void => {
      if (namespaces(lab).length > 0) return
      watcher.close()
      resolve()
    }
    look()
  })
}

const labOf = async (program: Program): Promise<string> =>
  /sclab-[0-9a-f]+/.exec(await program.stdout.line(/sclab-/))?.[0] as string

describe('a lab', needs(missing() === undefined, missing() ?? ''), () => {
  test('that is killed leaves no namespace behind', { timeout: MINUTES }, async () => {
    const program = natlab('t4-t4')
    const lab = await labOf(program)
    expect(namespaces(lab).length).toBeGreaterThan(0)
    program.child.kill('SIGKILL')
    await program.ended()
    await gone(lab)
    expect(namespaces(lab)).toEqual([])
  })

  test('runs beside another one', { tags: ['long'] }, async () => {
    const programs = [natlab('t2-t2'), natlab('t2-t2')]
    const labs = await Promise.all(programs.map(labOf))
    expect(new Set(labs).size).toBe(2)
    for (const { code, stdout } of await Promise.all(programs.map((program) => program.ended()))) {
      expect(code, stdout).toBe(0)
      expect(stdout).toMatch(/^ok {3}T2 → T2: direct, as simulated/m)
    }
    for (const lab of labs) expect(namespaces(lab)).toEqual([])
  })
})

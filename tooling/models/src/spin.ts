/** Spin (Debian's package `spin`): makes a verifier of a model, compiles it, and runs it. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Guard, type Model, switchOf } from './model.ts'

const run = promisify(execFile)
const PROMELA = fileURLToPath(new URL('../promela/', import.meta.url))
/** What a search that takes longer than this is: too large. In ms. */
const DEADLINE = 60_000
/** Steps of the longest run that are searched. */
const DEPTH = 100_000
/** Spin says so when a search did not see everything. */
const INCOMPLETE = /max search depth too small|Search not completed|out of memory/
/** Printed by a replay: by `holds` in properties.pml. */
const BROKEN = /^ *broken: (\w+)$/m
/** Steps that a search never took: a step that prints a failure is meant to be one. */
const UNREACHED = /^\t(\w+\.pml:\d+, state \d+, (?!"-end-"|"printf\('broken: ).*)$/gm
/** A line of a replay that the model printed: who, and what it does. */
const STORY = /^ +(\w+: .*)$/gm

export interface Verdict {
  /** Name of the property that does not hold; undefined when all do, in every state. */
  readonly broken: string | undefined
  /** Without an error every state that there is. */
  readonly states: number
  /** Steps of the model that no run takes: without an error there must be none. */
  readonly unreached: readonly string[]
  /** The run to the error, one line a step; empty without one. */
  readonly story: readonly string[]
  /** Of spin, compiler and search together. */
  readonly seconds: number
}

const onPath = (tool: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool)))

/** Why models cannot be checked here; undefined when they can. */
export function missing(): string | undefined {
  if (!onPath('spin')) return 'no spin (apt-get install spin)'
  return onPath('cc') ? undefined : 'no C compiler (apt-get install build-essential)'
}

/** Searches all states of a model. @param without a guard that is taken out. @throws when the search is incomplete. */
export async function check(model: Model, without?: Guard): Promise<Verdict> {
  const started = performance.now()
  const folder = await mkdtemp(join(tmpdir(), 'showchain-model-'))
  const here = { cwd: folder, timeout: DEADLINE, maxBuffer: Number.POSITIVE_INFINITY }
  const file = `${model.name}.pml`
  const switches = without === undefined ? [] : [`-D${switchOf(without)}`]
  // The shortest run to an error is found breadth first, and soon. Where there is none, depth first takes less memory.
  const how = without === undefined ? ['-O1'] : ['-O0', '-DBFS']
  try {
    await cp(PROMELA, folder, { recursive: true })
    await run('spin', [...switches, '-a', file], here)
    await run('cc', [...how, '-w', '-DSAFETY', '-DNOREDUCE', '-o', 'pan', 'pan.c'], here)
    const { stdout } = await run('./pan', [`-m${DEPTH}`], here)
    const failed = existsSync(join(folder, `${file}.trail`))
    if (!failed && INCOMPLETE.test(stdout)) throw new Error(`${model.name}: the search is incomplete:\n${stdout}`)
    const replay = failed ? (await run('spin', [...switches, '-t', file], here)).stdout : ''
    return {
      broken: failed ? (BROKEN.exec(replay)?.[1] ?? 'no end') : undefined,
      states: Number(/(\d+) states, stored/.exec(stdout)?.[1]),
      unreached: [...stdout.matchAll(UNREACHED)].map((match) => match[1] as string),
      story: [...replay.matchAll(STORY)].map((match) => match[1] as string),
      seconds: (performance.now() - started) / 1000,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Text of a model. */
export const sourceOf = (model: Model): Promise<string> => readFile(join(PROMELA, `${model.name}.pml`), 'utf8')

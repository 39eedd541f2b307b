/** Plays mutants, several at a time, each in a copy of the tree that nobody else uses meanwhile. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Mutant, staleness, testFolderOf } from './mutant.ts'
import { runTests, type TestRun } from './run-tests.ts'
import { copyTree, removeTree } from './tree.ts'

/** For one test file, in ms: the slowest takes a tenth of this. */
const DEADLINE = 120_000

/**
 * What became of a mutant:
 * - `killed`: its test failed, or never ended where that is what the mutant says
 * - `survived`: its test passed
 * - `hung`: its test never ended, though it should have failed
 * - `broken`: its test could not run, so nothing is known
 * - `stale`: it fits the tree no more
 */
export type Outcome = 'killed' | 'survived' | 'hung' | 'broken' | 'stale'

export interface Result {
  readonly mutant: Mutant
  readonly outcome: Outcome
  /** The test that failed, or what is wrong. */
  readonly why: string
  readonly ms: number
}

export interface RunOptions {
  /** Of the repository. */
  readonly root: string
  readonly mutants: readonly Mutant[]
  /** Mutants at a time. */
  readonly jobs: number
  /** For the test of a mutant, in ms. @default 120 s */
  readonly deadline?: number
  readonly signal: AbortSignal
  /** Each result as it comes. */
  readonly report: (result: Result) => void
}

/**
 * Results in the order of `mutants`. Their tests run once without any mutant before.
 * @throws Error when a test fails without a mutant, and when `signal` is aborted
 */
export async function runMutants(options: RunOptions): Promise<readonly Result[]> {
  const { root, mutants, jobs, report } = options
  const results = new Array<Result>(mutants.length)
  const note = (index: number, result: Result): void => {
    results[index] = result
    report(result)
  }
  const fresh: (readonly [index: number, mutant: Mutant])[] = []
  for (const [index, mutant] of mutants.entries()) {
    const why = staleness(root, mutant)
    if (why === undefined) fresh.push([index, mutant])
    else note(index, { mutant, outcome: 'stale', why, ms: 0 })
  }
  if (fresh.length === 0) return results
  // All of one state: the working tree may change meanwhile.
  const trees = Array.from({ length: Math.min(jobs, fresh.length) }, () => copyTree(root))
  try {
    const baselines = baselinesOf(fresh.map(([, mutant]) => mutant))
    await inTrees(trees, baselines, (tree, each) => passWithoutMutant(tree, each, options))
    await inTrees(trees, fresh, async (tree, [index, mutant]) => note(index, await play(tree, mutant, options)))
  } finally {
    for (const tree of trees) removeTree(tree)
  }
  return results
}

/** Calls `work` for each item, in as many trees at a time as there are. */
async function inTrees<Item>(
  trees: readonly string[],
  items: readonly Item[],
  work: (tree: string, item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const ends = await Promise.allSettled(
    trees.map(async (tree) => {
      for (const item of queue) await work(tree, item)
    }),
  )
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

interface Baseline {
  readonly folder: string
  readonly tests: readonly string[]
}

/** The test files of each package, each once. */
function baselinesOf(mutants: readonly Mutant[]): readonly Baseline[] {
  const byFolder = new Map<string, Set<string>>()
  for (const mutant of mutants) {
    const folder = testFolderOf(mutant)
    byFolder.set(folder, (byFolder.get(folder) ?? new Set()).add(mutant.test))
  }
  return [...byFolder].map(([folder, tests]) => ({ folder, tests: [...tests] }))
}

async function passWithoutMutant(tree: string, baseline: Baseline, options: RunOptions): Promise<void> {
  const { folder, tests } = baseline
  const deadline = DEADLINE * tests.length
  const run = await runTests({ folder: join(tree, folder), tests, deadline, signal: options.signal })
  if (run.outcome !== 'passed') throw new Error(`The tests of ${folder} do not pass without a mutant: ${whyOf(run)}`)
}

async function play(tree: string, mutant: Mutant, options: RunOptions): Promise<Result> {
  const { folder, file, text, replacement, test } = mutant
  const path = join(tree, folder, file)
  const source = readFileSync(path, 'utf8')
  const started = performance.now()
  writeFileSync(
    path,
    source.replace(text, () => replacement),
  )
  try {
    const deadline = options.deadline ?? DEADLINE
    const tested = join(tree, testFolderOf(mutant))
    const run = await runTests({ folder: tested, tests: [test], deadline, signal: options.signal })
    return { mutant, outcome: judge(mutant, run), why: whyOf(run), ms: Math.round(performance.now() - started) }
  } finally {
    writeFileSync(path, source)
  }
}

function judge({ hangs }: Mutant, { outcome }: TestRun): Outcome {
  if (outcome === 'broken') return 'broken'
  if (outcome === 'hung') return hangs === true ? 'killed' : 'hung'
  return outcome === 'failed' && hangs !== true ? 'killed' : 'survived'
}

function whyOf(run: TestRun): string {
  switch (run.outcome) {
    case 'passed':
      return 'all tests passed'
    case 'failed':
      return run.failed
    case 'broken':
      return 'the tests could not run'
    case 'hung':
      return 'the tests did not end'
  }
}

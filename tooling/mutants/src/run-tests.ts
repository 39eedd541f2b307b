/**
 * Test files of one package in a process group of its own, until they end or their time is over.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

/** A test that waits for something that never comes fails after this, in ms. */
const TEST_TIMEOUT = 20_000
/** Where the vitest configuration that all packages share leaves its JSON report. */
const REPORT = '.cache/report/vitest.json'

export type TestRun =
  | { readonly outcome: 'passed' }
  /** @param failed name of the first test that failed */
  | { readonly outcome: 'failed'; readonly failed: string }
  /** Nothing was tested: a file could not be loaded, or the run failed outside any test. */
  | { readonly outcome: 'broken' }
  /** It did not end by its deadline. */
  | { readonly outcome: 'hung' }

/** What is read of vitest's JSON report. */
interface Report {
  readonly success: boolean
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

export interface TestFiles {
  /** The package's folder. */
  readonly folder: string
  /** From there. */
  readonly tests: readonly string[]
  /** In ms. */
  readonly deadline: number
  readonly signal: AbortSignal
}

/** Ends everything that it started. @throws when `signal` is aborted. */
export async function runTests({ folder, tests, deadline, signal }: TestFiles): Promise<TestRun> {
  signal.throwIfAborted()
  const report = join(folder, REPORT)
  rmSync(report, { force: true })
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', '--bail=1', `--testTimeout=${TEST_TIMEOUT}`, ...tests], {
    cwd: folder,
    stdio: 'ignore',
    detached: true, // leads a group: a worker that loops for ever does not end with its parent
  })
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // the group has ended
    }
  }
  let hung = false
  const timer = setTimeout(() => {
    hung = true
    kill()
  }, deadline)
  signal.addEventListener('abort', kill)
  try {
    await new Promise<void>((resolve, reject) => child.on('error', reject).on('close', () => resolve()))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
    kill()
  }
  signal.throwIfAborted()
  return hung ? { outcome: 'hung' } : read(report)
}

function read(path: string): TestRun {
  if (!existsSync(path)) return { outcome: 'broken' }
  const { success, testResults } = JSON.parse(readFileSync(path, 'utf8')) as Report
  const all = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failed = all.find(({ status }) => status === 'failed')
  if (failed !== undefined) return { outcome: 'failed', failed: failed.fullName }
  return { outcome: success && all.some(({ status }) => status === 'passed') ? 'passed' : 'broken' }
}

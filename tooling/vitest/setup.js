// Before each test file: properties take the seed of all tests, and so many runs where they name no number of their own.
import fc from 'fast-check'
import { TestRunner } from 'vitest'
import { runs, SEED } from './random.js'

const DEFAULT_RUNS = 100 // fast-check's own

fc.configureGlobal({ seed: SEED, numRuns: runs(DEFAULT_RUNS), reporter })

/** fast-check's own way to fail; beside it the test's report says how many inputs were tried, for `pnpm fuzz` to add up. */
function reporter(details) {
  const { meta } = TestRunner.getCurrentTest() ?? { meta: {} }
  meta.inputs = (meta.inputs ?? 0) + details.numRuns
  if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance })
}

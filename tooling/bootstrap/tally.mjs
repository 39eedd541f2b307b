// Adds up the vitest reports of one turbo run. A task that is no vitest run (a build, a type check, lint) is not
// counted when it passes, and is one failure when it fails.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { showSkipped, skippedFor } from '@showchain-tooling/vitest/tests'
import { readJson, root } from './workspace.mjs'

const REPORT = '.cache/report/vitest.json'
const OUTSIDE = 'an error outside any test (see above)'

// A test that is a run of tests is followed by those that failed in it.
function failureOf({ fullName, failureMessages }) {
  const inner = [...(failureMessages?.join('\n') ?? '').matchAll(/^ *FAIL +(.+)$/gm)].map(([, name]) => name)
  return [fullName, ...new Set(inner)].join(': ')
}

/**
 * Counts of one vitest report. A file that could not even be loaded, or an error outside any test, is a failure.
 * `failures`: the names of the failed tests. `skipped`: a Map from what is missing to how many tests miss it.
 * @param long whether the run is that of the long tests
 */
export function countReport(report, long = false) {
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  const failed = report.numFailedTests + unloaded.length
  const outside = failed === 0 && !report.success
  const failures = [
    ...tests.filter(({ status }) => status === 'failed').map(failureOf),
    ...unloaded.map(({ name }) => `${name}: not loaded`),
    ...(outside ? [OUTSIDE] : []),
  ]
  return {
    passed: report.numPassedTests,
    failed: outside ? 1 : failed,
    failures,
    skipped: skippedFor(tests, long),
  }
}

/** `summary` is what `turbo run --summarize` wrote; without one turbo itself failed. */
export function tally(summary, status, long = false) {
  const total = { passed: 0, failed: 0, skipped: 0, lines: [] }
  for (const task of summary?.tasks ?? []) {
    const broken = (task.execution?.exitCode ?? 0) !== 0
    const path = `${task.directory}/${REPORT}`
    if (task.task === 'test' && existsSync(join(root, path))) {
      const count = countReport(readJson(path), long)
      if (broken && count.failed === 0) {
        count.failed = 1
        count.failures.push(OUTSIDE)
      }
      total.passed += count.passed
      total.failed += count.failed
      total.lines.push(`  ${task.package}: ${count.passed} passed, ${count.failed} failed`)
      total.lines.push(...count.failures.map((name) => `    failed: ${name}`))
      for (const entry of count.skipped) {
        total.skipped += entry[1]
        total.lines.push(`    ${showSkipped(entry)}`)
      }
    } else if (broken) {
      total.failed += 1
      total.lines.push(`  ${task.taskId}: failed`)
    }
  }
  if (status !== 0 && total.failed === 0) {
    total.failed = 1
    total.lines.push('  turbo itself failed (see above)')
  }
  return total
}

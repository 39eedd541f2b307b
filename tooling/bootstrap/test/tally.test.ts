import { describe, expect, test } from 'vitest'
import { countReport, tally } from '../tally.mjs'

const report = (counts: object): Parameters<typeof countReport>[0] => ({
  success: true,
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...counts,
})

describe('one vitest report', () => {
  test('counts passed, failed and skipped tests', () => {
    const counts = { numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 1, success: false }
    expect(countReport(report(counts))).toEqual({ passed: 5, failed: 2, skipped: 2 })
  })

  test('a test file that could not be loaded is a failure', () => {
    const counts = { success: false, testResults: [{ status: 'failed', assertionResults: [] }] }
    expect(countReport(report(counts))).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  test('an error outside any test is a failure', () => {
    expect(countReport(report({ numPassedTests: 3, success: false }))).toEqual({ passed: 3, failed: 1, skipped: 0 })
  })
})

describe('one run', () => {
  const task = (name: string, exitCode: number): object => ({
    taskId: `nowhere#${name}`,
    task: name,
    package: 'nowhere',
    directory: 'packages/nowhere',
    execution: { exitCode },
  })

  test('a task that fails without a report is one failure', () => {
    const { passed, failed, lines } = tally({ tasks: [task('build', 0), task('typecheck', 2), task('test', 1)] }, 1)
    expect({ passed, failed }).toEqual({ passed: 0, failed: 2 })
    expect(lines).toEqual(['  nowhere#typecheck: failed', '  nowhere#test: failed'])
  })

  test('a run that never started is a failure', () => {
    expect(tally(undefined, 1).failed).toBe(1)
  })
})

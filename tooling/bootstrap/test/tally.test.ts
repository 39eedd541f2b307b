import { showSkipped } from '@showchain-tooling/vitest/tests'
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
  const skipped = (tags: readonly string[], missing?: string): object => ({
    status: 'skipped',
    tags,
    meta: missing === undefined ? {} : { missing },
  })

  test('counts passed and failed tests', () => {
    const counts = { numPassedTests: 5, numFailedTests: 2, success: false }
    expect(countReport(report(counts))).toEqual({ passed: 5, failed: 2, failures: [], skipped: new Map() })
  })

  test('names the failed tests', () => {
    const assertionResults = [
      { status: 'failed', fullName: 'a door shuts', failureMessages: ['Error: it stays open'] },
      { status: 'failed', fullName: 'all again', failureMessages: ['1 failed\n FAIL  test/door.ts > locks\nError'] },
      { status: 'passed', fullName: 'a door opens' },
    ]
    const given = report({ numFailedTests: 2, success: false, testResults: [{ status: 'failed', assertionResults }] })
    expect(countReport(given).failures).toEqual(['a door shuts', 'all again: test/door.ts > locks'])
  })

  test('counts skipped tests by what they are missing; those that the run leaves out are none', () => {
    const coturn = 'no coturn (apt-get install coturn)'
    const assertionResults = [skipped([], coturn), skipped([], coturn), skipped([]), skipped(['long'], coturn)]
    const given = report({ testResults: [{ status: 'passed', assertionResults }] })
    expect(countReport(given).skipped).toEqual(
      new Map([
        [coturn, 2],
        [undefined, 1],
      ]),
    )
    expect(countReport(given, true).skipped).toEqual(new Map([[coturn, 1]]))
    expect([...countReport(given).skipped].map(showSkipped)).toEqual([
      'skipped: no coturn (apt-get install coturn), 2 tests',
      'skipped: no reason given, 1 test',
    ])
  })

  test('a test file that could not be loaded is a failure', () => {
    const testResults = [{ name: 'door.ts', status: 'failed', assertionResults: [] }]
    expect(countReport(report({ success: false, testResults }))).toEqual({
      passed: 0,
      failed: 1,
      failures: ['door.ts: not loaded'],
      skipped: new Map(),
    })
  })

  test('an error outside any test is a failure', () => {
    expect(countReport(report({ numPassedTests: 3, success: false }))).toEqual({
      passed: 3,
      failed: 1,
      failures: ['an error outside any test (see above)'],
      skipped: new Map(),
    })
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

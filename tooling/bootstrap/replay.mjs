// From a report of vitest to the commands that play its failures again.

/** A test's full name as `-t` and a shell take it: what either would read as something else may be anything. */
const pattern = (name) => `'^${name.trim().replace(/[\\^$.*+?()[\]{}|'"!]/g, '.')}$'`

/**
 * One command for each failed test, to run at the repository's root.
 * @param folder of the package, from the root. @param root the repository's
 */
export function replaysOf(report, { root, folder, variables }) {
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const vitest = `cd ${folder} && ${set.join(' ')} npx vitest run`
  return report.testResults.flatMap(({ name, status, assertionResults }) => {
    const file = name.slice(`${root}/${folder}/`.length)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [`(${vitest} ${file})`] : []
    return failed.map(({ fullName }) => `(${vitest} ${file} -t ${pattern(fullName)})`)
  })
}

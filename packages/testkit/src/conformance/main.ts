/**
 * The command: runs the golden vectors against a program that serves the line protocol, or is such
 * a
 * program with our own implementation.
 */
import { parseArgs } from 'node:util'
import { LineProcess, serveConformance } from './lines.ts'
import { ownImplementation } from './own.ts'
import { type ConformanceResult, conforms, runConformance, tally } from './run.ts'

const USAGE = `Usage: showchain-conformance [--json] -- <command> [arguments…]
       showchain-conformance --self

Runs the golden vectors of Show Chain against a program that reads one JSON request
per line and writes one JSON answer per line. Exits with 0 when every answer is right and
there is one, 1 otherwise, 2 when the program cannot be started.

  --json   print every result as one line of JSON
  --self   be such a program, with our own implementation
`

/** @returns the exit code. */
export async function conformanceCommand(args: readonly string[]): Promise<number> {
  try {
    return await run(args)
  } catch (error) {
    // A wrong option, or a program that cannot be started.
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    return 2
  }
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean' }, self: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  })
  const [command, ...rest] = positionals
  if (values.self === true) {
    await serveConformance(ownImplementation, process.stdin, process.stdout)
    return 0
  }
  if (command === undefined || values.help === true) {
    process.stdout.write(USAGE)
    return values.help === true ? 0 : 2
  }
  await using child = new LineProcess(command, rest)
  await child.started()
  const results = await runConformance(child.implementation)
  process.stdout.write(values.json === true ? results.map((r) => `${JSON.stringify(r)}\n`).join('') : report(results))
  return conforms(results) ? 0 : 1
}

/** Failures, unsupported operations, counts. Long values are shortened; the vector has the rest. */
function report(results: readonly ConformanceResult[]): string {
  const cut = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)
  const failures = results.flatMap((result) =>
    result.outcome === 'failed'
      ? [`${result.operation} ${result.vector}\n  expected ${cut(result.expected)}\n  got      ${cut(result.got)}\n`]
      : [],
  )
  const { passed, failed, skipped } = tally(results)
  const unsupported = new Set(results.filter(({ outcome }) => outcome === 'skipped').map(({ operation }) => operation))
  const skips = unsupported.size === 0 ? '' : `not supported: ${[...unsupported].join(', ')}\n`
  const nothing = passed === 0 && failed === 0 ? 'No operation is supported: nothing was shown.\n' : ''
  return `${failures.join('')}${skips}${nothing}${passed} passed, ${failed} failed, ${skipped} skipped\n`
}

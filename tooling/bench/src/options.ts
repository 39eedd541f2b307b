/** The command line of `pnpm bench`. */
import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Names of suites, or parts of them; none: all. */
  readonly filters: readonly string[]
  /** Where the figures go for programs to read. */
  readonly json: string | undefined
  readonly quick: boolean
  readonly help: boolean
}

export const USAGE = (suites: readonly string[]): string => `Usage: pnpm bench [filter…] [--json FILE] [--quick]

Measures how fast this machine codes, signs, registers and forwards, and how much memory a relay takes.

  filter       only the suites whose name contains it: ${suites.join(', ')}
  --json FILE  write the figures to FILE as well
  --quick      only to see that everything runs: figures mean nothing
  --help       this

Exit code 0; 1 when a relay with 100,000 bindings takes 1 GiB or more, or something went wrong; 2 for bad arguments.`

/** @throws TypeError with a sentence for people. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  return { ...values, json: values.json, filters: positionals }
}

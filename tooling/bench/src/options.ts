/** The command line of `pnpm bench`. */
import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Compare with this revision. */
  readonly base: string | undefined
  /** Runs of each checkout in a comparison. */
  readonly rounds: number
  /** Names of suites, or parts of them; empty: all, in a comparison the default suites. */
  readonly filters: readonly string[]
  /** File for the figures as JSON. */
  readonly json: string | undefined
  readonly quick: boolean
  /** Of each kind of siege. @default that of the effort */
  readonly seconds: number | undefined
  readonly help: boolean
}

/** Suites of a comparison without filters: the hot paths. */
export const COMPARED: readonly string[] = ['codec', 'registrations', 'frames', 'streams']
const DEFAULT_ROUNDS = 3
const MAX_SECONDS = 600

export const USAGE = (
  suites: readonly string[],
): string => `Usage: pnpm bench [filter…] [--json FILE] [--quick] [--seconds N]
       pnpm bench compare --base REVISION [filter…] [--rounds N] [--json FILE] [--quick]

Measures codec, signatures, registrations, forwarding, fleets, streams, tunnels, connecting, memory, sieges and hostile peers on this machine.
With compare: checks REVISION out into a temporary folder, runs each suite on it and on this checkout in turns, and shows
the speed of this checkout in parts of the base's.

  filter           only suites whose name contains it: ${suites.join(', ')}
                   (compare: ${COMPARED.join(', ')} without a filter)
  --base REVISION  the commit to compare with
  --rounds N       runs of each checkout (${DEFAULT_ROUNDS})
  --json FILE      write the figures to FILE too
  --seconds N      how long each kind of siege takes (10)
  --quick          check that everything runs; the figures mean nothing
  --help           print this

Exit code 0; 1 when a relay with 100,000 bindings takes 1 GiB or more, or a run fails; 2 for bad arguments.`

/** @throws Error with one line for people */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      base: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const compares = positionals[0] === 'compare'
  if (compares && values.base === undefined && !values.help) throw new Error('compare needs --base.')
  if (!compares && (values.base ?? values.rounds) !== undefined)
    throw new Error('--base and --rounds are options of compare.')
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds is a whole number from 1.')
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
  if (seconds !== undefined && (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS))
    throw new Error(`--seconds is a whole number from 1 to ${MAX_SECONDS}.`)
  const { json, quick, help, base } = values
  return { base, rounds, seconds, json, quick, help, filters: compares ? positionals.slice(1) : positionals }
}

// `pnpm fuzz`: every property and fuzzer, on another seed each round, until Ctrl-C.
//   pnpm fuzz                     all packages
//   pnpm fuzz wire --minutes 60   one package, and ends after the round in which the hour is over
//   pnpm fuzz wire --seed 5       one round on this seed
// Each failure comes with the command that replays it. What was found becomes a fixed case of the ordinary tests.
import './check-node.mjs'
import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { install } from './prepare.mjs'
import { replaysOf } from './replay.mjs'
import { run } from './run.mjs'
import { environment, fail, foldersOf, readJson, root, say } from './workspace.mjs'

const REPORT = '.cache/report/vitest.json'
const MINUTE = 60_000
/** fast-check's seeds are 32 bits wide; soak's scenarios count on from the seed. */
const SEEDS = 2 ** 31

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string' }, runs: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
/** How often a property runs, times its number in `npm test`. */
const factor = numberOf('runs')
const seed = numberOf('seed')
const deadline = Date.now() + (numberOf('minutes') ?? Number.POSITIVE_INFINITY) * MINUTE

function numberOf(name) {
  if (values[name] === undefined) return undefined
  return /^[0-9]+$/.test(values[name]) ? Number(values[name]) : fail(`--${name} is a whole number, not ${values[name]}`)
}

await install()
const { RANDOM_FILES, testFiles } = await import('@showchain-tooling/vitest/tests')
const packages = foldersOf(names)
  .map((folder) => ({ folder, files: testFiles(join(root, folder), RANDOM_FILES) }))
  .filter(({ files }) => files.length > 0)

/** Plays the random tests of a package on one seed. */
async function play({ folder, files }, roundSeed) {
  const variables = { SHOWCHAIN_SEED: String(roundSeed), SHOWCHAIN_RUNS: String(factor) }
  const cwd = join(root, folder)
  rmSync(join(cwd, REPORT), { force: true })
  const vitest = join(cwd, 'node_modules', 'vitest', 'vitest.mjs')
  // what fails is written to stderr
  const code = await run(process.execPath, [vitest, 'run', ...files], {
    ...{ cwd, stdout: 'ignore' },
    env: { ...environment(), ...variables },
  })
  const report = readJson(`${folder}/${REPORT}`)
  const replays = replaysOf(report, { root, folder, variables })
  // an error outside any test
  if (code !== 0 && replays.length === 0) replays.push(`pnpm fuzz ${folder} --runs ${factor} --seed ${roundSeed}`)
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  return { inputs: tests.reduce((sum, { meta }) => sum + (meta.inputs ?? 0), 0), replays }
}

const started = Date.now()
const failures = []
let total = 0
for (let round = 1; round === 1 || (seed === undefined && Date.now() < deadline); round++) {
  const roundSeed = seed ?? randomInt(SEEDS)
  say(`round ${round}: seed ${roundSeed}`)
  for (const each of packages) {
    const { inputs, replays } = await play(each, roundSeed)
    total += inputs
    failures.push(...replays)
    console.log(`${each.folder}: ${inputs.toLocaleString('en')} inputs, ${replays.length} failed`)
    for (const replay of replays) console.log(`  replay: ${replay}`)
  }
  const minutes = ((Date.now() - started) / MINUTE).toFixed(1)
  console.log(`${round} rounds, ${minutes} minutes: ${total.toLocaleString('en')} inputs, ${failures.length} failed`)
}
process.exit(failures.length === 0 ? 0 : 1)

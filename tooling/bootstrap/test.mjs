// `npm test`: from a fresh clone to one line that counts every test of every package. `npm test -- wire client`
// runs only the packages of those names.
import './check-node.mjs'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { install, turbo } from './prepare.mjs'
import { tally } from './tally.mjs'
import { packageFolders, readJson, root, say } from './workspace.mjs'

const RUNS = '.turbo/runs'
const VECTORS = '../shared/vectors'

const names = process.argv.slice(2)
const known = packageFolders().map((folder) => readJson(`${folder}/package.json`).name)
const filters = names.map((name) => known.find((full) => full === name || full === `@showchain/${name}`) ?? `./${name}`)

await install()
say(
  `checking and testing ${names.length === 0 ? 'everything' : names.join(', ')} (what did not change comes from turbo's cache)`,
)

// a report on disk must be of this run: turbo puts back those of cached tasks
for (const folder of packageFolders()) rmSync(join(root, folder, '.cache/report'), { recursive: true, force: true })
rmSync(join(root, RUNS), { recursive: true, force: true })

// Vectors lie beside the repository. Named in the environment they become part of turbo's cache key.
const vectors = process.env.SHOWCHAIN_VECTORS ?? join(root, VECTORS)
const status = await turbo(
  [
    'run',
    ...['build', 'typecheck', 'test'],
    ...(names.length === 0 ? ['lint', 'knip', 'boundaries'] : filters.map((filter) => `--filter=${filter}`)),
    '--continue=dependencies-successful',
    '--output-logs=new-only',
    `--concurrency=${availableParallelism()}`,
    '--summarize',
  ],
  { env: existsSync(vectors) ? { SHOWCHAIN_VECTORS: vectors } : {} },
)

const summaries = existsSync(join(root, RUNS)) ? readdirSync(join(root, RUNS)) : []
const total = tally(summaries.length === 0 ? undefined : readJson(`${RUNS}/${summaries[0]}`), status)
for (const line of total.lines) console.log(line)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exit(total.failed > 0 ? 1 : 0)

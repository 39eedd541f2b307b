// `npm test`: from a fresh clone to one line that counts every test of every package. `npm test -- wire client`
// runs only the packages of those names. `--long` (`pnpm test:long`): the tests that take long, and nothing else.
import './check-node.mjs'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { install, turbo } from './prepare.mjs'
import { foldersOf, packageFolders, readJson, root, say } from './workspace.mjs'

const RUNS = '.turbo/runs'
const VECTORS = '../shared/vectors'

const long = process.argv.includes('--long')
const names = process.argv.slice(2).filter((argument) => argument !== '--long')

await install()
// what needs an install is loaded after it
const { LONG_FILES, LONG_VARIABLE, testFiles } = await import('@showchain-tooling/vitest/tests')
const { tally } = await import('./tally.mjs')

const chosen = foldersOf(names).filter((folder) => !long || testFiles(join(root, folder), LONG_FILES).length > 0)
const cached = "(what did not change comes from turbo's cache)"
if (long) say(`running the long tests of ${chosen.join(', ')} ${cached}`)
else say(`checking and testing ${names.length === 0 ? 'everything' : names.join(', ')} ${cached}`)

// a report on disk must be of this run: turbo puts back those of cached tasks
for (const folder of packageFolders()) rmSync(join(root, folder, '.cache/report'), { recursive: true, force: true })
rmSync(join(root, RUNS), { recursive: true, force: true })

// Vectors lie beside the repository. Named in the environment they become part of turbo's cache key.
const vectors = process.env.SHOWCHAIN_VECTORS ?? join(root, VECTORS)
const everything = names.length === 0 && !long
const status = await turbo(
  [
    'run',
    ...(long ? ['test'] : ['build', 'typecheck', 'test']),
    ...(everything ? ['lint', 'knip', 'boundaries'] : chosen.map((folder) => `--filter=./${folder}`)),
    '--continue=dependencies-successful',
    '--output-logs=new-only',
    // three more than there are cores: kernels and terminals are mostly waited for
    `--concurrency=${availableParallelism() + 3}`,
    '--summarize',
  ],
  {
    env: {
      ...(existsSync(vectors) ? { SHOWCHAIN_VECTORS: vectors } : {}),
      ...(long ? { [LONG_VARIABLE]: '1' } : {}),
    },
  },
)

const summaries = existsSync(join(root, RUNS)) ? readdirSync(join(root, RUNS)) : []
const total = tally(summaries.length === 0 ? undefined : readJson(`${RUNS}/${summaries[0]}`), status, long)
for (const line of total.lines) console.log(line)
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exit(total.failed > 0 ? 1 : 0)

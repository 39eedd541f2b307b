// `npm start`: from a fresh clone to the running demo. Arguments go to the demo: `npm start -- --json`.
import './check-node.mjs'
import { build, install } from './prepare.mjs'
import { run } from './run.mjs'
import { environment, root, say } from './workspace.mjs'

await install()
await build('@showchain-tooling/demo...', '@showchain-tooling/matrix...')
say('starting the demo')
const program = (name) =>
  run(process.execPath, [`tooling/${name}/dist/main.js`, ...process.argv.slice(2)], { cwd: root, env: environment() })
const demo = await program('demo')
if (demo !== 0) process.exit(demo)
say('connecting every pair of NAT types on the simulated internet')
process.exit(await program('matrix'))

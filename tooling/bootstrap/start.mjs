// `npm start`: from a fresh clone to the running demo. Arguments go to the demo: `npm start -- --json`.
import './check-node.mjs'
import { build, install } from './prepare.mjs'
import { run } from './run.mjs'
import { environment, root, say } from './workspace.mjs'

await install()
await build('@showchain-tooling/demo...')
say('starting the demo')
process.exit(
  await run(process.execPath, ['tooling/demo/dist/main.js', ...process.argv.slice(2)], {
    cwd: root,
    env: environment(),
  }),
)

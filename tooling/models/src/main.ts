/** `pnpm models`: searches every state of each model, as it is and without each guard. */
import { Command } from 'commander'
import type { Guard, Model } from './model.ts'
import { MODELS } from './models.ts'
import { check, missing, type Verdict } from './spin.ts'
import { tables } from './tables.ts'

interface Options {
  readonly trail?: string
  readonly tables: boolean
  readonly json: boolean
}

const BAD_ARGUMENTS = 2

const command = new Command('models')
  .description('Searches every state of the models of the protocol, as they are and without each guard (needs spin).')
  .argument('[names...]', 'models (default: all)')
  .option('--trail <guard>', 'print the shortest run to the error that there is without this guard')
  .option('--tables', 'print the tables of the README and search nothing', false)
  .option('--json', 'one JSON object a line', false)
  .showHelpAfterError()
  .parse()
const options = command.opts<Options>()
const chosen = MODELS.filter(({ name }) => command.args.length === 0 || command.args.includes(name))

const refuse = (sentence: string): never => {
  console.error(`models: ${sentence}`)
  process.exit(BAD_ARGUMENTS)
}

async function trail(name: string): Promise<void> {
  const model = MODELS.find(({ guards }) => guards.some((guard) => guard.name === name))
  const guard = model?.guards.find((each) => each.name === name)
  if (model === undefined || guard === undefined) return refuse(`there is no guard "${name}"; --tables shows all.`)
  const { story, broken } = await check(model, guard)
  if (options.json) return console.log(JSON.stringify({ event: 'trail', guard: name, broken, story }))
  console.log(`Without "${guard.rule}":`)
  for (const line of story) console.log(`  ${line}`)
}

async function show(model: Model, guard?: Guard): Promise<boolean> {
  const verdict = await check(model, guard)
  const ok = verdict.broken === guard?.breaks
  if (options.json) {
    const { story: _, unreached: __, ...figures } = verdict
    console.log(JSON.stringify({ event: 'model', model: model.name, without: guard?.name, ok, ...figures }))
  } else console.log(lineOf(model, guard, ok, verdict))
  return ok
}

function lineOf(model: Model, guard: Guard | undefined, ok: boolean, { broken, states, seconds }: Verdict): string {
  const what = guard === undefined ? model.name : `  without ${guard.name}`
  const seen = broken === undefined ? 'no error' : `error: ${broken}`
  return `${ok ? 'ok  ' : 'FAIL'} ${what.padEnd(32)} ${seen} (${states} states, ${seconds.toFixed(1)} s)`
}

if (options.tables) {
  console.log(tables())
  process.exit()
}
if (chosen.length === 0)
  refuse(`there is no model "${command.args.join(' ')}": ${MODELS.map(({ name }) => name).join(', ')}.`)
const why = missing()
if (why !== undefined) refuse(`${why}.`)
if (options.trail === undefined) {
  for (const model of chosen)
    for (const guard of [undefined, ...model.guards]) if (!(await show(model, guard))) process.exitCode = 1
} else await trail(options.trail)

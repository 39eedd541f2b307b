/** The completion script for fish. */
import { quoted } from './bash.ts'
import { type Asked, type CommandRow, isAsked, type OptionRow, type Table, type Value } from './table.ts'

const value = (of: Value | undefined): string =>
  of === undefined ? '' : of === 'file' ? ' -r -F' : of === 'any' ? ' -x' : ` -x -a ${offered(of)}`

const offered = (of: Asked | readonly string[]): string =>
  isAsked(of) ? quoted(`(command showchain complete ${of} (commandline -ct) 2>/dev/null)`) : quoted(of.join(' '))

const nameOf = (name: string): string => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)

/** Single quotes of fish know two escapes: of a quote, and of a backslash. */
const described = (text: string): string => ` -d '${text.replace(/[\\']/g, (each) => `\\${each}`)}'`

const optionLine = (complete: string, { names, value: takes, description }: OptionRow): string =>
  `${complete} ${names.map(nameOf).join(' ')}${value(takes)}${described(description)}`

function lines(program: string, { name, options, takes, asks }: CommandRow): readonly string[] {
  const complete = `complete -c ${program} -n '__fish_seen_subcommand_from ${name}'`
  const argument =
    takes === 'file' ? [`${complete} -F`] : Array.isArray(takes) ? [`${complete} -a ${offered(takes)}`] : []
  const names = asks === undefined ? [] : [`${complete} -a ${offered(asks)}`]
  return [...argument, ...names, ...options.map((option) => optionLine(complete, option))]
}

export function fishScript({ program, commands }: Table): string {
  const { name } = program
  const first = `complete -c ${name} -n __fish_use_subcommand`
  return [
    `# fish completion for ${name}: ${name} completion fish | source`,
    `complete -c ${name} -f`,
    ...commands.map((each) => `${first} -a ${each.name}${described(each.description)}`),
    ...program.options.map((option) => optionLine(first, option)),
    ...commands.flatMap((row) => lines(name, row)),
    '',
  ].join('\n')
}

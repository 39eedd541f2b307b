/** The completion script for bash. */
import { type CommandRow, isAsked, type OptionRow, type Table, type Value } from './table.ts'

/** In single quotes, for any of the shells. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const namesOf = (options: readonly OptionRow[]): string => options.flatMap(({ names }) => names).join(' ')

/** Files are what bash completes when nothing else is offered, unless `compopt` says no. */
const ASKED_BY = '_showchain_asked'
function offer(value: Value | undefined, asks = isAsked(value) ? value : undefined): string {
  if (value === 'file') return 'return'
  const words = Array.isArray(value) ? `words=${quoted(`${value.join(' ')} `)}` : 'compopt +o default'
  if (asks !== undefined) return `${words}; words+=$(${ASKED_BY} ${asks} "$word"); [[ -n $words ]] || return`
  return Array.isArray(value) ? words : `${words}; return`
}

/** What may follow an option, with all options that it may follow. */
function valueCases(commands: readonly CommandRow[]): readonly string[] {
  const after = new Map<string, string[]>()
  for (const { name, options } of commands)
    for (const { names, value } of options) {
      if (value === undefined) continue
      const patterns = names.map((each) => quoted(`${name} ${each}`))
      after.set(offer(value), [...(after.get(offer(value)) ?? []), ...patterns])
    }
  return [...after].map(([offered, patterns]) => `    ${patterns.join(' | ')}) ${offered} ;;`)
}

const rowCase = ({ name, options, takes, asks }: CommandRow): string => `    ${quoted(name)})
      if [[ $word == -* ]]; then words=${quoted(namesOf(options))}
      else ${offer(takes, asks)}
      fi ;;`

export function bashScript({ program, commands }: Table): string {
  const { name } = program
  const words = [...commands.map((each) => each.name), namesOf(program.options)].join(' ')
  return `# bash completion for ${name}: eval "$(${name} completion bash)"
${ASKED_BY}() { command ${name} complete "$@" 2>/dev/null; }
_${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command= words= i
  # --option=value comes as three words.
  if [[ $word == = ]]; then word=
  elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${commands.map((each) => each.name).join(' | ')}) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  COMPREPLY=()
  case "$command $before" in
${valueCases(commands).join('\n')}
  esac
  [[ -n $words ]] || case $command in
    '') words=${quoted(words)} ;;
${commands.map(rowCase).join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  # A code goes on after its first word.
  [[ \${#COMPREPLY[@]} != 1 || \${COMPREPLY[0]} != *- ]] || compopt -o nospace
}
complete -o default -F _${name} ${name}
`
}

/** The completion script for zsh. */
import { quoted } from './bash.ts'
import { type Asked, type CommandRow, isAsked, type OptionRow, type Table, type Value } from './table.ts'

/** Text in a specification of _arguments. */
const plain = (text: string): string => text.replace(/[\\[\]:]/g, (each) => `\\${each}`)

const action = (value: Value): string =>
  value === 'file' ? '_files' : value === 'any' ? '()' : isAsked(value) ? asked(value) : `(${value.join(' ')})`

/** A hyphen at the end of a candidate is of a code, which goes on. */
const asked = (what: Asked): string =>
  `{compadd -S "" -- \${(f)"$(command showchain complete ${what} "$PREFIX" 2>/dev/null)"}}`

/** One for each name: those of one option exclude each other, unless it is repeatable. */
function optionSpecs({ names, value, description }: OptionRow): readonly string[] {
  const again = description.includes('repeatable')
  const takes = value === undefined ? '' : `:value:${action(value)}`
  return names.map((name) => quoted(`${again ? '*' : `(${names.join(' ')})`}${name}[${plain(description)}]${takes}`))
}

const specs = ({ options, takes, asks }: CommandRow): string =>
  [
    ...options.flatMap(optionSpecs),
    ...(takes === undefined ? [] : [quoted(`${asks === undefined ? '*' : '1'}:argument:${action(takes)}`)]),
    ...(asks === undefined || asks === takes ? [] : [quoted(`*:name:${action(asks)}`)]),
  ].join(' \\\n        ')

export function zshScript({ program, commands }: Table): string {
  const { name } = program
  return `#compdef ${name}
# zsh completion for ${name}: eval "$(${name} completion zsh)", or this as _${name} in a folder of $fpath
_${name}() {
  local curcontext=$curcontext state line
  local -a commands=(
${commands.map((each) => `    ${quoted(`${each.name}:${each.description.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C ${program.options.flatMap(optionSpecs).join(' ')} ': :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest) case $words[1] in
${commands
  .map(
    (row) => `      ${row.name})
        _arguments ${specs(row)} ;;`,
  )
  .join('\n')}
    esac ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}

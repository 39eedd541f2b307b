/** The manual page (man(7) of groff). */
import type { CommandRow, Table } from './table.ts'

/** Text of any line: neither an escape nor, at its beginning, a request. Hyphens are to be copied. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&')
    .replace(/[^\x20-\x7e\n]/gu, (character) => `\\[u${codePoint(character)}]`)

const codePoint = (character: string): string =>
  (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')

/** A paragraph with a tag. */
const tagged = (tag: string, text: string): string => `.TP\n.B ${roff(tag)}\n${roff(text)}`

/** Lines as they are. */
const verbatim = (text: string): string => `.nf\n${roff(text)}\n.fi`

const section = (title: string, ...parts: readonly string[]): string => [`.SH ${title}`, ...parts].join('\n')

const commandPart = (program: string, { name, usage, description, arguments: given, options }: CommandRow): string =>
  [
    `.SS ${roff(`${program} ${name} ${usage}`)}`,
    roff(description),
    ...given.map((each) => tagged(each.name, each.description)),
    ...options.map(({ flags, description: does }) => tagged(flags, does)),
  ].join('\n')

/**
 * @param epilogue what stands below the help: paragraphs, of which one that begins with a title and a
 *   colon is a section
 */
export function manPage({ program, commands }: Table, version: string, epilogue: string): string {
  const { name, usage, description, options } = program
  const [about = '', ...parts] = epilogue.trim().split('\n\n')
  return `${[
    `.TH ${name.toUpperCase()} 1 "" "${roff(`${name} ${version}`)}" "User Commands"`,
    section('NAME', `${name} \\- ${roff(description.replace(/\.$/, ''))}`),
    section('SYNOPSIS', `.B ${name}`, roff(usage)),
    section('DESCRIPTION', roff(about)),
    section('OPTIONS', ...options.map(({ flags, description: does }) => tagged(flags, does))),
    section('COMMANDS', ...commands.map((row) => commandPart(name, row))),
    ...parts.map((part) => {
      const [title = '', ...lines] = part.split('\n')
      return section(title.replace(/:$/, '').toUpperCase(), verbatim(lines.join('\n')))
    }),
  ].join('\n')}\n`
}

/**
 * The reference tables of docs/protocol.md, written from the tables of @showchain/wire: the message
 * rows, the kinds of their fields, the extension fields and the codes of errors.
 */
import { ERROR_CODES, EXTENSIONS, FIELDS, MESSAGES, type MessageRow } from '@showchain/wire'
import { workedExample } from './worked-example.ts'

const hex = (op: number): string => `0x${op.toString(16).toUpperCase()}`

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

function signatureList(row: MessageRow): string {
  if (row.signature === undefined) return '–'
  const list = ['op_code', ...row.signature].join(' ')
  return row.signedAs === undefined ? list : `${list}, passed through from ${hex(row.signedAs)}`
}

function messages(): string {
  const rows = (MESSAGES as readonly MessageRow[]).map((row) => [
    hex(row.op),
    row.name,
    row.section === 'ext' ? '**ext**' : String(row.section),
    row.fields.map((field) => (row.zero?.includes(field) ? `${field}=0` : field)).join(' '),
    signatureList(row),
    row.route,
    row.meaning,
  ])
  return markdownTable(
    ['op', 'name', 'seed section', 'fields in order', 'signature list', 'from → to', 'meaning'],
    rows,
  )
}

/** Fields of one form share a row, in the order in which the table names them first. */
function fields(): string {
  const namesByForm = new Map<string, string[]>()
  for (const [name, { binary, json }] of Object.entries(FIELDS)) {
    const form = JSON.stringify([binary, json])
    namesByForm.set(form, [...(namesByForm.get(form) ?? []), name])
  }
  const rows = [...namesByForm].map(([form, names]) => [names.join(', '), ...(JSON.parse(form) as [string, string])])
  return markdownTable(['field', 'binary', 'JSON'], [['op_code', 'u16', 'number'], ...rows])
}

function extensions(): string {
  const rows = Object.entries(EXTENSIONS).map(([name, row]) => [
    String(row.type),
    name,
    row.value,
    row.in.map((op) => hex(op).slice(2)).join(' '),
    row.signed ? 'yes' : 'no',
    row.meaning,
  ])
  return markdownTable(['type', 'name', 'value', 'in', 'signed', 'meaning'], rows)
}

function errors(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { sentence, retryable }]) => [
    `\`${code}\``,
    sentence,
    retryable ? 'yes' : 'no',
  ])
  return markdownTable(['code', 'sentence', 'retry'], rows)
}

/** What may stand between `<!-- generated:NAME -->` and `<!-- /generated -->`. */
export const TABLES: Readonly<Record<string, () => string>> = {
  messages,
  fields,
  extensions,
  errors,
  'worked-example': workedExample,
}

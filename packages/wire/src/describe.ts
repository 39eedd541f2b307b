/**
 * A message as one line of a log:
 * `directRequest 0x101 id=PMwx… target=Zq0a… seq=7 ts=… sign=256B +key=294B`
 */
import { kindOf } from './binary.ts'
import { extensionKind } from './extension-fields.ts'
import { EXTENSIONS, type ExtensionName, type Extensions } from './extensions.ts'
import { hexOf } from './kinds.ts'
import type { Message } from './message.ts'
import { type FieldName, rowOf } from './table.ts'

const NAMES = Object.keys(EXTENSIONS) as ExtensionName[]

const showField = (name: FieldName, value: unknown): string =>
  `${name}=${value === undefined ? 'missing' : kindOf(name).show(value)}`

function showExtensions(ext: Extensions): string[] {
  const known = NAMES.filter((name) => ext[name] !== undefined)
  return [
    ...known.map((name) => `+${name}=${extensionKind(name).show(ext[name])}`),
    ...(ext.unknown ?? []).map(({ type, value }) => `+ext${type}=${value.length}B`),
  ]
}

/**
 * Name, op code, fields in the row's order, extension fields. Ids are shortened; of bytes the
 * length is shown.
 */
export function describe(message: Message): string {
  const row = rowOf(message.op_code)
  if (row === undefined) return hexOf(message.op_code)
  const values = message as unknown as Readonly<Record<string, unknown>>
  const fields = row.fields.map((name) => showField(name, values[name]))
  return [row.name, hexOf(row.op), ...fields, ...(message.ext === undefined ? [] : showExtensions(message.ext))].join(
    ' ',
  )
}

/** A message in one line for people: `directRequest 0x101 id=PMwx… target=Zq0a… seq=7 ts=… sign=256B +key=294B`. */
import { toBase64url } from './base64url.ts'
import { formatEndpoint } from './endpoint.ts'
import type { Extensions } from './extensions.ts'
import type { Message } from './message.ts'
import { type FieldName, rowOf } from './table.ts'

/** Enough of an id or session to tell a handful apart. */
const SHORT_TEXT = 8
const SHORT_BYTES = 6

const shorten = (text: string): string => (text.length > SHORT_TEXT ? `${text.slice(0, SHORT_TEXT)}…` : text)

function show(name: FieldName, value: unknown): string {
  if (value instanceof Uint8Array)
    return name === 'cookie' ? shorten(toBase64url(value.subarray(0, SHORT_BYTES + 1))) : `${value.length}B`
  if (name === 'ref_op') return hex(value as number)
  return name === 'ip' ? (value as string) : typeof value === 'string' ? shorten(value) : String(value)
}

const hex = (op: number): string => `0x${op.toString(16)}`

function showExtensions(ext: Extensions): string[] {
  const parts: string[] = []
  if (ext.key !== undefined) parts.push(`+key=${ext.key.length}B`)
  if (ext.cookie !== undefined) parts.push(`+cookie=${ext.cookie.length}B`)
  if (ext.caps !== undefined) parts.push(`+caps=${ext.caps}`)
  if (ext.nat !== undefined) parts.push(`+nat=${ext.nat.mapping}/${ext.nat.filtering}`)
  if (ext.local !== undefined) parts.push(`+local=${ext.local.map(formatEndpoint).join(',')}`)
  if (ext.kx !== undefined) parts.push('+kx')
  if (ext.observed !== undefined) parts.push(`+observed=${formatEndpoint(ext.observed)}`)
  for (const { type, value } of ext.unknown ?? []) parts.push(`+ext${type}=${value.length}B`)
  return parts
}

/** The message's name, op code, fields in the row's order, and extension fields; ids are shortened, bytes are counted. */
export function describe(message: Message): string {
  const row = rowOf(message.op_code)
  if (row === undefined) return hex(message.op_code)
  const values = message as unknown as Readonly<Record<string, unknown>>
  const fields = row.fields.map((name) => `${name}=${show(name, values[name])}`)
  return [row.name, hex(row.op), ...fields, ...(message.ext === undefined ? [] : showExtensions(message.ext))].join(' ')
}

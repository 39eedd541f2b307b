/**
 * The binary encoding: `0xB1`, op code, the row's fields, extension fields. Driven by the row
 * alone.
 */

import { readU16, writeU16 } from './bytes.ts'
import { BINARY_BYTE } from './classify.ts'
import { type Decoded, refuse } from './decoded.ts'
import { ShowchainError } from './errors.ts'
import { extensionFields, measureExtensions, measureFields, readFields, writeFields } from './extension-fields.ts'
import type { Extensions } from './extensions.ts'
import { quote } from './foreign.ts'
import type { Kind } from './kinds.ts'
import { type Message, sameTarget } from './message.ts'
import { HEADER_BYTES, MessageView } from './message-view.ts'
import { type CodecRow, FIELDS, type FieldName, type MessageRow, rowOf } from './table.ts'

/** A field's kind, for code that handles values of any field. */
export const kindOf = (name: FieldName): Kind<unknown> => FIELDS[name] as Kind<unknown>

/** Whether the values keep the row's rules that kinds cannot express. */
export function keepsRules(row: MessageRow, message: Readonly<Record<string, unknown>>): boolean {
  if (row.zero?.some((name) => message[name] !== 0) === true) return false
  return row.distinct !== true || !sameTarget(message)
}

/** Reused: decoding is synchronous. */
const view = new MessageView()

export function decodeBinary(bytes: Uint8Array): Decoded {
  if (!view.parse(bytes))
    return refuse(bytes.length >= HEADER_BYTES && rowOf(readU16(bytes, 1)) === undefined ? 'op' : 'field')
  const row = view.row as CodecRow
  const { fields, kinds } = row
  const message: Record<string, unknown> = { op_code: row.op }
  for (let index = 0; index < kinds.length; index++) {
    const kind = kinds[index] as Kind<unknown>
    message[fields[index] as FieldName] = kind.read(bytes, view.startOf(index), view.endOf(index))
  }
  if (!keepsRules(row, message)) return refuse('rule')
  if (view.end < bytes.length) {
    const ext = readFields(row.op, bytes, view.end)
    if (ext === undefined) return refuse('extension')
    message.ext = ext
  }
  return { ok: true, message: message as unknown as Message, encoding: 'binary' }
}

export function encodeBinary(message: Message): Uint8Array {
  const { row, fields, ext } = writable(message)
  let size = HEADER_BYTES + measureFields(ext)
  for (const { bytes } of fields) size += bytes
  const out = new Uint8Array(size)
  out[0] = BINARY_BYTE
  let at = writeU16(out, 1, row.op)
  for (const { kind, value } of fields) at = kind.write(out, at, value)
  writeFields(out, at, ext)
  return out
}

/** Bytes of the binary encoding, which is not written. @throws ShowchainError `ERR_BAD_MESSAGE` */
export function measureBinary(message: Message): number {
  const { row, values } = rowed(message)
  let size = HEADER_BYTES
  for (let index = 0; index < row.kinds.length; index++) {
    size += measured(row, index, values[row.fields[index] as FieldName])
  }
  const ext = measureExtensions(row.op, values.ext)
  if (ext === -1) throw badExtension(row)
  return size + ext
}

interface WritableField {
  readonly name: FieldName
  readonly kind: Kind<unknown>
  readonly value: unknown
  readonly bytes: number
}

/** The checked parts of a message, ready to be written. @throws ShowchainError `ERR_BAD_MESSAGE` */
export function writable(message: Message): {
  row: CodecRow
  fields: readonly WritableField[]
  ext: NonNullable<ReturnType<typeof extensionFields>>
} {
  const { row, values } = rowed(message)
  const fields = row.fields.map((name, index) => {
    const value = values[name]
    return { name, kind: row.kinds[index] as Kind<unknown>, value, bytes: measured(row, index, value) }
  })
  if (!keepsRules(row, values)) throw new ShowchainError('ERR_BAD_MESSAGE', `${row.name} breaks a rule of its row.`)
  const ext = extensionFields(row.op, values.ext)
  if (ext === undefined) throw badExtension(row)
  return { row, fields, ext }
}

type Values = Readonly<Record<string, unknown>> & { readonly ext?: Extensions }

function rowed(message: Message): { readonly row: CodecRow; readonly values: Values } {
  // From JavaScript, or from a cast, anything may come.
  const op: unknown = (message as Message | undefined)?.op_code
  const row = typeof op === 'number' ? rowOf(op) : undefined
  if (row === undefined) throw new ShowchainError('ERR_BAD_MESSAGE', `Op code ${quote(op)} is not in the table.`)
  return { row, values: message as unknown as Values }
}

function measured(row: CodecRow, index: number, value: unknown): number {
  const kind = row.kinds[index] as Kind<unknown>
  const bytes = value === undefined ? -1 : kind.measure(value)
  if (bytes === -1)
    throw new ShowchainError('ERR_BAD_MESSAGE', `Field ${row.fields[index]} of ${row.name}: expected ${kind.binary}.`)
  return bytes
}

const badExtension = (row: CodecRow): ShowchainError =>
  new ShowchainError('ERR_BAD_MESSAGE', `${row.name} has an extension field that is not allowed, or has a bad value.`)

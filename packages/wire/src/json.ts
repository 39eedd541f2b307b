/**
 * The JSON encoding, the seed's notation made exact: one flat object with canonical values; white
 * space and order of members are free (docs/protocol.md, JSON).
 */
import { fromBase64url, toBase64url } from './base64url.ts'
import { keepsRules, kindOf, writable } from './binary.ts'
import { type Decoded, refuse } from './decoded.ts'
import { ExtensionReader, extensionName } from './extension-fields.ts'
import { EXTENSIONS, type ExtensionName } from './extensions.ts'
import { scanObject } from './json-scan.ts'
import type { JsonValue } from './kinds.ts'
import type { Message } from './message.ts'
import { FIELDS, type MessageRow, rowOf } from './table.ts'
import { utf8 } from './utf8.ts'

/** The member name of an extension type: its name where the message's row lists it, else `extN`. */
const memberName = (row: MessageRow, type: number): string => extensionName(row.op, type) ?? `ext${type}`

export function encodeJson(message: Message): Uint8Array {
  const { row, fields, ext } = writable(message)
  const json: Record<string, JsonValue> = { op_code: row.op }
  for (const { name, kind, value } of fields) json[name] = kind.toJson(value)
  for (const field of ext) {
    const value = new Uint8Array(field.length)
    field.write(value, 0)
    json[memberName(row, field.type)] = toBase64url(value)
  }
  return utf8(JSON.stringify(json))
}

/** The extension type of a member name, or undefined if the member is not an extension. */
function memberType(row: MessageRow, name: string): number | undefined {
  if (Object.hasOwn(EXTENSIONS, name)) {
    const { type } = EXTENSIONS[name as ExtensionName]
    return extensionName(row.op, type) === undefined ? undefined : type
  }
  const type = /^ext(0|[1-9][0-9]{0,2})$/.exec(name)?.[1]
  return type !== undefined && Number(type) <= 255 ? Number(type) : undefined
}

export function decodeJson(bytes: Uint8Array, strict: boolean): Decoded {
  const members = scanObject(bytes)
  if (members === undefined) return refuse('syntax')
  const op = members.get('op_code')
  const row = typeof op === 'number' ? rowOf(op) : undefined
  if (row === undefined) return refuse('op')
  const message: Record<string, unknown> = { op_code: row.op }
  for (const name of row.fields) {
    const json = members.get(name)
    const value = json === undefined || json === null ? undefined : kindOf(name).fromJson(json)
    if (value === undefined) return refuse('field')
    message[name] = value
  }
  if (!keepsRules(row, message)) return refuse('rule')
  const refusal = readMembers(row, members, message, strict)
  return refusal ?? { ok: true, message: message as unknown as Message, encoding: 'json' }
}

/** Reads the members that are not fields of the row into `message.ext`. */
function readMembers(
  row: MessageRow,
  members: ReadonlyMap<string, JsonValue | null>,
  message: Record<string, unknown>,
  strict: boolean,
): Decoded | undefined {
  if (members.size === row.fields.length + 1) return undefined
  const reader = new ExtensionReader(row.op)
  let found = false
  for (const [name, json] of members) {
    if (name === 'op_code' || (Object.hasOwn(FIELDS, name) && (row.fields as readonly string[]).includes(name)))
      continue
    const type = memberType(row, name)
    if (type === undefined) {
      if (strict) return refuse('unknownName')
      continue
    }
    const value = typeof json === 'string' ? fromBase64url(json) : undefined
    if (value === undefined || memberName(row, type) !== name || !reader.take(type, value, 0, value.length))
      return refuse('extension')
    found = true
  }
  if (found) message.ext = reader.done()
  return undefined
}

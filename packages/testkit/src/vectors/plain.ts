/**
 * Plain messages: the members of a message's JSON encoding as an object, without the size limit of
 * a
 * datagram. Vectors and the conformance protocol use this form, which every language can write.
 */
import {
  EXTENSIONS,
  type ExtensionName,
  type Extensions,
  FIELDS,
  type FieldName,
  fromBase64url,
  type Message,
  type MessageRow,
  rowOf,
  toBase64url,
  type UnknownExtension,
} from '@showchain/wire'

/** A message as the members of its JSON encoding. */
export type PlainMessage = Readonly<Record<string, string | number>>

interface AnyKind {
  toJson(value: unknown): string | number
  fromJson(json: string | number): unknown
}
interface AnyExtensionKind {
  measure(value: unknown): number
  write(out: Uint8Array, at: number, value: unknown): void
  read(bytes: Uint8Array, at: number, end: number): unknown
}
const kindOf = (name: FieldName): AnyKind => FIELDS[name] as AnyKind
const extensionKindOf = (name: ExtensionName): AnyExtensionKind => EXTENSIONS[name].kind as AnyExtensionKind

const namesOf = (row: MessageRow): readonly ExtensionName[] =>
  (Object.keys(EXTENSIONS) as ExtensionName[]).filter((name) => EXTENSIONS[name].in.includes(row.op))

/** The members of a message's JSON encoding. */
export function plainOf(message: Message): PlainMessage {
  const row = rowOf(message.op_code) as MessageRow
  const values = message as unknown as Readonly<Record<string, unknown>>
  const plain: Record<string, string | number> = { op_code: row.op }
  for (const name of row.fields) if (values[name] !== undefined) plain[name] = kindOf(name).toJson(values[name])
  for (const name of namesOf(row)) {
    const value = message.ext?.[name]
    if (value === undefined) continue
    const bytes = new Uint8Array(extensionKindOf(name).measure(value))
    extensionKindOf(name).write(bytes, 0, value)
    plain[name] = toBase64url(bytes)
  }
  for (const { type, value } of message.ext?.unknown ?? []) plain[`ext${type}`] = toBase64url(value)
  return plain
}

/**
 * The message, or undefined if the members are not those of one. `sign` may be absent: an unsigned
 * message.
 */
export function messageOf(plain: PlainMessage): Message | undefined {
  const row = rowOf(Number(plain.op_code))
  if (row === undefined) return undefined
  const message: Record<string, unknown> = { op_code: row.op }
  for (const name of row.fields) {
    const json = plain[name]
    if (json === undefined && name === 'sign') continue
    const value = json === undefined ? undefined : kindOf(name).fromJson(json)
    if (value === undefined) return undefined
    message[name] = value
  }
  const ext = extensionsOf(row, plain)
  if (ext === undefined) return undefined
  if (Object.keys(ext).length > 0) message.ext = ext
  return message as unknown as Message
}

function extensionsOf(row: MessageRow, plain: PlainMessage): Extensions | undefined {
  const known: { [Name in ExtensionName]?: unknown } = {}
  const unknown: UnknownExtension[] = []
  const names = namesOf(row)
  for (const [member, json] of Object.entries(plain)) {
    if (member === 'op_code' || row.fields.some((name) => name === member)) continue
    const value = fromBase64url(String(json))
    const name = names.find((candidate) => candidate === member)
    if (value === undefined) return undefined
    if (name !== undefined) {
      known[name] = extensionKindOf(name).read(value, 0, value.length)
      if (known[name] === undefined) return undefined
    } else if (member.startsWith('ext')) unknown.push({ type: Number(member.slice(3)), value })
    else return undefined
  }
  return unknown.length === 0 ? (known as Extensions) : { ...(known as Extensions), unknown }
}

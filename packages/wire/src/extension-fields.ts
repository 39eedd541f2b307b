/**
 * Extension fields to bytes and back. On the wire they are in ascending order of type, each at most
 * once: a set of fields has one encoding. The hash in a signature is over that encoding, also for a
 * message in JSON (docs/protocol.md, Extension fields).
 */

import { readU16, writeU16 } from './bytes.ts'
import { ShowchainError } from './errors.ts'
import type { ExtensionKind } from './extension-kinds.ts'
import { EXTENSIONS, type ExtensionName, type Extensions, type UnknownExtension } from './extensions.ts'
import { MAX_DATAGRAM } from './limits.ts'

/** A field with its measured length. */
interface Field {
  readonly type: number
  readonly length: number
  readonly signed: boolean
  readonly write: (out: Uint8Array, at: number) => void
}

/** Type and length in front of each value. */
const HEADER_BYTES = 3
const NAMES = Object.keys(EXTENSIONS) as ExtensionName[]
const NAME_BY_TYPE = new Map<number, ExtensionName>(NAMES.map((name) => [EXTENSIONS[name].type, name]))

/** The name of a type in messages of this op, or undefined if the type is unknown there. */
export function extensionName(op: number, type: number): ExtensionName | undefined {
  const name = NAME_BY_TYPE.get(type)
  return name !== undefined && EXTENSIONS[name].in.includes(op) ? name : undefined
}

/** The kind of an extension, for code that handles values of any extension. */
export const extensionKind = (name: ExtensionName): ExtensionKind<unknown> =>
  EXTENSIONS[name].kind as ExtensionKind<unknown>

/**
 * The fields in wire order, or undefined if one is not allowed in the message or is not of its
 * kind.
 */
export function extensionFields(op: number, ext: Extensions | undefined): readonly Field[] | undefined {
  const fields: Field[] = []
  if (ext === undefined) return fields
  if (ext === null || typeof ext !== 'object') return undefined
  if (ext.unknown !== undefined && !Array.isArray(ext.unknown)) return undefined
  for (const name of NAMES) {
    const value = ext[name]
    if (value === undefined) continue
    const kind = extensionKind(name)
    const length = EXTENSIONS[name].in.includes(op) ? kind.measure(value) : -1
    if (length === -1) return undefined
    const { type, signed } = EXTENSIONS[name]
    fields.push({ type, length, signed, write: (out, at) => kind.write(out, at, value) })
  }
  for (const unknown of ext.unknown ?? []) {
    if (!isUnknown(op, unknown)) return undefined
    const { type, value } = unknown
    fields.push({ type, length: value.length, signed: true, write: (out, at) => out.set(value, at) })
  }
  fields.sort((a, b) => a.type - b.type)
  return fields.some((field, index) => field.type === fields[index - 1]?.type) ? undefined : fields
}

/** Whether it is a well-formed field of a type that is unknown in messages of this op. */
function isUnknown(op: number, unknown: UnknownExtension | undefined): unknown is UnknownExtension {
  const { type, value } = unknown ?? {}
  if (type === undefined || !Number.isInteger(type) || type < 0 || type > 255) return false
  return extensionName(op, type) === undefined && value instanceof Uint8Array && value.length <= MAX_DATAGRAM
}

export const measureFields = (fields: readonly Field[]): number =>
  fields.reduce((total, field) => total + HEADER_BYTES + field.length, 0)

/** Bytes of the fields, or −1 if one is not allowed in the message or is not of its kind. */
export function measureExtensions(op: number, ext: Extensions | undefined): number {
  if (ext === undefined) return 0
  // What may be no object, or have one type twice.
  if (ext === null || typeof ext !== 'object' || ext.unknown !== undefined) {
    const fields = extensionFields(op, ext)
    return fields === undefined ? -1 : measureFields(fields)
  }
  let total = 0
  for (const name of NAMES) {
    const value = ext[name]
    if (value === undefined) continue
    const length = EXTENSIONS[name].in.includes(op) ? extensionKind(name).measure(value) : -1
    if (length === -1) return -1
    total += HEADER_BYTES + length
  }
  return total
}

export function writeFields(out: Uint8Array, start: number, fields: readonly Field[]): number {
  let at = start
  for (const field of fields) {
    out[at] = field.type
    const value = writeU16(out, at + 1, field.length)
    field.write(out, value)
    at = value + field.length
  }
  return at
}

/**
 * The encoding of the signed fields, which are all but `key`, `local` and `modulus`. Undefined without any.
 * @throws ShowchainError `ERR_BAD_MESSAGE` if a field is not allowed in the message or not of its
 *   kind.
 */
export function signedFieldBytes(op: number, ext: Extensions | undefined): Uint8Array | undefined {
  const fields = extensionFields(op, ext)
  if (fields === undefined)
    throw new ShowchainError('ERR_BAD_MESSAGE', 'An extension field is not allowed in it, or has a bad value.')
  const signed = fields.filter((field) => field.signed)
  if (signed.length === 0) return undefined
  const out = new Uint8Array(measureFields(signed))
  writeFields(out, 0, signed)
  return out
}

/** Collects the fields of one message, in any order. */
export class ExtensionReader {
  readonly #op: number
  readonly #known: { -readonly [Name in ExtensionName]?: unknown } = {}
  readonly #unknown: UnknownExtension[] = []

  constructor(op: number) {
    this.#op = op
  }

  /** Adds the value `bytes[at, end)` of a type. False for a known type with a bad value. */
  take(type: number, bytes: Uint8Array, at: number, end: number): boolean {
    const name = extensionName(this.#op, type)
    if (name === undefined) {
      this.#unknown.push({ type, value: bytes.subarray(at, end) })
      return true
    }
    const value = extensionKind(name).read(bytes, at, end)
    this.#known[name] = value
    return value !== undefined
  }

  done(): Extensions {
    if (this.#unknown.length === 0) return this.#known as Extensions
    return { ...(this.#known as Extensions), unknown: this.#unknown.sort((a, b) => a.type - b.type) }
  }
}

/** Reads the fields from `start` to the end of `bytes`. Undefined if they are not canonical. */
export function readFields(op: number, bytes: Uint8Array, start: number): Extensions | undefined {
  const reader = new ExtensionReader(op)
  let last = -1
  for (let at = start; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) return undefined
    const type = bytes[at] as number
    const end = at + HEADER_BYTES + readU16(bytes, at + 1)
    if (type <= last || end > bytes.length || !reader.take(type, bytes, at + HEADER_BYTES, end)) return undefined
    last = type
    at = end
  }
  return reader.done()
}

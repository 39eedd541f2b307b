/** Message objects: their types and zod schemas, both derived from the message table. */
import * as z from 'zod/mini'
import { extensionName } from './extension-fields.ts'
import { EXTENSIONS, type ExtensionName, type Extensions } from './extensions.ts'
import { MAX_DATAGRAM } from './limits.ts'
import { FIELDS, type FieldName, MESSAGES, type MessageRow, type OpCode } from './table.ts'

type Row = (typeof MESSAGES)[number]
type FieldValue<Name extends FieldName> = z.infer<(typeof FIELDS)[Name]['schema']>
type Flat<T> = { [Key in keyof T]: T[Key] }
type MessageOfRow<R extends Row> = R extends Row
  ? Flat<
      { readonly op_code: R['op'] } & { readonly [Name in R['fields'][number]]: FieldValue<Name> } & {
        readonly ext?: Extensions | undefined
      }
    >
  : never

/** Any message: a union discriminated by `op_code`. `ext` is absent without extension fields. */
export type Message = MessageOfRow<Row>
/** The message with this op code: `MessageOf<typeof OP.directRequest>`. */
export type MessageOf<Op extends OpCode> = Extract<Message, { readonly op_code: Op }>
type DistributiveOmit<M, Key extends PropertyKey> = M extends M ? Omit<M, Key> : never
/** A signed message without its signature. */
export type Unsigned<M extends Message = Extract<Message, { readonly sign: Uint8Array }>> = DistributiveOmit<M, 'sign'>

/** How a message is written. */
export type Encoding = 'binary' | 'json'

/** Whether the sender supports extensions: a message without any is seed mode. */
export const hasExtensions = (message: { readonly ext?: Extensions | undefined }): boolean => message.ext !== undefined

/** The schema of a field in this row: the seed fixes some fields to 0. */
const fieldSchema = (row: MessageRow, name: FieldName): z.ZodMiniType =>
  row.zero?.includes(name) ? z.literal(0) : FIELDS[name].schema

/**
 * Schemas of message objects by op code, for public input. Codecs have their own checks and run
 * none of them.
 */
export const MESSAGE_SCHEMAS: ReadonlyMap<number, z.ZodMiniType> = new Map(
  MESSAGES.map((row) => [row.op, objectSchema(row)]),
)

/** Any message of the table. */
export const messageSchema = z.union([...MESSAGE_SCHEMAS.values()]) as unknown as z.ZodMiniType<Message>

function objectSchema(row: MessageRow): z.ZodMiniType {
  const fields = Object.fromEntries(row.fields.map((name) => [name, fieldSchema(row, name)]))
  const known = (Object.keys(EXTENSIONS) as ExtensionName[]).filter((name) => EXTENSIONS[name].in.includes(row.op))
  const ext = z.strictObject({
    ...Object.fromEntries(known.map((name) => [name, z.optional(EXTENSIONS[name].kind.schema)])),
    unknown: z.optional(unknownSchema(row.op)),
  })
  const schema = z.strictObject({ op_code: z.literal(row.op), ...fields, ext: z.optional(ext) })
  return row.distinct === true
    ? schema.check(z.refine((message) => !sameTarget(message), 'id and target are the same peer'))
    : schema
}

/** Fields of types that are unknown in this message, each type once, in any order. */
function unknownSchema(op: number): z.ZodMiniType {
  const isUnknown = z.refine<number>(
    (type) => extensionName(op, type) === undefined,
    'a known type must be under its own name',
  )
  const type = z.int().check(z.gte(0), z.lte(255), isUnknown)
  const value = z
    .instanceof(Uint8Array)
    .check(z.refine((bytes) => bytes.length <= MAX_DATAGRAM, 'longer than a datagram'))
  return z
    .array(z.strictObject({ type, value }))
    .check(z.refine((fields) => new Set(fields.map((field) => field.type)).size === fields.length, 'a type twice'))
}

/** Whether a message that has both `id` and `target` names one peer in both. */
export function sameTarget(message: object): boolean {
  const { id, target } = message as { readonly id?: unknown; readonly target?: unknown }
  return id === target
}

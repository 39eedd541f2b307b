/** The kinds of values in extension fields, each with its binary form. In JSON a value is that form in base64url. */
import * as z from 'zod/mini'
import { readU32, writeU32 } from './bytes.ts'
import { type Endpoint, endpointSchema, formatEndpoint } from './endpoint.ts'
import { ipKind, portKind, showBytes } from './kinds.ts'
import { SIGNATURE_BYTES } from './limits.ts'

/**
 * RFC 4787 behaviour in the `nat` extension: 0 unknown, 1 endpoint-independent, 2
 * address-dependent,
 * 3 address- and port-dependent.
 */
const natBehaviourSchema = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)])
const natSchema = z.readonly(z.strictObject({ mapping: natBehaviourSchema, filtering: natBehaviourSchema }))
/** A NAT's behaviour as the `nat` field has it (RFC 4787 §4.1, §5). */
export type Nat = z.infer<typeof natSchema>
/**
 * Mapping or filtering behaviour (RFC 4787): endpoint-independent, address-dependent, or address- and
 * port-dependent.
 */
export type NatBehaviour = Nat['mapping']

/** How the value of an extension is encoded, without type and length. */
export interface ExtensionKind<Value> {
  readonly schema: z.ZodMiniType<Value>
  /** Bytes of the value, or −1 if it is not of this kind. */
  measure(value: Value): number
  write(out: Uint8Array, at: number, value: Value): void
  /** The value of `bytes[at, end)`, or undefined if it is not canonical. */
  read(bytes: Uint8Array, at: number, end: number): Value | undefined
  /** As part of a log line. */
  show(value: Value): string
}

export const opaque = (min: number, max: number): ExtensionKind<Uint8Array> => ({
  schema: z
    .instanceof(Uint8Array)
    .check(z.refine((bytes) => bytes.length >= min && bytes.length <= max, `not ${min}–${max} bytes`)),
  measure: (value) => (value instanceof Uint8Array && value.length >= min && value.length <= max ? value.length : -1),
  write: (out, at, value) => out.set(value, at),
  read: (bytes, at, end) => (end - at >= min && end - at <= max ? bytes.subarray(at, end) : undefined),
  show: showBytes,
})

/** An RSA modulus: as many bytes as a signature, its highest bit set. */
const isModulus = (bytes: Uint8Array): boolean => SIGNATURE_BYTES.includes(bytes.length) && (bytes[0] as number) >= 0x80
export const modulusKind: ExtensionKind<Uint8Array> = {
  schema: z.instanceof(Uint8Array).check(z.refine(isModulus, 'not the modulus of a key that may sign')),
  measure: (value) => (value instanceof Uint8Array && isModulus(value) ? value.length : -1),
  write: (out, at, value) => out.set(value, at),
  read: (bytes, at, end) => {
    const value = bytes.subarray(at, end)
    return isModulus(value) ? value : undefined
  },
  show: showBytes,
}

const MAX_U32 = 0xffff_ffff
export const capsKind: ExtensionKind<number> = {
  schema: z.int().check(z.gte(0), z.lte(MAX_U32)),
  measure: (value) => (Number.isInteger(value) && value >= 0 && value <= MAX_U32 ? 4 : -1),
  write: (out, at, value) => void writeU32(out, at, value),
  read: (bytes, at, end) => (end - at === 4 ? readU32(bytes, at) : undefined),
  show: String,
}

const isNatBehaviour = (value: number | undefined): value is NatBehaviour =>
  value !== undefined && Number.isInteger(value) && value >= 0 && value <= 3
export const natKind: ExtensionKind<Nat> = {
  schema: natSchema,
  measure: (value) => (isNatBehaviour(value?.mapping) && isNatBehaviour(value.filtering) ? 2 : -1),
  write: (out, at, value) => {
    out[at] = value.mapping
    out[at + 1] = value.filtering
  },
  read: (bytes, at, end) => {
    const mapping = bytes[at]
    const filtering = bytes[at + 1]
    return end - at === 2 && isNatBehaviour(mapping) && isNatBehaviour(filtering) ? { mapping, filtering } : undefined
  },
  show: ({ mapping, filtering }) => `${mapping}/${filtering}`,
}

export const endpoints = (max: number): ExtensionKind<readonly Endpoint[]> => ({
  schema: z.readonly(z.array(endpointSchema).check(z.minLength(1), z.maxLength(max))),
  measure: (value) => {
    if (!Array.isArray(value) || value.length < 1 || value.length > max) return -1
    let total = 0
    for (const endpoint of value as readonly Endpoint[]) {
      const ipBytes = ipKind.measure(endpoint?.ip)
      if (ipBytes === -1 || portKind.measure(endpoint.port) === -1) return -1
      total += ipBytes + 2
    }
    return total
  },
  write: (out, at, value) => {
    let next = at
    for (const { ip, port } of value) next = portKind.write(out, ipKind.write(out, next, ip), port)
  },
  read: (bytes, at, end) => {
    const list: Endpoint[] = []
    const view = bytes.subarray(0, end)
    for (let next = at; next < end; ) {
      const ipEnd = ipKind.end(view, next)
      const portEnd = ipEnd === -1 ? -1 : portKind.end(view, ipEnd)
      if (portEnd === -1 || list.length === max) return undefined
      list.push({ ip: ipKind.read(view, next, ipEnd), port: portKind.read(view, ipEnd, portEnd) })
      next = portEnd
    }
    return list.length === 0 ? undefined : list
  },
  show: (value) => value.map(formatEndpoint).join(','),
})

/** So many zeros: the value is their number. */
export const zeros = (max: number): ExtensionKind<number> => ({
  schema: z.int().check(z.gte(0), z.lte(max)),
  measure: (value) => (Number.isInteger(value) && value >= 0 && value <= max ? value : -1),
  write: (out, at, value) => void out.fill(0, at, at + value),
  read: (bytes, at, end) =>
    end - at <= max && bytes.subarray(at, end).every((byte) => byte === 0) ? end - at : undefined,
  show: (value) => `${value}B`,
})

const oneEndpoint = endpoints(1)
export const observedKind: ExtensionKind<Endpoint> = {
  schema: endpointSchema,
  measure: (value) => oneEndpoint.measure([value]),
  write: (out, at, value) => oneEndpoint.write(out, at, [value]),
  read: (bytes, at, end) => oneEndpoint.read(bytes, at, end)?.[0],
  show: formatEndpoint,
}

/** Endpoints: an IP address in canonical form and a UDP port. */
import * as z from 'zod/mini'
import { ShowchainError } from './errors.ts'
import { quote } from './foreign.ts'
import { canonicalIp, ipFamily, isCanonicalIp } from './ip.ts'
import { MAX_U16 } from './limits.ts'

export const ipSchema = z.string().check(z.refine(isCanonicalIp, 'not an IP address in canonical form'))
export const portSchema = z.int().check(z.gte(1), z.lte(MAX_U16))
/** Checks an endpoint, and gives its canonical form. */
export const endpointSchema = z.readonly(z.strictObject({ ip: ipSchema, port: portSchema }))
/** An IP address and a port. */
export type Endpoint = z.infer<typeof endpointSchema>

/**
 * `192.0.2.1:4000` or `[2001:db8::1]:4000`. Equal endpoints have equal texts: it serves as a map
 * key.
 */
export const formatEndpoint = ({ ip, port }: Endpoint): string =>
  ipFamily(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`

/** Whether both are the same address and port, in canonical form. */
export const sameEndpoint = (a: Endpoint, b: Endpoint): boolean => a.port === b.port && a.ip === b.ip

/** @throws ShowchainError `ERR_BAD_ENDPOINT` */
export function parseEndpoint(text: string): Endpoint {
  const split = splitHostPort(text)
  const ip = split === undefined ? undefined : canonicalIp(split.host)
  if (split === undefined || ip === undefined) throw new ShowchainError('ERR_BAD_ENDPOINT', `Got ${quote(text)}.`)
  return { ip, port: split.port }
}

/**
 * Splits `host:port` and `[ipv6]:port`. IPv6 needs brackets, and nothing else may have them; the
 * port is 1–65535 without leading zeros.
 */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  // A caller in JavaScript may pass anything, and exec() would call its toString.
  if (typeof text !== 'string') return undefined
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]+)):([1-9][0-9]{0,4})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  const bracketed = match[1]
  if (port > MAX_U16 || (bracketed !== undefined && !bracketed.includes(':'))) return undefined
  return { host: bracketed ?? (match[2] as string), port }
}

/**
 * Which interfaces lead to the internet. Node does not tell; Linux does in two files. Elsewhere none
 * is known, and names of interfaces have to do.
 */
import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'

/** RTF_UP and RTF_REJECT of linux/route.h. */
const UP = 0x1
const REJECT = 0x200

interface Route {
  readonly name: string
  readonly metric: number
}

/**
 * Names of interfaces with a default route, best first: those of IPv4, then those of IPv6, each by
 * metric.
 *
 * @param ipv4 what /proc/net/route says
 * @param ipv6 what /proc/net/ipv6_route says
 */
export function defaultInterfaces(ipv4: string, ipv6: string): readonly string[] {
  const four = fieldsOf(ipv4).flatMap(([name, destination, , flags, , , metric, mask]): Route[] =>
    isDefault(destination, flags) && /^0+$/.test(mask ?? '') ? [{ name: name as string, metric: Number(metric) }] : [],
  )
  const six = fieldsOf(ipv6).flatMap(([destination, length, , , , metric, , , flags, name]): Route[] =>
    isDefault(destination, flags) && length === '00'
      ? [{ name: name as string, metric: Number.parseInt(metric as string, 16) }]
      : [],
  )
  const byMetric = (a: Route, b: Route): number => a.metric - b.metric
  return [...new Set([...four.sort(byMetric), ...six.sort(byMetric)].map(({ name }) => name))]
}

/** The way out of a network over IPv4. */
export interface DefaultGateway {
  /** Of the interface. */
  readonly name: string
  readonly gateway: string
}

/**
 * The router of the best default route; undefined: there is none, or none that has an address.
 * @param ipv4 what /proc/net/route says
 */
export function defaultGateway(ipv4: string): DefaultGateway | undefined {
  const [name] = defaultInterfaces(ipv4, '')
  const route = fieldsOf(ipv4).find(([own, destination, , flags]) => own === name && isDefault(destination, flags))
  const gateway = route?.[2] ?? ''
  if (name === undefined || !/^[0-9A-F]{8}$/i.test(gateway) || /^0+$/.test(gateway)) return undefined
  // The kernel prints what is in memory: on little-endian machines the last byte comes first.
  const bytes = [...gateway.matchAll(/../g)].map(([hex]) => Number.parseInt(hex, 16))
  return { name, gateway: (endianness() === 'LE' ? bytes.reverse() : bytes).join('.') }
}

/** That of this host; `unknown` where the system has no such file. */
export function readDefaultGateway(): DefaultGateway | 'none' | 'unknown' {
  const text = textOf('/proc/net/route')
  return text === '' ? 'unknown' : (defaultGateway(text) ?? 'none')
}

/** Those of this host; none where the system has no such files. */
export const readDefaultInterfaces = (): readonly string[] =>
  defaultInterfaces(textOf('/proc/net/route'), textOf('/proc/net/ipv6_route'))

const fieldsOf = (text: string): readonly (readonly string[])[] =>
  text.split('\n').map((line) => line.trim().split(/\s+/))

function isDefault(destination: string | undefined, flags: string | undefined): boolean {
  const set = Number.parseInt(flags ?? '', 16)
  return /^0+$/.test(destination ?? '') && (set & UP) !== 0 && (set & REJECT) === 0
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/**
 * Zones of IPv6 link-local addresses (RFC 4007): Node writes an interface behind the address, by name or
 * on Windows by number; routes have its number.
 */
import { networkInterfaces } from 'node:os'
import { canonicalIp } from '@showchain/wire'
import type { Route } from '../core/endpoint/machine.ts'
import { scopeOf, socketOnLink } from '../core/endpoint/route.ts'

/** What is known of the interfaces is as old as this at most, in ms: one look takes 0.25 to 0.5 ms. */
const KNOWN_FOR = 1000

let known: { readonly until: number; readonly all: readonly (readonly [name: string, scope: number])[] } | undefined

/** An interface with a link-local address. What is not known is looked for at once. */
function find(isIt: (name: string, scope: number) => boolean): readonly [name: string, scope: number] | undefined {
  const now = performance.now()
  const found = known !== undefined && now < known.until ? known.all.find((each) => isIt(...each)) : undefined
  if (found !== undefined) return found
  const all = Object.entries(networkInterfaces()).map(([name, addresses]) => [name, scopeAmong(addresses)] as const)
  known = { until: now + KNOWN_FOR, all: all.filter(([, scope]) => scope > 0) }
  return known.all.find((each) => isIt(...each))
}

/** The number of an interface, which its link-local addresses have; 0: it has none. */
export const scopeAmong = (addresses: readonly { readonly scopeid?: number | undefined }[] = []): number =>
  addresses.find(({ scopeid = 0 }) => scopeid > 0)?.scopeid ?? 0

/**
 * The address of a route on one interface, as Node takes it. An interface that is gone is none: it cannot
 * be sent to.
 */
export function zoned(route: Route): string {
  const scope = scopeOf(route)
  if (process.platform === 'win32') return `${route.ip}%${scope}`
  const [name = ''] = find((_name, number) => number === scope) ?? []
  return `${route.ip}%${name}`
}

/** What Node says of a source; undefined: it cannot be read, or its interface is gone. */
export function routeFrom(address: string, port: number): Route | undefined {
  const [text = '', zone] = address.split('%')
  const ip = canonicalIp(text)
  if (ip === undefined) return undefined
  if (zone === undefined) return { ip, port }
  const [, scope = 0] = process.platform === 'win32' ? [zone, Number(zone)] : (find((name) => name === zone) ?? [])
  return !(scope > 0) ? undefined : { ip, port, socket: socketOnLink(scope) }
}

/** The private networks that this host is on, as far as other hosts may be there. */
import { networkInterfaces } from 'node:os'
import { canonicalIp, ipFamily } from '@showchain/wire'
import { isIpv6LinkLocal, isLanAddress, type LanLink, type Subnet } from '../../core/lan/link.ts'
import { isShared } from '../local-addresses.ts'
import { scopeAmong } from '../zones.ts'

/** What `os.networkInterfaces` tells, as far as it matters. */
export type NetworkInterfaces = NodeJS.Dict<
  readonly {
    readonly address: string
    readonly internal: boolean
    readonly cidr: string | null
    /** Of a link-local address. */
    readonly scopeid?: number | undefined
  }[]
>

/** More interfaces than any host has on networks of people. */
const MAX_LINKS = 8
/** A point-to-point link, and one address alone, are no network (RFC 3021). */
const LONGEST_PREFIX = 30

/**
 * By name, each once for IPv4 and once for IPv6. Not those to containers and virtual machines of this
 * host, nor tunnels. Every interface has link-local addresses of IPv6: they make no network private that
 * has public addresses alone beside them.
 */
export function lanLinks(interfaces: NetworkInterfaces = networkInterfaces()): readonly LanLink[] {
  return Object.entries(interfaces)
    .filter(([name]) => isShared(name))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, addresses = []]) => linksOf(name, addresses))
    .filter((links) => links.length > 0)
    .slice(0, MAX_LINKS)
    .flat()
}

function linksOf(name: string, addresses: NonNullable<NetworkInterfaces[string]>): readonly LanLink[] {
  const subnets = addresses.flatMap(subnetOf)
  const isPublic = addresses.some(({ address }) => !isLanAddress(address.split('%')[0] ?? ''))
  if (isPublic && subnets.every(({ ip }) => isIpv6LinkLocal(ip))) return []
  const scope = scopeAmong(addresses)
  const ipv4 = subnets.filter(({ ip }) => ipFamily(ip) === 4)
  const ipv6 = scope === 0 ? [] : subnets.filter(({ ip }) => ipFamily(ip) === 6)
  return [
    ...(ipv4.length > 0 ? [{ name, family: 4, scope: 0, subnets: ipv4 } as const] : []),
    ...(ipv6.some(({ ip }) => isIpv6LinkLocal(ip)) ? [{ name, family: 6, scope, subnets: ipv6 } as const] : []),
  ]
}

function subnetOf({ address, internal, cidr }: { address: string; internal: boolean; cidr: string | null }): Subnet[] {
  const ip = canonicalIp(address)
  const prefix = Number(cidr?.split('/')[1])
  if (internal || ip === undefined || !isLanAddress(ip) || !(prefix > 0)) return []
  return ipFamily(ip) === 4 && prefix > LONGEST_PREFIX ? [] : [{ ip, prefix }]
}

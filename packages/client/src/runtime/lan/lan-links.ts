/** The private networks that this host is on, as far as other hosts may be there. */
import { networkInterfaces } from 'node:os'
import { canonicalIp, ipFamily } from '@showchain/wire'
import { isLanAddress, type LanLink, type Subnet } from '../../core/lan/link.ts'
import { isShared } from '../local-addresses.ts'

/** What `os.networkInterfaces` tells, as far as it matters. */
export type NetworkInterfaces = NodeJS.Dict<
  readonly { readonly address: string; readonly internal: boolean; readonly cidr: string | null }[]
>

/** More interfaces than any host has on networks of people. */
const MAX_LINKS = 8
/** A point-to-point link, and one address alone, are no network (RFC 3021). */
const LONGEST_PREFIX = 30

/** By name. Not those to containers and virtual machines of this host, nor tunnels. */
export function lanLinks(interfaces: NetworkInterfaces = networkInterfaces()): readonly LanLink[] {
  return Object.entries(interfaces)
    .filter(([name]) => isShared(name))
    .map(([name, addresses = []]) => ({ name, subnets: addresses.flatMap(subnetOf) }))
    .filter(({ subnets }) => subnets.some(({ ip }) => ipFamily(ip) === 4))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .slice(0, MAX_LINKS)
}

function subnetOf({ address, internal, cidr }: { address: string; internal: boolean; cidr: string | null }): Subnet[] {
  const ip = canonicalIp(address)
  const prefix = Number(cidr?.split('/')[1])
  if (internal || ip === undefined || !isLanAddress(ip) || !(prefix > 0)) return []
  return ipFamily(ip) === 4 && prefix > LONGEST_PREFIX ? [] : [{ ip, prefix }]
}

/**
 * Where this host can be reached on its own networks: the host candidates of the `local` extension
 * field.
 */
import { networkInterfaces } from 'node:os'
import { canonicalIp, ipFamily } from '@showchain/wire'
import { internetPolicy } from '../core/endpoint/address-policy.ts'
import { readDefaultInterfaces } from './default-routes.ts'

/**
 * Link-local: fe80::/10 (RFC 4291 §2.5.6) and 169.254/16 (RFC 3927) mean nothing to another host
 * without a zone.
 */
const LINK_LOCAL = /^(fe[89ab]|169\.254\.)/i

/** What `os.networkInterfaces` tells, as far as it matters. */
export type Interfaces = NodeJS.Dict<readonly { readonly address: string; readonly internal: boolean }[]>

/** Interfaces of virtual private networks and other tunnels, by the names that systems give them. */
const TUNNEL = /^(tun|tap|utun|wg|ppp|ipsec|gre|sit|ip6tnl|vti|tailscale|zt|nebula|nordlynx)/i
/** Interfaces to the containers and virtual machines of this host: nobody else is behind them. */
const HOST_ONLY =
  /^(docker|br-|veth|virbr|lxcbr|lxdbr|incusbr|podman|cni|flannel|cali|weave|nerdctl|vboxnet|vmnet|bridge\d|vethernet)/i

/** What an interface is good for, best first. */
const RANK = { default: 0, other: 1, tunnel: 2, hostOnly: 3 } as const

function rankOf(name: string, defaults: readonly string[]): number {
  if (defaults.includes(name)) return RANK.default
  if (HOST_ONLY.test(name)) return RANK.hostOnly
  return TUNNEL.test(name) ? RANK.tunnel : RANK.other
}

/** Whether other hosts may be on an interface with this name: it leads neither to containers nor through a tunnel. */
export const isShared = (name: string): boolean => !HOST_ONLY.test(name) && !TUNNEL.test(name)

interface Found {
  readonly ip: string
  readonly rank: number
  /** Breaks ties, so that the order of the system does not matter. */
  readonly order: string
}

/**
 * Addresses of this host without loopback and link-local ones, best first: of interfaces with a
 * default route, of others, of tunnels; each IPv4 first, then by interface name, then by text.
 * Private addresses towards its own containers are left out where it has any other.
 *
 * @param defaults names of the interfaces with a default route, best first
 */
export function localAddresses(
  interfaces: Interfaces = networkInterfaces(),
  defaults: readonly string[] = readDefaultInterfaces(),
): readonly string[] {
  const found = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ address, internal }) => !internal && !address.includes('%') && !LINK_LOCAL.test(address))
      .flatMap(({ address }) => canonicalIp(address) ?? [])
      .map((ip): Found => {
        const place = String(defaults.indexOf(name)).padStart(3, '0')
        return { ip, rank: rankOf(name, defaults), order: `${ipFamily(ip)} ${place} ${name} ${ip}` }
      }),
  )
  const sorted = found.sort((a, b) => a.rank - b.rank || (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
  const reachable = sorted.filter(({ ip, rank }) => rank !== RANK.hostOnly || internetPolicy({ ip, port: 1 }, false))
  return [...new Set((reachable.length > 0 ? reachable : sorted).map(({ ip }) => ip))]
}

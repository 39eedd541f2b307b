/** Who is asked what the NAT does: STUN servers of the configuration, then relays. */
import { type Endpoint, ipFamily } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { NatDiscovery } from '../nat/nat-discovery.ts'
import { type Registrations, viewsOf } from '../punch/candidates.ts'
import type { Registration } from '../relays/registration.ts'

/** What a system with UDP has. */
export type FindNat = typeof natDiscovery

/** @param stunServers of the configuration, asked before the relays */
export function natDiscovery(
  context: PeerContext,
  registrations: Registrations,
  stunServers: () => readonly Endpoint[],
): NatDiscovery {
  const registered = (): readonly Registration[] =>
    [...registrations.values()].filter((each) => each.registered && each.knowsExtensions && each.route.over === 'udp')
  return new NatDiscovery(context, {
    servers: () => ofIpv4([...stunServers(), ...registered().map(({ relay }) => relay.endpoint)]),
    views: () => viewsOf(registered()),
  })
}

/** What two families show of one socket cannot be compared, and a NAT that matters is one of IPv4. */
function ofIpv4(servers: readonly Endpoint[]): readonly Endpoint[] {
  const some = servers.filter(({ ip }) => ipFamily(ip) === 4)
  return some.length > 0 ? some : servers
}

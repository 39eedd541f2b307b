/** The router that leads out of this network over IPv4. */
import { networkInterfaces } from 'node:os'
import { ipFamily } from '@showchain/wire'
import { isPrivate } from '../core/endpoint/address-policy.ts'
import { readDefaultGateway } from './default-routes.ts'
import { type Interfaces, localAddresses } from './local-addresses.ts'
import type { Gateway } from './runtime.ts'

/**
 * As Linux tells it. Elsewhere it is taken for the first address of a private network of 256 that this
 * host is on, as most routers at home have it: who is asked there in vain does not answer.
 */
export function findGateway(
  interfaces: Interfaces = networkInterfaces(),
  route: ReturnType<typeof readDefaultGateway> = readDefaultGateway(),
): Gateway | undefined {
  if (route === 'unknown') {
    const local = localAddresses(interfaces, []).find((ip) => ipFamily(ip) === 4 && isPrivate(ip))
    return local === undefined ? undefined : { ip: local.replace(/\d+$/, '1'), local }
  }
  if (route === 'none') return undefined
  const local = interfaces[route.name]?.find(({ address }) => ipFamily(address) === 4)?.address
  return local === undefined ? undefined : { ip: route.gateway, local }
}

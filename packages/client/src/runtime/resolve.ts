/**
 * From the address in a ticket or an argument, which may be a host name, to the endpoints that it
 * stands for.
 */
import { lookup } from 'node:dns/promises'
import { type Address, canonicalIp, type Endpoint, formatEndpoint, quote, ShowchainError } from '@showchain/wire'

/**
 * All endpoints of the address, in the order of the system's resolver. An IP address never reaches
 * a resolver.
 *
 * @throws ShowchainError `ERR_CANNOT_RESOLVE`
 */
export async function resolveAddress({ host, port }: Address): Promise<readonly Endpoint[]> {
  const literal = canonicalIp(host)
  if (literal !== undefined) return [{ ip: literal, port }]
  const answers = await lookup(host, { all: true, verbatim: true }).catch((cause: unknown) => {
    throw new ShowchainError('ERR_CANNOT_RESOLVE', `Got ${quote(host)}.`, { cause })
  })
  const endpoints = new Map<string, Endpoint>()
  for (const { address } of answers) {
    const ip = canonicalIp(address)
    if (ip !== undefined) endpoints.set(formatEndpoint({ ip, port }), { ip, port })
  }
  if (endpoints.size === 0) throw new ShowchainError('ERR_CANNOT_RESOLVE', `${quote(host)} has no address.`)
  return [...endpoints.values()]
}

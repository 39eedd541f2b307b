/**
 * Where a request came from, behind proxies that the configuration names. Each of them adds the address
 * that it sees to the end of `X-Forwarded-For`, so that what a client wrote itself is before that: the
 * last address that no trusted proxy has is the client's. From anybody else the header means nothing.
 */
import { BlockList, isIP } from 'node:net'
import { canonicalIp, ipFamily, quote, ShowchainError } from '@showchain/wire'

/** Addresses in one header: more is nothing that proxies make. */
const MAX_HOPS = 16

const typeOf = (ip: string): 'ipv4' | 'ipv6' => (ipFamily(ip) === 6 ? 'ipv6' : 'ipv4')

export class TrustedProxies {
  readonly #trusted = new BlockList()

  /**
   * @param proxies addresses, or subnets with the length of their prefix (RFC 4632)
   * @throws ShowchainError `ERR_BAD_CONFIG`
   */
  constructor(proxies: readonly string[]) {
    for (const text of proxies) {
      const [host = '', length, ...rest] = text.split('/')
      const ip = isIP(host) === 0 ? undefined : canonicalIp(host)
      const bits = ip === undefined ? 0 : ipFamily(ip) === 6 ? 128 : 32
      const prefix = length === undefined ? bits : /^[0-9]{1,3}$/.test(length) ? Number(length) : -1
      if (ip === undefined || rest.length > 0 || prefix < 0 || prefix > bits)
        throw new ShowchainError('ERR_BAD_CONFIG', `${quote(text)} is not an address or subnet of a proxy.`)
      this.#trusted.addSubnet(ip, prefix, typeOf(ip))
    }
  }

  trusts(ip: string): boolean {
    return this.#trusted.check(ip, typeOf(ip))
  }

  /**
   * @param from who made the TCP connection
   * @param header X-Forwarded-For, all of its lines
   * @returns undefined when a trusted proxy says nothing that makes sense
   */
  source(from: string, header: string | undefined): string | undefined {
    if (!this.trusts(from)) return from
    const hops = (header ?? '').split(',')
    if (hops.length > MAX_HOPS) return undefined
    for (const hop of hops.reverse()) {
      const ip = canonicalIp(hop.trim())
      if (ip === undefined) return undefined
      if (!this.trusts(ip)) return ip
    }
    return undefined
  }
}

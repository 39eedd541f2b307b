/** Makes a WebSocket connection. It is loaded with the first one, as most peers never need any. */
import type { Agent } from 'node:http'
import type { LookupFunction } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { type Endpoint, ipFamily, MAX_PROBED_DATAGRAM } from '@showchain/wire'
import { type ClientOptions, WebSocket } from 'ws'
import type { WebSocketTarget } from '../../core/endpoint/machine.ts'

/** Until it is open: TCP, a proxy, TLS and HTTP, each of which may be slow. */
const OPEN_TIME = 10_000 // ms

/** One that is being opened: its events tell how that goes. */
export async function connectTo({ url, endpoint }: WebSocketTarget): Promise<WebSocket> {
  const agent = await agentFor(url)
  return new WebSocket(url, {
    ...(agent === undefined ? { lookup: lookupOf(endpoint) } : { agent }),
    // Through a proxy Node would not know whom the certificate is to name, where that is an IP address.
    checkServerIdentity: ((_name: string, certificate: PeerCertificate) =>
      checkServerIdentity(hostOf(url), certificate)) as unknown as NonNullable<ClientOptions['checkServerIdentity']>,
    perMessageDeflate: false,
    maxPayload: MAX_PROBED_DATAGRAM,
    handshakeTimeout: OPEN_TIME,
  })
}

/** Without the brackets of an IPv6 address. */
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')

/**
 * The name is known to be at this endpoint: it is for TLS and HTTP alone. The answer comes later, as
 * Node expects: what the system refuses at once would be an error before anybody listens for it.
 */
const lookupOf =
  ({ ip }: Endpoint): LookupFunction =>
  (_host, { all }, callback) => {
    const family = ipFamily(ip)
    setImmediate(() => (all === true ? callback(null, [{ address: ip, family }]) : callback(null, ip, family)))
  }

/** Loaded only where the environment names a proxy. */
async function agentFor(url: string): Promise<Agent | undefined> {
  const named = ['https_proxy', 'all_proxy'].some((name) => process.env[name] ?? process.env[name.toUpperCase()])
  return named ? (await import('./proxy.ts')).proxyAgent(url) : undefined
}

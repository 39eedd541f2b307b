/** The proxy that the environment names for a connection: HTTPS_PROXY, unless NO_PROXY has its host. */
import type { Agent } from 'node:http'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { getProxyForUrl } from 'proxy-from-env'

export function proxyAgent(url: string): Agent | undefined {
  const proxy = getProxyForUrl(url.replace(/^wss?:/, 'https:'))
  return proxy === '' ? undefined : new HttpsProxyAgent(proxy)
}

/** How a relay takes WebSocket connections: apart, so that its declarations need none of a library's. */
import type { ListenAddress } from '@showchain/client/runtime'

/** Certificate chain and private key, PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** How a relay takes WebSocket connections. */
export interface WebSocketOptions {
  /** Where it listens for TCP. */
  readonly listen: ListenAddress
  /** Without one it speaks plain HTTP: for labs, and behind a proxy that ends TLS. @default none */
  readonly tls?: Certificate | undefined
  /**
   * Addresses and subnets of proxies before the relay, whose `X-Forwarded-For` names the source that
   * limits are for. @default none
   */
  readonly trustedProxies?: readonly string[] | undefined
  /**
   * Sites whose pages may connect, as browsers write them (`https://example.org`), or `*` for any. A
   * program that is no browser names none, and always may. @default none
   */
  readonly origins?: readonly string[] | undefined
}

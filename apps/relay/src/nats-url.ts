/** Where a NATS server is, and who a relay is there: `nats://user:password@host:port`. */

/** The port that NATS has by default. */
const NATS_PORT = '4222'

export interface NatsServer {
  /** Host and port. */
  readonly at: string
  /** Whether it must have TLS. Without, TLS is used where the server offers it. */
  readonly tls: boolean
  /** The name of a user; without a password it is a token. */
  readonly user?: string | undefined
  readonly password?: string | undefined
}

/** @throws Error that does not repeat the text: it may have a password */
export function parseNatsServer(text: string): NatsServer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const server = url?.protocol === 'nats:' || url?.protocol === 'tls:'
  if (url === undefined || !server || url.hostname === '' || !['', '/'].includes(url.pathname) || url.search !== '')
    throw new Error('is not nats://host:port, or tls://host:port')
  try {
    return {
      at: `${url.hostname}:${url.port || NATS_PORT}`,
      tls: url.protocol === 'tls:',
      user: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
    }
  } catch {
    throw new Error('has a user or password that is not percent-encoded')
  }
}

/** Binds the sockets of a node: one of each family, on one port where any will do. */
import { ipFamily, ShowchainError } from '@showchain/wire'
import { type Bind, BindError, type BoundSocket } from './bound-socket.ts'
import { isWildcard } from './local-candidates.ts'
import type { ListenAddress } from './udp-options.ts'

/** Tries to get the same free port in both families before two different ones are good enough. */
const SAME_PORT_TRIES = 8

/** Error codes of a host without IPv6 (or without IPv4). */
const FAMILY_MISSING: readonly string[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT']

/**
 * Binds each address; when both ask for any port, both get the same one, so that one port can be
 * announced.
 *
 * @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`
 */
export async function bindAll(
  listen: readonly ListenAddress[],
  bind: Bind,
): Promise<{ readonly sockets: readonly BoundSocket[]; readonly skipped: readonly ListenAddress[] }> {
  const anyPort = listen.length > 1 && listen.every(({ port }) => port === 0)
  for (let tries = 1; ; tries++) {
    const sockets: BoundSocket[] = []
    const skipped: ListenAddress[] = []
    try {
      for (const address of listen) {
        const first = sockets[0]
        const port = anyPort && first !== undefined && tries < SAME_PORT_TRIES ? first.local.port : address.port
        const socket = await bind({ host: address.host, port }).catch((error: unknown) => {
          if (listen.length === 1 || !isWildcard(address.host) || !isCode(error, FAMILY_MISSING)) throw error
          skipped.push(address)
        })
        if (socket !== undefined) sockets.push(socket)
      }
      if (sockets.length === 0) throw new ShowchainError('ERR_CANNOT_LISTEN', 'This host has neither IPv4 nor IPv6.')
      return { sockets, skipped }
    } catch (error) {
      await Promise.all(sockets.map((socket) => socket.close()))
      if (!(anyPort && tries < SAME_PORT_TRIES && isCode(error, ['EADDRINUSE']))) throw typed(error, listen)
    }
  }
}

const isCode = (error: unknown, codes: readonly string[]): boolean =>
  error instanceof BindError && codes.includes(error.code ?? '')

function typed(error: unknown, listen: readonly ListenAddress[]): unknown {
  if (!(error instanceof BindError)) return error
  const { address, code, cause, message } = error
  const { host, port } = address
  const at = `${ipFamily(host) === 6 ? `[${host}]` : host}:${listen.find((each) => each.host === host)?.port ?? port}`
  if (code === 'EADDRINUSE') return new ShowchainError('ERR_ADDRESS_IN_USE', `Got ${at}.`, { cause })
  const why: Record<string, string> = {
    EACCES: `${at} needs more rights: choose a port from 1024 on.`,
    EADDRNOTAVAIL: `${host} is no address of this host.`,
    EAFNOSUPPORT: `This host has no IPv${ipFamily(host)}.`,
  }
  return new ShowchainError('ERR_CANNOT_LISTEN', why[code ?? ''] ?? `${at}: ${message}.`, { cause })
}

/** Targets and local sockets as people write them: `tcp://host:port`, `udp://host:port`, `unix:PATH`. */
import { type Address, formatAddress, parseAddress, quote, ShowchainError } from '@showchain/wire'

export type SocketAddress =
  | { readonly scheme: 'tcp' | 'udp'; readonly address: Address }
  | { readonly scheme: 'unix'; readonly path: string }

/** sun_path of Linux, with its last zero. */
const MAX_UNIX_PATH = 107
const LOOPBACK = '127.0.0.1'

const refused = (text: string, why: string): ShowchainError =>
  new ShowchainError('ERR_BAD_ARGUMENT', `${quote(text)}: ${why}`)

/** @throws ShowchainError `ERR_BAD_ARGUMENT` */
function parse(text: string, anyPort: boolean): SocketAddress {
  if (typeof text !== 'string') throw refused(text, 'expected a text.')
  const [, scheme, rest = ''] = /^(?:(tcp|udp):\/\/|(?:unix):)(.*)$/s.exec(text) ?? []
  if (scheme === undefined && !text.startsWith('unix:'))
    throw refused(text, 'expected tcp://host:port, udp://host:port or unix:PATH.')
  if (scheme === undefined) {
    if (rest === '' || rest.includes('\0') || Buffer.byteLength(rest) > MAX_UNIX_PATH)
      throw refused(text, `the path of a Unix socket has 1 to ${MAX_UNIX_PATH} bytes.`)
    return { scheme: 'unix', path: rest }
  }
  // Port 0 is no address on the internet, and any free one to listen at.
  const free = anyPort && /:0$/.test(rest)
  try {
    const { host, port } = parseAddress(free ? rest.replace(/0$/, '1') : rest)
    return { scheme: scheme as 'tcp' | 'udp', address: { host, port: free ? 0 : port } }
  } catch {
    throw refused(text, 'expected host:port behind //, an IPv6 address in brackets.')
  }
}

/** @throws ShowchainError `ERR_BAD_ARGUMENT` */
export const parseTarget = (text: string): SocketAddress => parse(text, false)

/**
 * Where to listen; a number alone is a TCP port at 127.0.0.1.
 * @throws ShowchainError `ERR_BAD_ARGUMENT`
 */
export const parseLocal = (text: string): SocketAddress =>
  parse(/^[0-9]{1,5}$/.test(text) ? `tcp://${LOOPBACK}:${text}` : text, true)

export const formatSocketAddress = (socket: SocketAddress): string =>
  socket.scheme === 'unix' ? `unix:${socket.path}` : `${socket.scheme}://${formatAddress(socket.address)}`

/** The sockets of a relay: all of them, or none. */
import type { CountedSocket, Runtime, UdpOptions } from '@showchain/client/runtime'
import { isChannelFrame } from '@showchain/wire/end-to-end'
import type { RelayOpenOptions } from './relay-open-options.ts'
import type { WebSocketListener } from './websocket/listener.ts'

/** What it listens with. */
export interface Listening {
  readonly socket: CountedSocket
  /** They answer STUN alone. */
  readonly others: readonly CountedSocket[]
  readonly websocket: WebSocketListener | undefined
}

/** The relay's own first; its own ones, or those of another process that opened them for it. */
function socketsOf({
  listen,
  stunAlternates = [],
  shared,
}: RelayOpenOptions): readonly Pick<UdpOptions, 'listen' | 'descriptors'>[] {
  if (shared === undefined) return [{ listen }, ...stunAlternates.map((alternate) => ({ listen: [alternate] }))]
  return [shared.own, ...shared.stunAlternates].map((descriptors) => ({ descriptors }))
}

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN` */
export async function listening(options: RelayOpenOptions, runtime: Runtime): Promise<Listening> {
  const { websocket: takes, onWarning } = options
  const sockets: CountedSocket[] = []
  let websocket: WebSocketListener | undefined
  try {
    const [own, ...alternates] = socketsOf(options)
    const each = { onWarning, messagesOnly: true }
    sockets.push(await runtime.openSocket({ ...own, ...each, borrows: isChannelFrame }))
    for (const alternate of alternates) sockets.push(await runtime.openSocket({ ...alternate, ...each }))
    // Only who wants it loads what it needs.
    if (takes !== undefined)
      websocket = await (await import('./websocket/listener.ts')).WebSocketListener.open(takes, runtime.clock)
  } catch (error) {
    await Promise.all(sockets.map((socket) => socket.close()))
    throw error
  }
  const [socket, ...others] = sockets
  return { socket: socket as CountedSocket, others, websocket }
}

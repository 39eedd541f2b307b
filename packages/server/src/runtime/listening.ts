/** The sockets of a relay: all of them, or none. */
import type { CountedSocket, Runtime } from '@showchain/client/runtime'
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

/** @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN` */
export async function listening(
  { listen, stunAlternates = [], websocket: takes, onWarning }: RelayOpenOptions,
  runtime: Runtime,
): Promise<Listening> {
  const sockets: CountedSocket[] = []
  let websocket: WebSocketListener | undefined
  try {
    sockets.push(await runtime.openSocket({ listen, onWarning, borrows: isChannelFrame }))
    for (const alternate of stunAlternates) sockets.push(await runtime.openSocket({ listen: [alternate], onWarning }))
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

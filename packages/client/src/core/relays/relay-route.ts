/**
 * Where a relay is reached at the moment: over UDP, or by the WebSocket connection that is bound. Who
 * sends to a relay holds this object, and goes along when it changes.
 */
import type { Endpoint, PeerId } from '@showchain/wire'
import type { Carrier } from '../context/carriers.ts'
import type { Route, SocketId } from '../endpoint/machine.ts'

/** Which relay, and where. */
export interface RelayAddress {
  readonly id: PeerId
  readonly endpoint: Endpoint
  /** Its address of the other IP family, where this peer asks what its own is. @default it has none */
  readonly other?: Endpoint | undefined
  /** Further addresses of its name, which may be those of a fleet. @default none */
  readonly further?: readonly Endpoint[] | undefined
  /** Where it takes WebSocket connections. @default nowhere */
  readonly websocket?: string | undefined
}

export class RelayRoute implements Route {
  readonly ip: string
  readonly port: number
  /** The connection; undefined: UDP. */
  socket: SocketId | undefined

  constructor({ ip, port }: Endpoint) {
    this.ip = ip
    this.port = port
  }

  get over(): Carrier {
    return this.socket === undefined ? 'udp' : 'websocket'
  }
}

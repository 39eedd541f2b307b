/**
 * Where a peer is that is bound at another node of the fleet: a route that leads over the bus. What
 * knows routes can send there as to any other.
 */
import type { Instant, Route, SocketId } from '@showchain/client/endpoint'
import type { Encoding, Endpoint, PeerId } from '@showchain/wire'
import type { FleetAddress } from '@showchain/wire/fleet'
import type { Binding } from '../bindings.ts'

/** No socket has this number. */
export const BUS: SocketId = -1
const NO_KEY = new Uint8Array(0)
/** Of a peer whose address only its own node knows. */
const NOWHERE: Endpoint = { ip: '', port: 0 }

/** What is known of a peer at another node. Its own node knows the rest, and adapts what it is sent. */
export class Elsewhere implements Route, Binding {
  readonly id: PeerId
  /** Its node, or everybody as long as that is not known. */
  readonly node: FleetAddress
  /** When that was so. */
  readonly at: Instant
  readonly ip: string
  readonly port: number
  readonly socket: SocketId = BUS
  readonly allowance: undefined = undefined
  readonly encoding: Encoding = 'binary'
  readonly knowsExtensions: boolean = true
  /** Empty where its node did not say it. */
  readonly spki: Uint8Array

  constructor(
    id: PeerId,
    node: FleetAddress,
    at: Instant,
    { ip, port }: Endpoint = NOWHERE,
    spki: Uint8Array = NO_KEY,
  ) {
    this.id = id
    this.node = node
    this.at = at
    this.ip = ip
    this.port = port
    this.spki = spki
  }

  get source(): Route {
    return this
  }
}

/**
 * What names a session: 0x114, 0x123 and 0x125 from a socket, and these and channel frames from other
 * nodes of the fleet. It goes to the part that it concerns, or to the session's node.
 */
import type { Datagram, Instant } from '@showchain/client/endpoint'
import { decode, type Encoding, MAX_DATAGRAM, type MessageOf, OP } from '@showchain/wire'
import { isChannelFrame } from '@showchain/wire/end-to-end'
import type { ChannelForwarder } from './channel-forwarder.ts'
import type { DataForwarder } from './data-forwarder.ts'
import { type DataPacket, DecodedData, viewData } from './data-packet.ts'
import type { Elsewhere } from './fleet/elsewhere.ts'
import type { Fleet } from './fleet/fleet.ts'
import type { RelayContext } from './relay-context.ts'
import type { Rendezvous } from './rendezvous.ts'

type OfSession = MessageOf<typeof OP.punchAck | typeof OP.proxyData | typeof OP.proxyDataAck>

interface Parts {
  readonly rendezvous: Rendezvous
  readonly data: DataForwarder
  readonly channel: ChannelForwarder
}

export class SessionMessages {
  readonly #context: RelayContext
  readonly #parts: Parts
  readonly #fleet: Fleet | undefined

  constructor(context: RelayContext, parts: Parts, fleet: Fleet | undefined) {
    this.#context = context
    this.#parts = parts
    this.#fleet = fleet
  }

  /** A 0x123. */
  data(packet: DataPacket, { bytes, source }: Datagram, now: Instant): void {
    if (this.#fleet?.takesMessage(packet.session, bytes, source, true, now) === true) return
    this.#parts.data.data(packet, source, now)
  }

  receive(message: OfSession, encoding: Encoding, datagram: Datagram, now: Instant): void {
    const { bytes, source } = datagram
    const signed = message.op_code !== OP.proxyDataAck
    if (this.#fleet?.takesMessage(message.session, bytes, source, signed, now) === true) return
    this.#own(message, encoding, datagram, now)
  }

  /** Another node says that this came from the address at which a peer is bound there. */
  arrived(bytes: Uint8Array, source: Elsewhere, now: Instant): void {
    const { channel, data } = this.#parts
    if (isChannelFrame(bytes)) return channel.arrived(source.id, bytes, now)
    const packet = bytes.length <= MAX_DATAGRAM ? viewData(bytes) : undefined
    if (packet !== undefined) return data.data(packet, source, now)
    const decoded = decode(bytes)
    if (decoded.ok && isOfSession(decoded.message)) this.#own(decoded.message, decoded.encoding, { bytes, source }, now)
    else this.#context.count('fleetRefused')
  }

  #own(message: OfSession, encoding: Encoding, datagram: Datagram, now: Instant): void {
    const { rendezvous, data } = this.#parts
    if (message.op_code === OP.punchAck) return rendezvous.acknowledge(message, datagram, now)
    if (message.op_code === OP.proxyDataAck) return data.acknowledge(message, encoding, datagram, now)
    data.data(new DecodedData(message, encoding, datagram.bytes), datagram.source, now)
  }
}

const isOfSession = (message: { readonly op_code: number }): message is OfSession =>
  message.op_code === OP.punchAck || message.op_code === OP.proxyData || message.op_code === OP.proxyDataAck

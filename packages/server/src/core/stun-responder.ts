/**
 * Answers STUN, by which peers learn their address and the behaviour of their NAT: Binding (RFC
 * 8489 §6.3), with the attributes of RFC 5780 where this relay has a second address or port, and
 * RFC 3489's requests, which have no magic cookie.
 *
 *   request at socket s ──► answer from s, or from the socket that CHANGE-REQUEST asks for, or 420
 *
 * An answer is longer than the shortest request, by the nature of STUN (20 bytes ask, at most 56
 * answer), so it counts against a rate of its source, which is STUN's own.
 * What cannot be honoured is refused, never answered otherwise: a client would take its NAT for an
 * open one.
 */
import { type Instant, type Route, rateSource, type SocketId } from '@showchain/client/endpoint'
import {
  decodeStun,
  type Endpoint,
  encodeStun,
  ipFamily,
  isClassic,
  STUN_ATTRIBUTE,
  type StunMessage,
} from '@showchain/wire'
import type { RelayContext } from './relay-context.ts'

/** By socket: where it is reached, at most one endpoint of each family. */
export type StunSockets = readonly (readonly Endpoint[])[]

export class StunResponder {
  readonly #context: RelayContext
  readonly #sockets: StunSockets
  readonly #unixMs: () => number

  constructor(context: RelayContext, sockets: StunSockets, unixMs: () => number) {
    this.#context = context
    this.#sockets = sockets
    this.#unixMs = unixMs
  }

  receive(bytes: Uint8Array, source: Route, now: Instant): void {
    const { count, rates, outbox } = this.#context
    const request = decodeStun(bytes)
    if (request?.type !== 'bindingRequest') return count('refused')
    if (!rates.stun.take(rateSource(source.ip), now)) return count('rateLimited')
    const at = source.socket ?? 0
    const from = this.#answering(request, at, ipFamily(source.ip))
    const unknown = from === undefined ? [STUN_ATTRIBUTE.changeRequest] : unsupported(request)
    const { transactionId } = request
    count(unknown.length === 0 ? 'stun' : 'stunRefused')
    const answer: StunMessage =
      unknown.length > 0
        ? { type: 'bindingError', transactionId, error: { code: 420, reason: 'Unknown Attribute' }, unknown }
        : { type: 'bindingSuccess', transactionId, ...this.#success(request, source, from ?? at) }
    outbox.transmit(
      { ip: source.ip, port: source.port, socket: unknown.length > 0 ? at : (from ?? at) },
      encodeStun(answer),
      'stun',
    )
  }

  /** The socket that answers; undefined when none is as CHANGE-REQUEST asks. */
  #answering({ change }: StunMessage, at: SocketId, family: 4 | 6): SocketId | undefined {
    if (change === undefined || !(change.ip || change.port)) return at
    const own = this.#endpoint(at, family)
    if (own === undefined) return undefined
    const found = this.#sockets.findIndex((_, socket) => {
      const other = this.#endpoint(socket, family)
      return other !== undefined && (other.ip !== own.ip) === change.ip && (other.port !== own.port) === change.port
    })
    return found === -1 ? undefined : found
  }

  #success(request: StunMessage, { ip, port }: Route, from: SocketId): Partial<StunMessage> {
    const family = ipFamily(ip)
    const origin = this.#endpoint(from, family)
    // RFC 3489 §11.1 requires SOURCE-ADDRESS and CHANGED-ADDRESS; without another address it is the
    // relay's own.
    const other = this.#other(request, from, family) ?? (isClassic(request) ? origin : undefined)
    const clock = request.clock === undefined || isClassic(request) ? undefined : this.#unixMs()
    return { mapped: { ip, port }, clock, ...(origin && { origin }), ...(other && { other }) }
  }

  /** Where both would be changed, or as much as this relay can change (RFC 5780 §7.4). */
  #other(request: StunMessage, from: SocketId, family: 4 | 6): Endpoint | undefined {
    for (const change of [
      { ip: true, port: true },
      { ip: false, port: true },
      { ip: true, port: false },
    ]) {
      const socket = this.#answering({ ...request, change }, from, family)
      if (socket !== undefined) return this.#endpoint(socket, family)
    }
    return undefined
  }

  #endpoint(socket: SocketId, family: 4 | 6): Endpoint | undefined {
    return this.#sockets[socket]?.find(({ ip }) => ipFamily(ip) === family)
  }
}

/**
 * Unsupported: RESPONSE-PORT would send answers to a port that did not ask, PADDING would make them
 * longer.
 */
const unsupported = ({ notUnderstood = [], responsePort, padding }: StunMessage): readonly number[] => [
  ...notUnderstood,
  ...(responsePort === undefined ? [] : [STUN_ATTRIBUTE.responsePort]),
  ...(padding === undefined ? [] : [STUN_ATTRIBUTE.padding]),
]

/** Demultiplexes the datagrams that come to a peer: by first byte, then by op code. */
import {
  CHANNEL_BYTE,
  decode,
  type Encoding,
  formatEndpoint,
  isStun,
  MAX_DATAGRAM,
  type Message,
  OP,
  type PeerId,
  RECORD_BYTE,
  sameEndpoint,
} from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import type { ConnectionTable } from '../connections/connection-table.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Datagram, Instant, Route } from '../endpoint/machine.ts'
import { sameRoute } from '../endpoint/route.ts'
import type { NatDiscovery } from '../nat/nat-discovery.ts'
import type { Registrations } from '../punch/candidates.ts'
import type { PunchAttempts } from '../punch/punch-attempts.ts'
import type { PunchResponder } from '../punch/punch-responder.ts'
import type { Registration } from '../relays/registration.ts'
import type { DirectResponder } from '../requests/direct-responder.ts'
import type { Transactions } from '../requests/transaction.ts'

export interface Destinations {
  readonly registrations: Registrations
  readonly transactions: Transactions
  readonly directResponder: DirectResponder
  readonly punchResponder: PunchResponder
  readonly punchAttempts: PunchAttempts
  readonly connections: ConnectionTable
  /** Undefined in seed mode. */
  readonly discovery: NatDiscovery | undefined
}

/** Hands one datagram to the machine for which it is; counts the others. */
export function dispatch(context: PeerContext, to: Destinations, datagram: Datagram, now: Instant): void {
  const { bytes, source } = datagram
  context.count('received')
  if (isStun(bytes)) {
    const answers = to.discovery?.receive(bytes, source, now) === true
    if (!answers && !askedThere(context, to.registrations, source).some((each) => each.answered(bytes, source, now)))
      context.count('unexpected')
  } else if (bytes[0] === RECORD_BYTE) to.connections.record(bytes, undefined, source, now)
  else if (bytes[0] === CHANNEL_BYTE) {
    const session = bytes.subarray(1, CHANNEL_HEADER_BYTES)
    to.connections.record(bytes.subarray(CHANNEL_HEADER_BYTES), session, source, now)
  } else {
    const decoded = bytes.length > MAX_DATAGRAM ? undefined : decode(bytes)
    if (decoded?.ok !== true) context.count('refused')
    else if (!dispatchMessage(to, decoded.message, decoded.encoding, datagram, now)) context.count('unexpected')
  }
}

/** Whoever may have asked there by STUN: relays with that address, of either IP family. */
const askedThere = ({ reached }: PeerContext, registrations: Registrations, source: Route): readonly Registration[] =>
  [...registrations.values()].filter(({ relay: { endpoint, other } }) =>
    [endpoint, other].some((at) => at !== undefined && sameEndpoint(reached(at), source)),
  )

/** The relay that sends from there to this peer, by what it is registered over. */
function registrationAt(registrations: Registrations, source: Route): Registration | undefined {
  const registration = registrations.get(formatEndpoint(source))
  return registration !== undefined && sameRoute(registration.route, source) ? registration : undefined
}

/** @returns false when nothing waits for the message */
function dispatchMessage(
  to: Destinations,
  message: Message,
  encoding: Encoding,
  datagram: Datagram,
  now: Instant,
): boolean {
  const { source } = datagram
  const registration = registrationAt(to.registrations, source)
  registration?.heard(now)
  switch (message.op_code) {
    case OP.keepAlive:
      return keepAlive(to, message.id, encoding, registration, source, now)
    case OP.directRequest:
      to.directResponder.receive(message, encoding, datagram, now)
      return true
    case OP.directResponse:
      return to.transactions.deliver(OP.directRequest, message, datagram, now)
    case OP.sameAddressResponse:
    case OP.punchPassAck:
      return to.transactions.deliver(OP.punchRequest, message, datagram, now)
    case OP.proxyResponse:
      return to.transactions.deliver(OP.proxyRequest, message, datagram, now)
    case OP.challenge:
      return to.transactions.deliver(message.ref_op, message, datagram, now)
    case OP.punchPassRequest:
      // Punch safety: only a relay that this peer registered with may make it send anywhere.
      if (registration?.registered !== true) return false
      to.punchResponder.receive(message, encoding, registration, now)
      return true
    case OP.proxyData:
    case OP.proxyPassData:
      to.connections.data(message, encoding, registration, source, now)
      return true
    case OP.proxyDataAck:
      to.connections.acknowledged(message, source, now)
      return true
    case OP.error:
      if (registration === undefined) return false
      if (message.ref_op === OP.proxyData) to.connections.noSession(message, registration, now)
      else if (message.ref_op === OP.directRequest)
        return to.transactions.deliver(OP.directRequest, message, datagram, now)
      else registration.error(message.code, now)
      return true
    case OP.punchRequest:
    case OP.punchAck:
    case OP.proxyRequest:
      // For relays; a peer has no answer to them.
      return false
  }
}

/** 0x100 of a relay, of the other end of a direct path, or of one that is being punched to. */
function keepAlive(
  to: Destinations,
  id: PeerId,
  encoding: Encoding,
  registration: Registration | undefined,
  source: Route,
  now: Instant,
): boolean {
  if (registration !== undefined && registration.relay.id === id) {
    registration.keptAlive(encoding, now)
    return true
  }
  const connection = to.connections.get(id)
  const live = connection?.paths.keptAlive(encoding, source, now) === true
  const attempt = to.punchAttempts.get(id)
  attempt?.heard(source, now)
  if (attempt === undefined) connection?.secure?.keptAlive(source, now)
  return live || attempt !== undefined
}

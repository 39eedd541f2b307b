/**
 * Channel frames (docs/protocol.md, End to end) are forwarded from one end of a session to the
 * other unchanged. The relay reads the session's id and nothing else. It signs, verifies and copies
 * nothing.
 *
 *   session? ─► from the bound address of one of its ends? ─► consent ─► rate ─► the other end's bound address
 *                  └─► no: error `unbound`, since an end whose address changed does not know it
 */
import type { Datagram, Instant } from '@showchain/client/endpoint'
import { MAX_PROBED_DATAGRAM } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import type { Binding, Bindings } from './bindings.ts'
import type { ProxySessionTable } from './proxy-session-table.ts'
import type { RelayContext } from './relay-context.ts'
import type { UnboundErrors } from './unbound-errors.ts'

export class ChannelForwarder {
  readonly #context: RelayContext
  readonly #bindings: Bindings
  readonly #sessions: ProxySessionTable
  readonly #errors: UnboundErrors

  constructor(context: RelayContext, bindings: Bindings, sessions: ProxySessionTable, errors: UnboundErrors) {
    this.#context = context
    this.#bindings = bindings
    this.#sessions = sessions
    this.#errors = errors
  }

  receive({ bytes, source }: Datagram, now: Instant): void {
    const { count, outbox } = this.#context
    // Peers discover the packet size of their paths themselves.
    if (bytes.length <= CHANNEL_HEADER_BYTES || bytes.length > MAX_PROBED_DATAGRAM) return count('refused')
    const session = this.#sessions.find(bytes, 1, now)
    if (session === undefined) return count('noSession')
    const { requester, target } = session
    const asRequester = this.#bindings.at(requester.id, source, now)
    const from = asRequester ?? this.#bindings.at(target.id, source, now)
    if (from === undefined) {
      count('unbound')
      return this.#errors.tell(source, 'binary', bytes.length, now)
    }
    // The target's first word is its consent; the requester waits for it.
    if (asRequester === undefined) session.consented = true
    else if (!session.consented) return count('consentExhausted')
    if (!isWithinRate(from, bytes.length, now)) return count('rateLimited')
    const to = this.#bindings.get(asRequester === undefined ? requester.id : target.id, now)
    if (to === undefined) return count('targetAbsent')
    this.#bindings.refresh(from.id, now)
    this.#sessions.refresh(session, now)
    outbox.transmit(to.source, bytes)
    count('channelForwarded')
  }
}

const isWithinRate = ({ frames, frameBytes }: Binding, bytes: number, now: Instant): boolean =>
  frames.take(now) && frameBytes.take(now, bytes)

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
import type { Bindings } from './bindings.ts'
import { NONE } from './expiring-rows.ts'
import { type ProxySessionTable, REQUESTER, TARGET } from './proxy-session-table.ts'
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
    if (session === NONE) return count('noSession')
    const requester = this.#sessions.bindingOf(session, REQUESTER, now)
    const target = this.#sessions.bindingOf(session, TARGET, now)
    const isRequester = this.#bindings.isAt(requester, source)
    if (!isRequester && !this.#bindings.isAt(target, source)) {
      // Further sockets answer STUN alone.
      if ((source.socket ?? 0) !== 0) return count('unexpected')
      count('unbound')
      return this.#errors.tell(source, 'binary', bytes.length, now)
    }
    // The target's first word is its consent; the requester waits for it.
    if (!isRequester) this.#sessions.consent(session)
    else if (!this.#sessions.isConsented(session)) return count('consentExhausted')
    const from = isRequester ? requester : target
    if (!this.#bindings.takeFrame(from, bytes.length, now)) return count('rateLimited')
    const to = isRequester ? target : requester
    if (to === NONE) return count('targetAbsent')
    this.#bindings.refreshRow(from, now)
    this.#sessions.refresh(session, now)
    outbox.transmit(this.#bindings.sourceOf(to), bytes)
    count('channelForwarded')
  }
}

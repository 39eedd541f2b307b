/**
 * Proxy connect (the seed's section 4; docs/protocol.md, Who sends what): 0x121 opens a session
 * between its sender and a target and is answered with 0x122, whether the target is there or not,
 * so that absence and refusal look alike.
 */
import {
  type Admission,
  type AdmissionRequest,
  type Admitted,
  encodeCounted,
  type Instant,
  sign,
} from '@showchain/client/endpoint'
import { type MessageOf, OP } from '@showchain/wire'
import type { Bindings } from './bindings.ts'
import type { ProxySession, ProxySessionTable } from './proxy-session-table.ts'
import type { RelayContext } from './relay-context.ts'

type ProxyRequest = MessageOf<typeof OP.proxyRequest>

export class ProxyResponder {
  readonly #context: RelayContext
  readonly #admission: Admission
  readonly #bindings: Bindings
  readonly #sessions: ProxySessionTable

  constructor(context: RelayContext, admission: Admission, bindings: Bindings, sessions: ProxySessionTable) {
    this.#context = context
    this.#admission = admission
    this.#bindings = bindings
    this.#sessions = sessions
  }

  /** 0x121. */
  request(request: AdmissionRequest<ProxyRequest>, now: Instant): void {
    const binding = this.#bindings.at(request.message.id, request.source, now)
    if (binding === undefined) return this.#context.count('unbound')
    const { source, spki } = binding
    source.allowance?.received(request.bytes.length)
    const act = (admitted: Admitted<ProxyRequest>, at: Instant): void => this.#open(admitted, at)
    this.#admission.admit({ ...request, source }, 'validated', now, act, spki)
  }

  #open(admitted: Admitted<ProxyRequest>, now: Instant): void {
    const { id, target } = admitted.message
    this.#bindings.refresh(id, now)
    const session = this.#sessions.open(
      this.#sessions.newId(this.#context.random),
      { requester: id, target, introduced: false },
      now,
    )
    this.#answer(admitted, session)
  }

  #answer(admitted: Admitted<ProxyRequest>, session: ProxySession): void {
    const { target, seq, ts, ext } = admitted.message
    const key = ext?.key === undefined ? {} : { ext: { key: this.#context.self.spki } }
    const response = { op_code: OP.proxyResponse, session: session.id, target, seq, ts, ...key } as const
    sign(this.#context, response, (signed, now) => {
      // Without a signature there is no answer yet: a retransmission of the request starts over.
      if (signed === undefined) return admitted.onRepeat(() => this.#answer(admitted, session))
      const bytes = encodeCounted(this.#context, signed, admitted.encoding)
      if (bytes !== undefined) admitted.respond(bytes, now)
    })
  }
}

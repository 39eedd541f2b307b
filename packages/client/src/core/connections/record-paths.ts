/** The paths of a connection's records: how each of its sessions carries them. */
import { equalBytes, sessionIdToBytes } from '@showchain/wire'
import { isProven } from '../endpoint/allowance.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { sameRoute } from '../endpoint/route.ts'
import { type MessageSession, SEND_WINDOW } from '../messages/message-session.ts'
import type { ConnectionContext } from '../paths/connection-context.ts'
import type { RecordPath } from '../secure/record-path.ts'
import type { ConnectionPaths } from './connection-paths.ts'
import { CHANNEL, DIRECT, directTraits } from './path-sizes.ts'

/** Of an address by itself. */
const NO_SESSION = new Uint8Array(0)

export class RecordPaths {
  readonly #context: ConnectionContext
  readonly #paths: ConnectionPaths
  readonly #bySession = new WeakMap<MessageSession, RecordPath>()
  /** The one that was asked for last: nearly every record is of it. */
  #latest: { readonly session: MessageSession; readonly path: RecordPath } | undefined
  /** Where the last record came from that came directly, and its session. */
  #heard: { readonly session: MessageSession; readonly from: Route } | undefined
  /** Whether what is sent are its last words. */
  #closing = false

  constructor(context: ConnectionContext, paths: ConnectionPaths) {
    this.#context = context
    this.#paths = paths
  }

  /** What is sent from now on are the last words of the connection. */
  close(): void {
    this.#closing = true
  }

  /** Always the same of one session. */
  of(session: MessageSession): RecordPath {
    if (this.#latest?.session === session) return this.#latest.path
    const path = this.#bySession.get(session) ?? this.#make(session)
    this.#bySession.set(session, path)
    this.#latest = { session, path }
    return path
  }

  /** An address at which the remote peer is not known to be. */
  strange(to: Route): RecordPath {
    const { outbox } = this.#context
    const transmit = (bytes: Uint8Array): void => outbox.transmit(to, bytes)
    return { kind: 'direct', to, validated: false, session: NO_SESSION, traits: DIRECT, ready: () => true, transmit }
  }

  /**
   * The session of this connection by which a record came.
   * @param from where it came from directly, or the session of its channel frame
   */
  sessionFrom(from: Route | Uint8Array): MessageSession | undefined {
    const { session } = this.#paths
    if (session !== undefined && this.#heard?.session === session && this.#heard.from === from) return session
    if (session !== undefined && leadsTo(this.of(session), from)) {
      if (!(from instanceof Uint8Array)) this.#heard = { session, from }
      return session
    }
    return this.#paths.sessions.find((each) => leadsTo(this.of(each), from))
  }

  #make(messages: MessageSession): RecordPath {
    const { id, to, liveness, directKey } = messages.options
    const session = sessionIdToBytes(id)
    const transmit = (bytes: Uint8Array, now: Instant): void => {
      this.#context.outbox.transmit(to, bytes)
      liveness.sent(now)
    }
    const ready = (): boolean => true
    if (directKey !== undefined) {
      const traits = directTraits(() => this.#context.unfragmented(to))
      // Before, the address gets path challenges alone.
      return { kind: 'direct', to, validated: true, session, traits, ready: () => isProven(to), transmit }
    }
    if (this.#paths.relayed.carriesFrames(messages))
      return { kind: 'channel', to, session, traits: CHANNEL, ready, transmit }
    return {
      ...{ kind: 'message', to, session },
      // Each record is in a message, which has its size and a signature.
      traits: { base: this.#context.maxMessage, larger: [], acks: 'gathered' },
      ready: () => this.#closing || messages.backlog < SEND_WINDOW,
      transmit: (bytes, now) =>
        this.#closing ? messages.sendLast(bytes) : messages.send({ bytes, done: () => {} }, now),
    }
  }
}

function leadsTo(path: RecordPath, from: Route | Uint8Array): boolean {
  if (from instanceof Uint8Array) return path.kind !== 'direct' && equalBytes(path.session, from)
  return path.kind === 'direct' && sameRoute(path.to, from)
}

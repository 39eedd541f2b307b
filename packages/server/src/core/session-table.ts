/**
 * Open proxy sessions: which two peers each joins, and what the relay knows of both directions. They
 * follow their ends' current bindings: no address is kept here.
 */
import { ExpiringMap, type Instant } from '@showchain/client/core'
import { ReplayWindow } from '@showchain/crypto/core'
import { type PeerId, peerIdToBytes, type SessionId } from '@showchain/wire'
import type { RelayLimits } from './limits.ts'
import { SESSION_IDLE } from './times.ts'

/** One end of a session, as a sender. */
export class End {
  readonly id: PeerId
  /** As it stands in a binary message. */
  readonly idBytes: Uint8Array
  /** Messages of this end that wait for their acknowledgement. */
  unacknowledged = 0
  /** Sequence numbers that this end has used. */
  readonly window: ReplayWindow = new ReplayWindow()

  constructor(id: PeerId) {
    this.id = id
    this.idBytes = peerIdToBytes(id)
  }
}

export interface Session {
  readonly id: SessionId
  /** Who asked for it. */
  readonly requester: End
  readonly target: End
  /** The target has answered (docs/protocol.md, Consent). */
  consented: boolean
  lastUsed: Instant
}

export interface SessionTableOptions {
  readonly limits: RelayLimits
  readonly ended: (session: Session, why: 'expired' | 'evicted') => void
}

export class SessionTable {
  readonly #limits: RelayLimits
  readonly #ended: SessionTableOptions['ended']
  /** At most `limits.sessions`, the one idle longest makes room; each ends after 10 min without a message. */
  readonly #sessions: ExpiringMap<SessionId, Session>
  /** Sessions of each requester, at most `limits.sessionsPerId`. An entry ends with its last session. */
  readonly #byRequester = new Map<PeerId, Set<Session>>()

  constructor({ limits, ended }: SessionTableOptions) {
    this.#limits = limits
    this.#ended = ended
    this.#sessions = new ExpiringMap({
      lifetime: SESSION_IDLE,
      capacity: limits.sessions,
      onEnd: (_id, session, why) => this.#end(session, why),
    })
  }

  get size(): number {
    return this.#sessions.size
  }

  get(id: SessionId, now: Instant): Session | undefined {
    return this.#sessions.get(id, now)
  }

  open(id: SessionId, requester: PeerId, target: PeerId, now: Instant): Session {
    const own = this.#byRequester.get(requester)
    if (own !== undefined && own.size >= this.#limits.sessionsPerId) this.#makeRoom(own)
    const session = { id, requester: new End(requester), target: new End(target), consented: false, lastUsed: now }
    this.#sessions.set(id, session, now)
    const list = this.#byRequester.get(requester)
    if (list === undefined) this.#byRequester.set(requester, new Set([session]))
    else list.add(session)
    return session
  }

  /** The session carried something. */
  refresh(session: Session, now: Instant): void {
    session.lastUsed = now
    this.#sessions.touch(session.id, now)
  }

  expire(now: Instant): void {
    this.#sessions.expire(now)
  }

  /** Of one peer's own sessions, a short list, the one idle longest ends. */
  #makeRoom(own: ReadonlySet<Session>): void {
    let idle: Session | undefined
    for (const session of own) if (idle === undefined || session.lastUsed < idle.lastUsed) idle = session
    if (idle === undefined) return
    this.#sessions.delete(idle.id)
    this.#end(idle, 'evicted')
  }

  #end(session: Session, why: 'expired' | 'evicted'): void {
    const own = this.#byRequester.get(session.requester.id)
    own?.delete(session)
    if (own?.size === 0) this.#byRequester.delete(session.requester.id)
    this.#ended(session, why)
  }
}

/**
 * Open proxy sessions: which two peers each joins, and what the relay knows of both directions.
 * They follow their ends' current bindings: no address is kept here.
 */
import { ExpiringMap, type Instant, later } from '@showchain/client/endpoint'
import { ReplayWindow } from '@showchain/crypto/core'
import { type PeerId, peerIdToBytes, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import { idKey } from '@showchain/wire/end-to-end'
import type { RelayLimits } from './limits.ts'
import { SESSION_IDLE } from './times.ts'

/** One end of a session, as a sender. */
export class SessionEnd {
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

export interface ProxySession {
  readonly id: SessionId
  /** As it stands in a channel frame. */
  readonly idBytes: Uint8Array
  /** Who asked for it. */
  readonly requester: SessionEnd
  readonly target: SessionEnd
  /** The target has answered (docs/protocol.md, Consent). */
  consented: boolean
  lastUsed: Instant
}

export interface ProxySessionTableOptions {
  readonly limits: RelayLimits
  readonly ended: (session: ProxySession, why: 'expired' | 'evicted') => void
}

export class ProxySessionTable {
  readonly #limits: RelayLimits
  readonly #ended: ProxySessionTableOptions['ended']
  /**
   * At most `limits.sessions`, the least recently used is evicted; each ends after 10 min without a
   * message.
   */
  readonly #sessions: ExpiringMap<SessionId, ProxySession>
  /** By a number out of the id: no two sessions have the same one. */
  readonly #byNumber = new Map<number, ProxySession>()
  /**
   * Sessions of each requester, at most `limits.sessionsPerId`. An entry ends with its last
   * session.
   */
  readonly #byRequester = new Map<PeerId, Set<ProxySession>>()

  constructor({ limits, ended }: ProxySessionTableOptions) {
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

  get(id: SessionId, now: Instant): ProxySession | undefined {
    return this.#sessions.get(id, now)
  }

  /** The session of a channel frame. @param at where its id begins */
  find(bytes: Uint8Array, at: number, now: Instant): ProxySession | undefined {
    const session = this.#byNumber.get(idKey(bytes, at))
    if (session === undefined || later(session.lastUsed, SESSION_IDLE) <= now) return undefined
    const { idBytes } = session
    for (let index = 0; index < idBytes.length; index++) if (idBytes[index] !== bytes[at + index]) return undefined
    return session
  }

  /** Whether a session may have this id. */
  isFree(id: Uint8Array): boolean {
    return !this.#byNumber.has(idKey(id, 0))
  }

  open(idBytes: Uint8Array, requester: PeerId, target: PeerId, now: Instant): ProxySession {
    const own = this.#byRequester.get(requester)
    if (own !== undefined && own.size >= this.#limits.sessionsPerId) this.#makeRoom(own)
    const id = sessionIdFromBytes(idBytes)
    const session = {
      id,
      idBytes,
      requester: new SessionEnd(requester),
      target: new SessionEnd(target),
      consented: false,
      lastUsed: now,
    }
    this.#sessions.set(id, session, now)
    this.#byNumber.set(idKey(idBytes, 0), session)
    const list = this.#byRequester.get(requester)
    if (list === undefined) this.#byRequester.set(requester, new Set([session]))
    else list.add(session)
    return session
  }

  /** The session carried something. */
  refresh(session: ProxySession, now: Instant): void {
    session.lastUsed = now
    this.#sessions.touch(session.id, now)
  }

  expire(now: Instant): void {
    this.#sessions.expire(now)
  }

  /** Of one peer's own sessions, a short list, the one idle longest ends. */
  #makeRoom(own: ReadonlySet<ProxySession>): void {
    let idle: ProxySession | undefined
    for (const session of own) if (idle === undefined || session.lastUsed < idle.lastUsed) idle = session
    if (idle === undefined) return
    this.#sessions.delete(idle.id)
    this.#end(idle, 'evicted')
  }

  #end(session: ProxySession, why: 'expired' | 'evicted'): void {
    this.#byNumber.delete(idKey(session.idBytes, 0))
    const own = this.#byRequester.get(session.requester.id)
    own?.delete(session)
    if (own?.size === 0) this.#byRequester.delete(session.requester.id)
    this.#ended(session, why)
  }
}

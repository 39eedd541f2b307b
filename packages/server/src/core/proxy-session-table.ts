/**
 * Open proxy sessions: which two peers each joins, and what the relay knows of both directions. They follow
 * their ends' current bindings: no address is kept here. What each frame needs of one is a row of its own.
 */
import type { Instant } from '@showchain/client/endpoint'
import { type Random, ReplayWindow } from '@showchain/crypto/core'
import {
  type PeerId,
  peerIdToBytes,
  SESSION_ID_BYTES,
  type SessionId,
  sessionIdFromBytes,
  sessionIdToBytes,
} from '@showchain/wire'
import { idKey } from '@showchain/wire/end-to-end'
import { writeSessionNode } from '@showchain/wire/fleet'
import type { Bindings } from './bindings.ts'
import { ExpiringRows, NONE, ROW_INTEGERS } from './expiring-rows.ts'
import type { RelayLimits } from './limits.ts'
import { SessionIndex } from './session-index.ts'
import { SESSION_IDLE } from './times.ts'

/** One end of a session, as a sender. */
export class SessionEnd {
  readonly id: PeerId
  /** Messages of this end that wait for their acknowledgement. */
  unacknowledged = 0
  #idBytes: Uint8Array | undefined
  #window: ReplayWindow | undefined

  constructor(id: PeerId) {
    this.id = id
  }

  /** As it stands in a binary message. Made by the first proxied message, as the window is. */
  get idBytes(): Uint8Array {
    this.#idBytes ??= peerIdToBytes(this.id)
    return this.#idBytes
  }

  /** Sequence numbers that this end has used. */
  get window(): ReplayWindow {
    this.#window ??= new ReplayWindow()
    return this.#window
  }
}

/** Of a row: the id, where the binding of each end was when it was used last (its row and generation), and consent. */
const [ID, CONSENTED] = [4, 15]
export const REQUESTER = 8
export const TARGET = 13
const ID_INTEGERS = 4

/** One end of a session: where its row knows its binding. */
export type End = typeof REQUESTER | typeof TARGET

/** Whom a session joins, and why. */
export interface Opening {
  readonly requester: PeerId
  readonly target: PeerId
  readonly introduced: boolean
}

export class ProxySession {
  readonly id: SessionId
  /** Who asked for it. */
  readonly requester: SessionEnd
  readonly target: SessionEnd
  readonly row: number
  readonly openedAt: Instant
  /** Whether an introduction made it; otherwise its requester asked to be forwarded. */
  readonly introduced: boolean
  readonly #rows: ExpiringRows

  constructor(id: SessionId, { requester, target, introduced }: Opening, row: number, rows: ExpiringRows) {
    this.introduced = introduced
    this.openedAt = rows.touched(row)
    this.id = id
    this.requester = new SessionEnd(requester)
    this.target = new SessionEnd(target)
    this.row = row
    this.#rows = rows
  }

  /** When it was used last. Of a session that has ended it means nothing, as the next one. */
  get touched(): Instant {
    return this.#rows.touched(this.row)
  }

  get consented(): boolean {
    return this.#rows.integers[this.row * ROW_INTEGERS + CONSENTED] === 1
  }
}

export interface ProxySessionTableOptions {
  readonly limits: RelayLimits
  readonly bindings: Bindings
  /** Of a fleet: ids name it. @default ids are all random */
  readonly node?: number | undefined
  readonly opened: (session: ProxySession) => void
  /** @param carried bytes that were forwarded in it, both ways */
  readonly ended: (session: ProxySession, why: 'expired' | 'evicted', carried: number) => void
}

export class ProxySessionTable {
  readonly #limits: RelayLimits
  readonly #bindings: Bindings
  readonly #node: number | undefined
  readonly #opened: ProxySessionTableOptions['opened']
  readonly #ended: ProxySessionTableOptions['ended']
  /** Each ends after 10 min without a message. */
  readonly #rows: ExpiringRows
  /** By row. */
  readonly #sessions: (ProxySession | undefined)[] = []
  /** By row: bytes that were forwarded, both ways. Beside the rows, which are full. */
  #carried = new Float64Array(0)
  /** By a number out of the id: no two sessions have the same one. */
  readonly #byNumber = new SessionIndex()
  /** Sessions of each requester, at most `limits.sessionsPerId`. An entry ends with its last session. */
  readonly #byRequester = new Map<PeerId, ProxySession[]>()

  constructor({ limits, bindings, node, opened, ended }: ProxySessionTableOptions) {
    this.#limits = limits
    this.#bindings = bindings
    this.#node = node
    this.#opened = opened
    this.#ended = ended
    this.#rows = new ExpiringRows({
      lifetime: SESSION_IDLE,
      // At the cap the least recently used is evicted.
      capacity: limits.sessions,
      onEnd: (row, why) => this.#end(this.#sessions[row] as ProxySession, why),
    })
  }

  get size(): number {
    return this.#rows.size
  }

  get(id: SessionId, now: Instant): ProxySession | undefined {
    const row = this.find(sessionIdToBytes(id), 0, now)
    return row === NONE ? undefined : this.#sessions[row]
  }

  /** The row of the session of a channel frame, or NONE. @param at where its id begins */
  find(bytes: Uint8Array, at: number, now: Instant): number {
    const row = this.#byNumber.get(idKey(bytes, at))
    if (row === NONE || !this.#rows.isLive(row, now)) return NONE
    const { integers } = this.#rows
    const id = row * ROW_INTEGERS + ID
    for (let index = 0; index < ID_INTEGERS; index++)
      if (integers[id + index] !== integerAt(bytes, at + 4 * index)) return NONE
    return row
  }

  /** The row that a frame's session would have, or NONE. */
  candidate(bytes: Uint8Array, at: number): number {
    return bytes.length < at + SESSION_ID_BYTES ? NONE : this.#byNumber.get(idKey(bytes, at))
  }

  /** The row of the binding that an end had when it was used last, or NONE. */
  knownBinding(row: number, end: End): number {
    return row === NONE ? NONE : (this.#rows.integers[row * ROW_INTEGERS + end] as number)
  }

  /** The row of the binding that an end has now, or NONE. */
  bindingOf(row: number, end: End, now: Instant): number {
    const { integers } = this.#rows
    const at = row * ROW_INTEGERS + end
    const known = integers[at] as number
    if (known !== NONE && this.#bindings.isCurrent(known, integers[at + 1] as number, now)) return known
    const found = this.#bindings.rowOf(this.peerAt(row, end), now)
    integers[at] = found
    if (found !== NONE) integers[at + 1] = this.#bindings.generation(found)
    return found
  }

  peerAt(row: number, end: End): PeerId {
    const { requester, target } = this.#sessions[row] as ProxySession
    return (end === REQUESTER ? requester : target).id
  }

  isConsented(row: number): boolean {
    return this.#rows.integers[row * ROW_INTEGERS + CONSENTED] === 1
  }

  /** The target has answered. */
  consent(row: number): void {
    this.#rows.integers[row * ROW_INTEGERS + CONSENTED] = 1
  }

  /** The target has signed that it agrees to the session, if there is one with this id. */
  agreed(id: SessionId, now: Instant): void {
    const row = this.find(sessionIdToBytes(id), 0, now)
    if (row !== NONE) this.consent(row)
  }

  /** An id that no session has. */
  newId(random: Random): Uint8Array {
    for (;;) {
      const id = random.bytes(SESSION_ID_BYTES)
      if (this.#node !== undefined) writeSessionNode(id, this.#node)
      if (this.#byNumber.get(idKey(id, 0)) === NONE) return id
    }
  }

  open(idBytes: Uint8Array, opening: Opening, now: Instant): ProxySession {
    const { requester } = opening
    const own = this.#byRequester.get(requester)
    if (own !== undefined && own.length >= this.#limits.sessionsPerId) this.#makeRoom(own)
    const row = this.#rows.add(now)
    const session = new ProxySession(sessionIdFromBytes(idBytes), opening, row, this.#rows)
    this.#sessions[row] = session
    const { integers } = this.#rows
    const at = row * ROW_INTEGERS
    for (let index = 0; index < ID_INTEGERS; index++) integers[at + ID + index] = integerAt(idBytes, 4 * index)
    integers[at + CONSENTED] = 0
    for (const end of [REQUESTER, TARGET]) integers[at + end] = NONE
    if (row >= this.#carried.length) this.#growCarried(row)
    this.#carried[row] = 0
    this.#byNumber.set(idKey(idBytes, 0), row)
    const list = this.#byRequester.get(requester)
    if (list === undefined) this.#byRequester.set(requester, [session])
    else list.push(session)
    this.#opened(session)
    return session
  }

  /** An end used the session. */
  refresh(row: number, now: Instant): void {
    this.#rows.touch(row, now)
  }

  /** So many bytes were forwarded in it. */
  carry(row: number, bytes: number, now: Instant): void {
    this.#rows.touch(row, now)
    this.#carried[row] = (this.#carried[row] as number) + bytes
  }

  /** Bytes that were forwarded in a session that is open, both ways. */
  carried(row: number): number {
    return this.#carried[row] as number
  }

  /** Sessions that carried something, those that carried most first. It reads one number of each session. */
  busiest(most: number): readonly ProxySession[] {
    const rows: number[] = []
    const carried = this.#carried
    for (let row = 0; row < this.#sessions.length; row++) {
      const least = rows.length < most ? 0 : (carried[rows[most - 1] as number] as number)
      if ((carried[row] as number) <= least || this.#sessions[row] === undefined) continue
      rows.length = Math.min(rows.length, most - 1)
      const at = rows.findIndex((other) => (carried[other] as number) < (carried[row] as number))
      rows.splice(at === -1 ? rows.length : at, 0, row)
    }
    return rows.map((row) => this.#sessions[row] as ProxySession)
  }

  /** Sessions that one peer has opened to another. */
  between(requester: PeerId, target: PeerId): readonly ProxySession[] {
    return this.#byRequester.get(requester)?.filter((session) => session.target.id === target) ?? []
  }

  expire(now: Instant): void {
    this.#rows.expire(now)
  }

  #growCarried(row: number): void {
    const before = this.#carried
    this.#carried = new Float64Array(2 * (row + 1))
    this.#carried.set(before)
  }

  /** Of one peer's own sessions, a short list, the one idle longest ends. */
  #makeRoom(own: readonly ProxySession[]): void {
    let idle: ProxySession | undefined
    for (const session of own)
      if (idle === undefined || this.#rows.touched(session.row) < this.#rows.touched(idle.row)) idle = session
    if (idle === undefined) return
    this.#end(idle, 'evicted')
    this.#rows.remove(idle.row)
  }

  #end(session: ProxySession, why: 'expired' | 'evicted'): void {
    this.#byNumber.delete(idKey(sessionIdToBytes(session.id), 0))
    this.#sessions[session.row] = undefined
    const own = this.#byRequester.get(session.requester.id)
    own?.splice(own.indexOf(session), 1)
    if (own?.length === 0) this.#byRequester.delete(session.requester.id)
    this.#ended(session, why, this.#carried[session.row] as number)
  }
}

const integerAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number)

/**
 * What a relay shows of its peers and sessions to those who run it. Nothing here changes anything. What
 * takes longer with more of them says so, and takes a part at a time.
 */
import { type Duration, duration, type Instant, isConnection } from '@showchain/client/endpoint'
import { type Endpoint, ipFamily, type PeerId, type SessionId } from '@showchain/wire'
import type { Bindings } from './bindings.ts'
import type { PairCounts, PairPaths } from './pair-paths.ts'
import type { ProxySession, ProxySessionTable } from './proxy-session-table.ts'
import type { RelayTraffic, Traffic } from './traffic.ts'

/** A registered peer. */
export interface PeerView {
  readonly id: PeerId
  readonly at: Endpoint
  /** Whether it is here by WebSocket, and so has no UDP. */
  readonly websocket: boolean
  /** Since the last accepted message from it. */
  readonly quiet: Duration
}

/** An open session. */
export interface SessionView {
  readonly session: SessionId
  readonly requester: PeerId
  readonly target: PeerId
  /** Whether an introduction made it; otherwise its requester asked to be forwarded. */
  readonly introduced: boolean
  /** Whether its target has agreed. */
  readonly answered: boolean
  /** What was forwarded in it, both ways. */
  readonly bytes: number
  readonly age: Duration
  /** Since it was used last. */
  readonly idle: Duration
}

/** What is known of two registered peers together. */
export interface PairView {
  /** Both are here by IPv4, or both by IPv6. */
  readonly sameFamily: boolean
  readonly sameAddress: boolean
  /** Of the two with each other, the one that was used last first. */
  readonly sessions: readonly SessionView[]
}

/** What a relay has at one moment, for those who run it: samples of its peers and sessions. */
export class RelayView {
  readonly #bindings: Bindings
  readonly #sessions: ProxySessionTable
  readonly #traffic: Traffic
  readonly #pairs: PairPaths

  constructor(bindings: Bindings, sessions: ProxySessionTable, traffic: Traffic, pairs: PairPaths) {
    this.#bindings = bindings
    this.#sessions = sessions
    this.#traffic = traffic
    this.#pairs = pairs
  }

  /** Bytes that came and went. */
  traffic(): RelayTraffic {
    return this.#traffic.snapshot()
  }

  /** What became of the pairs that were brought together. */
  pairs(): PairCounts {
    return this.#pairs.counts()
  }

  /** Peers from all over the table. @param most how many */
  peers(most: number, now: Instant): readonly PeerView[] {
    const { rows } = this.#bindings
    const step = Math.max(1, Math.ceil(rows / most))
    const found: PeerView[] = []
    for (let row = 0; row < rows; row += step) found.push(...this.#peerAt(row, now))
    return found
  }

  /** The sessions in which most was forwarded. Of each of all sessions it reads one number. */
  busiest(most: number, now: Instant): readonly SessionView[] {
    return this.#sessions.busiest(most).map((session) => this.#session(session, now))
  }

  /**
   * Registered peers whose id begins so, of some rows of the table.
   * @param from the first row
   * @param rows how many rows are looked at
   */
  named(beginning: string, from: number, rows: number, now: Instant): readonly PeerView[] {
    const found: PeerView[] = []
    for (let row = from; row < Math.min(from + rows, this.#bindings.rows); row++)
      if (this.#bindings.idAt(row)?.startsWith(beginning) === true) found.push(...this.#peerAt(row, now))
    return found
  }

  /** How many rows `named` can look at. */
  get rows(): number {
    return this.#bindings.rows
  }

  /** What is known of two registered peers together. */
  pair(one: PeerView, other: PeerView, now: Instant): PairView {
    const sessions = [...this.#sessions.between(one.id, other.id), ...this.#sessions.between(other.id, one.id)].map(
      (session) => this.#session(session, now),
    )
    return {
      sameFamily: ipFamily(one.at.ip) === ipFamily(other.at.ip),
      sameAddress: one.at.ip === other.at.ip,
      sessions: sessions.sort((first, second) => first.idle - second.idle),
    }
  }

  #peerAt(row: number, now: Instant): readonly PeerView[] {
    const binding = this.#bindings.liveAt(row, now)
    if (binding === undefined) return []
    const { id, source } = binding
    const quiet = duration(now - this.#bindings.refreshed(row))
    return [{ id, at: { ip: source.ip, port: source.port }, websocket: isConnection(source), quiet }]
  }

  #session(session: ProxySession, now: Instant): SessionView {
    const { id, requester, target, introduced, consented, openedAt, touched, row } = session
    return {
      session: id,
      requester: requester.id,
      target: target.id,
      introduced,
      answered: consented,
      bytes: this.#sessions.carried(row),
      age: duration(now - openedAt),
      idle: duration(now - touched),
    }
  }
}

/**
 * The punch attempts under way: one for each other peer, shared by both directions when both dial
 * at once.
 */
import { directSession, type PublicKey } from '@showchain/crypto/core'
import { type Endpoint, OP, type PeerId } from '@showchain/wire'
import type { ConnectionMachine } from '../connections/connection-machine.ts'
import type { ConnectionTable } from '../connections/connection-table.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Duration, Instant, Route } from '../endpoint/machine.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import type { PathQuestions } from '../secure/path-probing.ts'
import type { BirthdayRole } from './birthday-probing.ts'
import { checkPath } from './path-check.ts'
import { PunchAttempt } from './punch-attempt.ts'

export class PunchAttempts {
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #connections: ConnectionTable
  /** For ATTEMPT_LIFETIME each; only after consent or a dial of our own. */
  readonly #byPeer = new Map<PeerId, PunchAttempt>()
  /** Whose attempt does birthday probing: one at a time. */
  #birthday: PeerId | undefined
  /**
   * Unanswered 0x101 that ask for `caps`: one for each attempt that found a path, for the time of
   * one request.
   */
  readonly #questions = new Set<Transaction>()

  constructor(context: PeerContext, transactions: Transactions, connections: ConnectionTable) {
    this.#context = context
    this.#transactions = transactions
    this.#connections = connections
  }

  get all(): Iterable<PunchAttempt> {
    return this.#byPeer.values()
  }

  get(peer: PeerId): PunchAttempt | undefined {
    return this.#byPeer.get(peer)
  }

  /** What the running attempt at a peer asks by records. */
  questionsTo(peer: PeerId): PathQuestions {
    return {
      question: (at) => this.#byPeer.get(peer)?.question(at),
      answered: (token, asks, now) => this.#byPeer.get(peer)?.answered(token, asks, now),
    }
  }

  /**
   * The running attempt, or a new one when there is none or the path that it found is gone.
   * @param caps what the other end can do; undefined when it did not show that it knows extensions.
   * @param roundTrip @see PunchAttemptOptions
   */
  open(
    peer: PeerId,
    key: PublicKey,
    caps: number | undefined,
    roundTrip: Duration | undefined,
    now: Instant,
  ): PunchAttempt {
    const known = this.#byPeer.get(peer)
    if (known !== undefined && (!known.found || this.#connections.get(peer)?.paths.hasDirect === true)) {
      known.introduced(caps, now)
      return known
    }
    known?.end(now)
    const attempt = new PunchAttempt(
      this.#context,
      this.#transactions,
      {
        ...{ remoteId: peer, key, caps, roundTrip },
        shareKeys: () => this.#connections.get(peer)?.secure?.hasKeys === true,
        probe: (at, token, when) => this.#connections.get(peer)?.secure?.probe(at, token, when) === true,
        answered: (route, at) => {
          const connection = this.#connections.get(peer)
          if (connection?.paths.allowsDirect) connection.update(({ direct }) => direct.answered(route, key, at), at)
        },
        uses: (socket) => this.#connections.get(peer)?.paths.direct.usesSocket(socket) === true,
        direct: (route, stamp, told, at) => {
          const session = directSession(this.#context.provider, {
            requester: this.#context.self,
            responder: peer,
            ...stamp,
          })
          const connection = this.#connections.open(peer)
          if (!connection.paths.allowsDirect) return
          connection.update(({ direct }) => {
            direct.learnCaps(told ?? caps)
            if (direct.awaitCaps()) this.#askCaps(connection, route, key)
            direct.found(session, route, key, 'both ends reached each other', at)
            direct.announce(at)
          }, at)
        },
        ended: () => {
          if (this.#byPeer.get(peer) === attempt) this.#byPeer.delete(peer)
          if (this.#birthday === peer) this.#birthday = undefined
        },
      },
      now,
    )
    this.#byPeer.set(peer, attempt)
    const connection = this.#connections.get(peer)
    if (connection?.secure?.ready === false) connection.whenReady((why, at) => why ?? attempt.again(at), now)
    return attempt
  }

  /**
   * LAN discovery says where the remote peer of a connection may be. Where a relay carries it, it is asked
   * there by records: nobody else can answer them, and no relay is asked for anything.
   */
  near(connection: ConnectionMachine | undefined, at: readonly Route[], now: Instant): void {
    if (connection?.secure?.ready !== true) return
    const { paths, remoteId } = connection
    const key = this.#context.keys.get(remoteId)
    if (key === undefined || !paths.allowsDirect || paths.hasDirect) return
    const attempt = this.open(remoteId, key, undefined, undefined, now)
    for (const route of at) attempt.probe(route, now)
  }

  /**
   * Starts birthday probing for an unpredictable external port; at most one attempt probes at a
   * time.
   */
  birthday(attempt: PunchAttempt, role: BirthdayRole, announced: Endpoint): void {
    const peer = attempt.options.remoteId
    if (this.#birthday !== undefined) return
    this.#birthday = peer
    attempt.birthday(role, announced)
  }

  /** A 0x101 of the peer was answered: its source is a place to check. */
  verified(peer: PeerId, source: Route, now: Instant): void {
    this.#byPeer.get(peer)?.verified(source, now)
  }

  /**
   * Peers that were introduced without signed fields know no capabilities of each other, either
   * because one speaks only the seed or because packets were lost. One more 0x101 with `caps` asks.
   * A seed-only peer drops it.
   */
  #askCaps(connection: ConnectionMachine, route: Route, key: PublicKey): void {
    const { remoteId } = connection
    const ended = (caps: number | undefined, now: Instant): void => {
      transaction.close()
      this.#questions.delete(transaction)
      connection.update(({ direct }) => direct.learnCaps(caps ?? (direct.awaitsCaps ? 0 : undefined)), now)
      connection.pathChanged('the remote peer announced its capabilities', now)
    }
    const transaction: Transaction = checkPath(this.#context, this.#transactions, {
      ...{ remoteId, to: route, caps: true },
      answered: (message) => {
        if (message.op_code !== OP.directResponse || message.id !== remoteId) return
        transaction.verify(key, message, (now) => ended(message.ext?.caps, now))
      },
      failed: (now) => ended(undefined, now),
    })
    this.#questions.add(transaction)
  }

  close(now: Instant): void {
    for (const question of this.#questions) question.close()
    for (const attempt of [...this.#byPeer.values()]) attempt.end(now)
  }
}

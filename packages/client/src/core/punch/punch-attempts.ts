/** The punch attempts under way: one for each other peer, shared by both directions when both dial at once. */
import type { PublicKey } from '@showchain/crypto/core'
import { CAPS, type Endpoint, OP, type PeerId } from '@showchain/wire'
import type { Link } from '../connections/connection-machine.ts'
import type { Links } from '../connections/connection-table.ts'
import type { Base } from '../context/peer-context.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { directSession } from '../requests/direct-session.ts'
import type { Exchange, Exchanges } from '../requests/transaction.ts'
import type { BirthdayRole } from './birthday-probing.ts'
import { PunchAttempt } from './punch-attempt.ts'

export class Attempts {
  readonly #base: Base
  readonly #exchanges: Exchanges
  readonly #links: Links
  /** For ATTEMPT_LIFETIME each; only after consent or a dial of our own. */
  readonly #byPeer = new Map<PeerId, PunchAttempt>()
  /** Whose attempt does birthday probing: one at a time. */
  #birthday: PeerId | undefined
  /** Unanswered 0x101 that ask for `caps`: one for each attempt that found a path, for the time of one request. */
  readonly #questions = new Set<Exchange>()

  constructor(base: Base, exchanges: Exchanges, links: Links) {
    this.#base = base
    this.#exchanges = exchanges
    this.#links = links
  }

  has(peer: PeerId): boolean {
    return this.#byPeer.has(peer)
  }

  get(peer: PeerId): PunchAttempt | undefined {
    return this.#byPeer.get(peer)
  }

  /**
   * The attempt under way, or a new one when there is none or the path that it found is gone.
   * @param caps what the other end can do; undefined when it did not show that it knows extensions.
   */
  open(peer: PeerId, key: PublicKey, caps: number | undefined, now: Instant): PunchAttempt {
    const known = this.#byPeer.get(peer)
    if (known !== undefined && (!known.found || this.#links.get(peer)?.hasDirect === true)) {
      known.introduced(caps, now)
      return known
    }
    known?.end(now)
    const attempt = new PunchAttempt(
      this.#base,
      this.#exchanges,
      {
        remoteId: peer,
        key,
        caps,
        uses: (socket) => this.#links.get(peer)?.direct.usesSocket(socket) === true,
        direct: (route, stamp, told, at) => {
          const session = directSession(this.#base.provider, this.#base.self, peer, stamp)
          const link = this.#links.open(peer)
          if (!link.allowsDirect) return
          link.direct.learnCaps(told ?? caps)
          if (link.direct.awaitCaps()) this.#askCaps(link, route, key)
          link.direct.add(session, route, key, at)
          link.establish('both ends reached each other', at)
          link.direct.announce(at)
        },
        ended: () => {
          if (this.#byPeer.get(peer) === attempt) this.#byPeer.delete(peer)
          if (this.#birthday === peer) this.#birthday = undefined
        },
      },
      now,
    )
    this.#byPeer.set(peer, attempt)
    return attempt
  }

  /** Looks for the port that nobody can tell, unless another attempt is at it. */
  birthday(attempt: PunchAttempt, role: BirthdayRole, announced: Endpoint): void {
    const peer = attempt.options.remoteId
    if (this.#birthday !== undefined) return
    this.#birthday = peer
    attempt.birthday(role, announced)
  }

  /** A 0x101 of the peer was answered: its source is a place to check. */
  verified(peer: PeerId, source: Route): void {
    this.#byPeer.get(peer)?.verified(source)
  }

  /**
   * Ends that met by a 0x111 without signed fields know nothing of each other, be it because one speaks only the seed or
   * because packets were lost: one more 0x101 there, with `caps`. A seed-only end drops it.
   */
  #askCaps(link: Link, route: Route, key: PublicKey): void {
    const { remoteId } = link.options
    const ended = (caps: number | undefined, now: Instant): void => {
      exchange.close()
      this.#questions.delete(exchange)
      link.direct.learnCaps(caps ?? (link.direct.awaitsCaps ? 0 : undefined))
      link.establish('the other end said what it can do', now)
    }
    const exchange: Exchange = this.#exchanges.start({
      to: route,
      request: (stamp, cookie) => ({
        op_code: OP.directRequest,
        id: this.#base.self,
        target: remoteId,
        ...stamp,
        ext: { caps: CAPS.directData, ...(cookie === undefined ? {} : { cookie }) },
      }),
      answered: (message) => {
        if (message.op_code !== OP.directResponse || message.id !== remoteId) return
        exchange.verify(key, message, (now) => ended(message.ext?.caps, now))
      },
      failed: (_why, now) => ended(undefined, now),
    })
    this.#questions.add(exchange)
  }

  close(now: Instant): void {
    for (const question of this.#questions) question.close()
    for (const attempt of [...this.#byPeer.values()]) attempt.end(now)
  }
}

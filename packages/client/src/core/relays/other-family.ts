/**
 * This peer's address of the other IP family than that of its binding: asked of the relay's address of
 * that family, by STUN, whenever this peer registers. Where a NAT made it, it is asked for again before
 * the NAT forgets; an address that is the host's own costs nothing. A host of IPv6 alone asks through its
 * network's NAT64, and learns where that has it send from.
 *
 *   registering ── asked ──► known ── by a NAT: asked again each 25 s ──► no answer: unknown
 *                   └─► no answer: asked again 10, 20 and 40 s later
 */
import { type Endpoint, ipFamily, sameEndpoint } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { StunTransactions } from '../nat/stun-transactions.ts'

/** As for NAT discovery (RFC 8489 §6.2.1): an answer that is lost is asked for again. */
const OTHER_FAMILY_SCHEDULE: readonly Duration[] = [300, 600, 1200, 2400, 2400, 2400].map(duration)
/** Between two questions that keep a mapping: NATs may drop those of UDP after 30 s. */
export const OTHER_FAMILY_GAP: Duration = duration(25_000)
/** What was not answered is asked again after so long, which doubles each time: all of it may be lost. */
export const OTHER_FAMILY_RETRY: Duration = duration(10_000)
const MAX_RETRIES = 3
/** After those it is not asked again for so long, unless this host has other addresses by then. */
export const OTHER_FAMILY_AGAIN: Duration = duration(600_000)

export class OtherFamily {
  readonly #context: PeerContext
  readonly #questions: StunTransactions
  readonly #server: Endpoint | undefined
  readonly #found: () => void
  #address: Endpoint | undefined
  #question: { close(): void } | undefined
  #timer: Timer | undefined
  /** The last question without an answer, and what this host's addresses were. */
  #unanswered: { readonly hosts: string; readonly until: Instant } | undefined
  /** Questions in a row that had no answer, after the first. */
  #retries = 0

  /**
   * @param server the relay's address of the other family
   * @param found another address than before is known
   */
  constructor(context: PeerContext, questions: StunTransactions, server: Endpoint | undefined, found: () => void) {
    this.#context = context
    this.#questions = questions
    this.#server = server
    this.#found = found
  }

  /** As it was seen last. */
  get address(): Endpoint | undefined {
    return this.#address
  }

  /** Where this host reaches that family. */
  ask(now: Instant): void {
    const server = this.#server
    const own = this.#context.hostCandidates()
    const hosts = own.map(({ ip }) => ip).join(' ')
    if (server === undefined || this.#context.seedMode || this.#question !== undefined) return
    const known = this.#unanswered
    if (known !== undefined && known.hosts === hosts && known.until > now) return
    if (known?.hosts !== hosts) this.#retries = 0
    this.#timer?.cancel()
    const to = this.#context.reached(server)
    if (!own.some(({ ip }) => ipFamily(ip) === ipFamily(to.ip))) return this.#seen(undefined)
    this.#question = this.#questions.start(
      {
        ...{ to, schedule: OTHER_FAMILY_SCHEDULE },
        done: (answer, at) => {
          this.#question = undefined
          if (answer === undefined) this.#silent(hosts, at)
          else this.#unanswered = undefined
          this.#learn(answer?.mapped, at)
        },
      },
      now,
    )
  }

  stop(): void {
    this.#timer?.cancel()
    this.#question?.close()
    this.#question = undefined
    this.#seen(undefined)
  }

  /** Each of a question's packets was lost, or nothing is there. */
  #silent(hosts: string, now: Instant): void {
    const retries = this.#retries < MAX_RETRIES
    const wait = retries ? OTHER_FAMILY_RETRY * 2 ** this.#retries++ : OTHER_FAMILY_AGAIN
    this.#unanswered = { hosts, until: later(now, duration(wait)) }
    if (retries) this.#timer = this.#context.timers.set(this.#unanswered.until, (at) => this.ask(at))
  }

  #seen(observed: Endpoint | undefined): void {
    const known = this.#address
    this.#address = observed
    const by = this.#server
    const same = observed === undefined ? known === undefined : known !== undefined && sameEndpoint(known, observed)
    if (by === undefined || same) return
    this.#context.outbox.event({ type: 'seen', by, observed })
    if (observed !== undefined) this.#found()
  }

  #learn(mapped: Endpoint | undefined, now: Instant): void {
    const right = mapped !== undefined && ipFamily(mapped.ip) === ipFamily(this.#server?.ip ?? '')
    this.#seen(right ? mapped : undefined)
    if (right) this.#retries = 0
    const natted = right && !this.#context.hostCandidates().some((own) => sameEndpoint(own, mapped))
    if (natted) this.#timer = this.#context.timers.set(later(now, OTHER_FAMILY_GAP), (at) => this.ask(at))
  }
}

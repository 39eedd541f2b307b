/**
 * Waits for a relay that was lost: asked by STUN each 0.5 s, then each 2 s, for two minutes, since a
 * registration that backs off would notice late that it is back. A relay that answers after silence
 * is registered with at once.
 */
import type { Endpoint } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import { jittered } from '../endpoint/retransmission.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { StunTransactions } from '../nat/stun-transactions.ts'

/**
 * Between two questions, ±20 %, so that peers that lost the relay together do not ask together: at
 * first, since most relays that go away restart, and later.
 */
export const RETURN_ASK_GAP: Duration = duration(500)
export const RETURN_ASK_GAP_LATER: Duration = duration(2000)
export const RETURN_ASK_OFTEN: Duration = duration(15_000)
/** Between two registrations that its answers cause: one takes about as long until it is given up. */
export const RETURN_REGISTER_GAP: Duration = duration(12_000)
/**
 * How long it is asked, while connections may wait for it (RECOVERY_TIME): then the back-off of the
 * registration goes on alone.
 */
export const RETURN_ASK_TIME: Duration = duration(120_000)

export class RelayReturn {
  readonly #context: PeerContext
  readonly #questions: StunTransactions
  readonly #relay: Endpoint
  readonly #back: (now: Instant) => void
  #until: Instant | undefined
  #often: Instant | undefined
  /** When an answer caused a registration last. */
  #backAt: Instant | undefined
  #question: { close(): void } | undefined
  #timer: Timer | undefined
  /** Whether nothing came since this peer registered last, or tried to. */
  #silent = true

  constructor(context: PeerContext, questions: StunTransactions, relay: Endpoint, back: (now: Instant) => void) {
    this.#context = context
    this.#questions = questions
    this.#relay = relay
    this.#back = back
  }

  /** The relay was lost. */
  await(now: Instant): void {
    this.stop()
    this.#silent = true
    this.#backAt = undefined
    this.#until = later(now, RETURN_ASK_TIME)
    this.#often = later(now, RETURN_ASK_OFTEN)
    this.#ask(now)
  }

  stop(): void {
    this.#until = undefined
    this.#question?.close()
    this.#timer?.cancel()
  }

  #pause(now: Instant): void {
    this.#timer = this.#context.timers.set(later(now, this.#gap(now)), (at) => this.#ask(at))
  }

  #ask(now: Instant): void {
    if (this.#until === undefined || now >= this.#until) return
    this.#question = this.#questions.start(
      { to: this.#relay, schedule: [this.#gap(now)], done: (answer, at) => this.#asked(answer !== undefined, at) },
      now,
    )
  }

  #asked(answered: boolean, now: Instant): void {
    if (!answered) {
      this.#silent = true
      return this.#ask(now)
    }
    const back = this.#silent
    this.#silent = false
    this.#pause(now)
    if (!back || (this.#backAt !== undefined && later(this.#backAt, RETURN_REGISTER_GAP) > now)) return
    this.#backAt = now
    this.#back(now)
  }

  #gap(now: Instant): Duration {
    const often = this.#often !== undefined && now < this.#often
    return jittered(often ? RETURN_ASK_GAP : RETURN_ASK_GAP_LATER, this.#context.random)
  }
}

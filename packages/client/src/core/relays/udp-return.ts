/**
 * Looks for UDP while a relay is reached by WebSocket: the relay is asked by STUN, often while somebody
 * needs it and now and then otherwise. Its answer shows that datagrams come through both ways.
 */
import type { Endpoint } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { StunTransactions } from '../nat/stun-transactions.ts'

/** Between two questions while a dial or a connection needs the relay: UDP is back within 5 s. */
export const UDP_ASK_GAP: Duration = duration(4000)
/** And while none does. */
export const UDP_ASK_GAP_IDLE: Duration = duration(60_000)
/** How long an answer is waited for: it is no matter of loss, the next question follows. */
const UDP_ASK_WAIT: Duration = duration(2000)

export interface UdpReturnOptions {
  readonly relay: Endpoint
  readonly questions: StunTransactions
  /** Whether a dial or a connection needs the relay. */
  needed(): boolean
  /** It answered over UDP. */
  answered(now: Instant): void
}

export class UdpReturn {
  readonly #context: PeerContext
  readonly #options: UdpReturnOptions
  #timer: Timer | undefined
  #question: { close(): void } | undefined
  #askedAt: Instant | undefined

  constructor(context: PeerContext, options: UdpReturnOptions) {
    this.#context = context
    this.#options = options
  }

  /** From now on it is looked for, at once. */
  start(now: Instant): void {
    this.stop()
    this.#ask(now)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#question?.close()
    this.#timer = undefined
    this.#question = undefined
  }

  #ask(now: Instant): void {
    const { questions, relay, answered } = this.#options
    this.#askedAt = now
    this.#question?.close()
    this.#question = questions.start(
      { to: relay, schedule: [UDP_ASK_WAIT], done: (answer, at) => answer !== undefined && answered(at) },
      now,
    )
    this.#wait(now)
  }

  #wait(now: Instant): void {
    this.#timer = this.#context.timers.set(later(now, UDP_ASK_GAP), (at) => {
      const due = this.#askedAt === undefined || later(this.#askedAt, UDP_ASK_GAP_IDLE) <= at
      if (due || this.#options.needed()) this.#ask(at)
      else this.#wait(at)
    })
  }
}

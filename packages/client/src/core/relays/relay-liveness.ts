/**
 * Keeps the binding at a relay, and detects within seconds that nothing comes back from there
 * (docs/protocol.md, Keep-alive). A keep-alive that stays unanswered proves little, since a relay
 * answers one in 5 s. STUN Binding is answered each time, so a doubt is settled by it.
 *
 *   alive ── nothing sent or heard for 15 s: 0x100 ──► unanswered for 1 s: asked
 *    ▲ └──── suspect(), or a timer that fired late ──────────► │
 *    │ heard                                                   ▼
 *   asked ── 0x100, and STUN each 0.5 s for 2 s ──► 1 s of silence: dead
 */
import type { Encoding, Endpoint, PeerId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, instant, later, type Route } from '../endpoint/machine.ts'
import { sendKeepAlive } from '../endpoint/signed-messages.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { StunTransactions } from '../nat/stun-transactions.ts'
import { KEEP_ALIVE_ECHO_GAP, KeepAlive, type Liveness, SLEPT } from './keep-alive.ts'

/** A keep-alive that is unanswered for this long is followed by questions. */
export const UNANSWERED_AFTER: Duration = duration(1000)
/**
 * How long the answer to each of the five questions is waited for: they leave 0.5 s apart, since a
 * relay that restarts is back in about as long.
 */
export const ASK_SCHEDULE: readonly Duration[] = [500, 500, 500, 500, 1000].map(duration)
/** Between the beginnings of two rounds of questions, however often something is not answered. */
export const ASK_GAP: Duration = duration(1000)

/** What became of a relay. */
interface LivenessNews {
  readonly dead: (now: Instant) => void
  /** It did not answer the first questions: it is time to look elsewhere, too. */
  readonly doubted: () => void
}

export class RelayLiveness implements Liveness {
  readonly #context: PeerContext
  readonly #to: Route
  readonly #questions: StunTransactions
  readonly #tell: LivenessNews
  #timer: Timer | undefined
  /** Until the answer to the last keep-alive is due. */
  #answer: Timer | undefined
  #lastSent: Instant
  #lastKeepAlive: Instant | undefined
  #lastHeard: Instant
  /** The round of questions that is open. */
  #asking: { close(): void } | undefined
  #askedAt: Instant | undefined
  /** Until the first questions should have been answered. */
  #doubt: Timer | undefined

  constructor(context: PeerContext, to: Route, questions: StunTransactions, now: Instant, tell: LivenessNews) {
    this.#context = context
    this.#to = to
    this.#questions = questions
    this.#tell = tell
    this.#lastSent = now
    this.#lastHeard = now
    this.#arm()
  }

  get suspected(): boolean {
    return this.#asking !== undefined
  }

  get lastHeard(): Instant {
    return this.#lastHeard
  }

  sent(now: Instant): void {
    this.#lastSent = now
  }

  heard(now: Instant): void {
    this.#lastHeard = now
    this.#forgetAnswer()
    this.#doubt?.cancel()
    this.#asking?.close()
    this.#asking = undefined
  }

  suspect(now: Instant): void {
    if (this.#asking !== undefined) return
    if (this.#askedAt !== undefined && later(this.#askedAt, ASK_GAP) > now) return
    this.#ask(now)
  }

  echo(encoding: Encoding, now: Instant): void {
    this.heard(now)
    if (this.#lastKeepAlive === undefined || later(this.#lastKeepAlive, KEEP_ALIVE_ECHO_GAP) <= now)
      this.#send(encoding, now)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#forgetAnswer()
    this.#doubt?.cancel()
    this.#asking?.close()
    this.#asking = undefined
  }

  /**
   * The relay is asked whether it is there, by STUN, and whether it knows this peer, by 0x100: one
   * that has restarted answers the second with `unbound`.
   */
  #ask(now: Instant): void {
    this.#askedAt = now
    this.#forgetAnswer()
    this.#send(this.#context.encoding, now)
    this.#doubt?.cancel()
    this.#doubt = this.#context.timers.set(later(now, UNANSWERED_AFTER), () => this.#tell.doubted())
    this.#asking = this.#questions.start(
      {
        to: this.#to,
        schedule: ASK_SCHEDULE,
        done: (answer, at) => {
          this.#asking = undefined
          if (answer === undefined) return this.#tell.dead(at)
          this.heard(at)
          // It was silent for a while, and may be another that knows nobody.
          if (later(now, UNANSWERED_AFTER) <= at) this.#send(this.#context.encoding, at)
        },
      },
      now,
    )
  }

  #unanswered(now: Instant): void {
    this.#answer = undefined
    if (this.#asking === undefined) this.#ask(now)
  }

  #send(encoding: Encoding, now: Instant): void {
    this.#lastKeepAlive = now
    this.#lastSent = now
    sendKeepAlive(this.#context, this.#context.self, this.#to, encoding)
  }

  /**
   * The wait for an answer goes on when more keep-alives leave meanwhile: an interval below it would
   * put it off for ever. The relay does not answer one that follows its last answer too soon.
   */
  #awaitAnswer(now: Instant): void {
    if (this.#answer !== undefined || later(this.#lastHeard, KEEP_ALIVE_ECHO_GAP) > now) return
    this.#answer = this.#context.timers.set(later(now, UNANSWERED_AFTER), (at) => this.#unanswered(at))
  }

  #forgetAnswer(): void {
    this.#answer?.cancel()
    this.#answer = undefined
  }

  /** When the next keep-alive is due. */
  get #next(): Instant {
    const asked = this.#lastKeepAlive
    const listening = asked === undefined || asked < this.#lastHeard ? this.#lastHeard : asked
    return later(instant(Math.min(listening, this.#lastSent)), this.#context.keepAlive)
  }

  #arm(): void {
    this.#timer = this.#context.timers.set(this.#next, (now) => this.#due(now))
  }

  #due(now: Instant): void {
    const due = this.#next
    if (due <= now) {
      if (this.#asking !== undefined) this.#send(this.#context.encoding, now)
      else if (later(due, SLEPT) <= now) this.#ask(now)
      else {
        this.#send(this.#context.encoding, now)
        this.#awaitAnswer(now)
      }
    }
    this.#arm()
  }
}

interface Watched {
  readonly id: PeerId
  readonly endpoint: Endpoint
  readonly extended: boolean
  doubted(): void
}

/** Watches a relay. One that speaks only the seed answers no STUN. */
export function livenessOf(
  context: PeerContext,
  { id: relay, endpoint: at, extended, ...watched }: Watched,
  questions: StunTransactions,
  now: Instant,
  dead: (now: Instant) => void,
): Liveness {
  if (!extended) return new KeepAlive(context, at, now, dead)
  const doubted = (): void => {
    context.outbox.event({ type: 'relayDoubted', relay, at })
    watched.doubted()
  }
  return new RelayLiveness(context, at, questions, now, { dead, doubted })
}

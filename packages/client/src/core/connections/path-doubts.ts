/**
 * Which paths of a protected connection are in doubt, and the questions that settle it: path
 * challenges on the path itself, which the remote peer answers there (docs/protocol.md, A protected
 * path that dies).
 *
 *   good ── doubt() ──► doubted: asked after 0, 0.5, 1 and 2 s ── silent for 1.5 s more ──► dead
 *    ▲                      │ answered                                                   │
 *    └──────────────────────┴──── answered: a direct one, or the only one, is asked on ◄───┘
 */
import type { Random } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import { CHALLENGE_BYTES } from '@showchain/wire/end-to-end'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import type { MessageSession } from '../messages/message-session.ts'

/** How long the answer to each of the four questions is waited for: they leave at 0, 0.5, 1 and 2 s. */
export const PATH_ASK_SCHEDULE: readonly Duration[] = [500, 500, 1000, 1500].map(duration)
/** Between two rounds of questions on one path. */
export const PATH_ASK_GAP: Duration = duration(1000)
/** A dead path is asked this often: a direct one where another path carries data, and any where none does. */
export const DEAD_ASK_GAP: Duration = duration(5000)
export const ALONE_ASK_GAP: Duration = duration(1000)
/** How long it is asked; where no path carries data, as long as the connection lives. */
export const DEAD_ASK_TIME: Duration = duration(60_000)

interface Question {
  readonly token: Uint8Array
  readonly askedAt: Instant
  readonly state: 'doubted' | 'dead'
  asked: number
  timer: Timer | undefined
}

export interface PathDoubtsActions {
  /** Sends a path challenge on the path. */
  challenge(path: MessageSession, token: Uint8Array, now: Instant): void
  /** Nothing came back. */
  dead(path: MessageSession, now: Instant): void
  /** It works, both ways. */
  answered(path: MessageSession, now: Instant): void
  /** Whether another path carries data. */
  spare(): boolean
  /** A dead path is not asked any more. */
  forgotten(path: MessageSession): void
}

export class PathDoubts {
  readonly #timers: Pick<Timers, 'set'>
  readonly #random: Random
  readonly #actions: PathDoubtsActions
  /** The path that data takes, and a dead one: a handful. */
  readonly #questions = new Map<MessageSession, Question>()
  /** When each path was asked last. */
  readonly #askedAt = new WeakMap<MessageSession, Instant>()

  constructor(timers: Pick<Timers, 'set'>, random: Random, actions: PathDoubtsActions) {
    this.#timers = timers
    this.#random = random
    this.#actions = actions
  }

  /** Undefined: nothing speaks against it. */
  stateOf(path: MessageSession): 'doubted' | 'dead' | undefined {
    return this.#questions.get(path)?.state
  }

  doubts(path: MessageSession): boolean {
    return this.stateOf(path) === 'doubted'
  }

  /** Nothing comes back on the path. @returns whether that is news */
  doubt(path: MessageSession, now: Instant): boolean {
    const askedAt = this.#askedAt.get(path)
    if (this.#questions.has(path) || (askedAt !== undefined && later(askedAt, PATH_ASK_GAP) > now)) return false
    this.#askedAt.set(path, now)
    this.#ask(path, this.#question(path, 'doubted', now), now)
    return true
  }

  /** The path is dead, and is asked whether it is back. */
  await(path: MessageSession, now: Instant): void {
    if (this.#questions.get(path)?.state !== 'dead') this.#ask(path, this.#question(path, 'dead', now), now)
  }

  /** Something came by a dead path. */
  heard(path: MessageSession, now: Instant): void {
    const question = this.#questions.get(path)
    if (question?.state !== 'dead') return
    const askedAt = this.#askedAt.get(path)
    if (askedAt === undefined || later(askedAt, PATH_ASK_GAP) <= now) this.#ask(path, question, now)
  }

  /** A PATH_RESPONSE came. @returns whether it answers a question of these */
  answered(token: Uint8Array, now: Instant): boolean {
    for (const [path, question] of this.#questions) {
      if (!equalBytes(question.token, token)) continue
      this.forget(path)
      this.#actions.answered(path, now)
      return true
    }
    return false
  }

  forget(path: MessageSession): void {
    this.#questions.get(path)?.timer?.cancel()
    this.#questions.delete(path)
  }

  stop(): void {
    for (const path of [...this.#questions.keys()]) this.forget(path)
  }

  #question(path: MessageSession, state: Question['state'], now: Instant): Question {
    this.forget(path)
    const token = this.#random.bytes(CHALLENGE_BYTES)
    const question: Question = { token, state, askedAt: now, asked: 0, timer: undefined }
    this.#questions.set(path, question)
    return question
  }

  #ask(path: MessageSession, question: Question, now: Instant): void {
    const wait = this.#wait(path, question, now)
    question.timer?.cancel()
    if (wait === undefined) {
      this.forget(path)
      return question.state === 'dead' ? this.#actions.forgotten(path) : this.#actions.dead(path, now)
    }
    question.asked++
    this.#askedAt.set(path, now)
    question.timer = this.#timers.set(later(now, wait), (at) => this.#ask(path, question, at))
    this.#actions.challenge(path, question.token, now)
  }

  /** Until the next question after this one; undefined: there is none. */
  #wait({ options }: MessageSession, { state, asked, askedAt }: Question, now: Instant): Duration | undefined {
    if (state === 'doubted') return PATH_ASK_SCHEDULE[asked]
    if (!this.#actions.spare()) return ALONE_ASK_GAP
    const isDirect = options.directKey !== undefined
    return isDirect && later(askedAt, DEAD_ASK_TIME) > now ? DEAD_ASK_GAP : undefined
  }
}

/**
 * What records cause on the paths that they come by: the answer to a path challenge, and a challenge
 * to a remote peer that sends from an address that is not known as its own. The remote peer has the
 * keys, and can name any address. One that is not validated gets one datagram for each record from
 * there at most, no longer than the record, or than its allowance, beside the probes of an attempt.
 */
import type { Random } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import { CHALLENGE_BYTES, FRAME, FrameWriter, RECORD_OVERHEAD } from '@showchain/wire/end-to-end'
import type { Instant, Route } from '../endpoint/machine.ts'
import { PathValidation } from './path-validation.ts'
import { type RecordPath, samePath } from './record-path.ts'

/** A genuine record. */
export interface Arrival {
  readonly by: RecordPath
  /** Its bytes. */
  readonly length: number
  /** Whether no later one came before it. */
  readonly newest: boolean
}

/**
 * What only the receiver of a 0x102 knows, so that a PATH_RESPONSE with it proves that its address
 * receives: nobody can compute the signature, and it covers that address.
 */
export const proofOf = (signature: Uint8Array): Uint8Array => signature.slice(0, CHALLENGE_BYTES)

/** What a record said of paths. */
export interface PathFramesRead {
  /** Token of its last path challenge: a record with many gets one answer. */
  readonly asked: Uint8Array | undefined
  /** Tokens of its path responses. */
  readonly answers: readonly Uint8Array[]
}

/**
 * What a genuine record that is the newest tells of where its sender is. One that asks or answers on
 * its path goes there whichever path data takes.
 */
export type Newest = 'sent here' | 'of the path'

/** Of nearly every record. */
export const NOTHING_READ: PathFramesRead = { asked: undefined, answers: [] }

interface PathFrame {
  readonly type: 'pathChallenge' | 'pathResponse'
  readonly token: Uint8Array
}

/** Bytes of a record with so many path frames. */
const recordBytes = (frames: number): number => RECORD_OVERHEAD + frames * (1 + CHALLENGE_BYTES)

/** What a punch attempt asks the remote peer by records, while one looks for it. */
export interface PathQuestions {
  /** The token of a question to this address; undefined: there is none. */
  question(at: Route): Uint8Array | undefined
  /** The remote peer answered with this token. @param asks whether it asked a question, too */
  answered(token: Uint8Array, asks: boolean, now: Instant): void
}

export interface PathProbingOptions {
  readonly random: Random
  readonly questions: PathQuestions
  /** Sends a record with these frames. @returns false: there are no keys */
  send(payload: Uint8Array, to: RecordPath, now: Instant): boolean
}

export class PathProbing {
  readonly #options: PathProbingOptions
  readonly #validation = new PathValidation()

  constructor(options: PathProbingOptions) {
    this.#options = options
  }

  /**
   * The token of a challenge to where a record came from, if that is due. It is asked before the
   * record is read, which may be the answer to the last one.
   * @param current the path that data takes
   */
  challenge({ by, length, newest }: Arrival, current: RecordPath | undefined, now: Instant): Uint8Array | undefined {
    if (by.kind !== 'direct' || by.validated || !newest || length < recordBytes(1)) return undefined
    if (current !== undefined && samePath(by, current)) return undefined
    return this.#options.questions.question(by.to) ?? this.#validation.start(by.to, this.#options.random, now)
  }

  newest({ asked, answers }: PathFramesRead): Newest {
    return asked === undefined && answers.length === 0 ? 'sent here' : 'of the path'
  }

  /** @param challenge what `challenge` said of it; none is due where the record itself answers that */
  answer(
    { by, length }: Arrival,
    { asked, answers }: PathFramesRead,
    challenge: Uint8Array | undefined,
    now: Instant,
  ): void {
    const wanted = by.to.allowance?.wanted
    // As of nearly every record.
    if (asked === undefined && wanted === undefined && challenge === undefined) return
    const due = challenge !== undefined && answers.some((each) => equalBytes(each, challenge)) ? undefined : challenge
    const limit = by.kind === 'direct' && !by.validated ? length : Number.POSITIVE_INFINITY
    const frames: PathFrame[] = []
    for (const [type, bytes] of [
      ['pathResponse', asked],
      ['pathChallenge', wanted ?? due],
    ] as const)
      if (bytes !== undefined && recordBytes(frames.length + 1) <= limit) frames.push({ type, token: bytes })
    if (frames.length > 0) this.#options.send(payload(frames), by, now)
  }

  /**
   * Asks on a path whether it works both ways. The record is as long as an answer and a challenge
   * together: this end may have another address than the remote peer knows.
   * @returns false: there are no keys
   */
  ask(path: RecordPath, token: Uint8Array, now: Instant): boolean {
    return this.#options.send(payload([{ type: 'pathChallenge', token }], recordBytes(2)), path, now)
  }

  /** The remote peer's keep-alive came from an address at which it is not known: it may be a path. */
  keptAlive(at: RecordPath, now: Instant): void {
    const token = this.#validation.start(at.to, this.#options.random, now)
    if (token !== undefined) this.ask(at, token, now)
  }

  /** Says what a 0x102 asked for. @param token proofOf the 0x102 */
  prove(path: RecordPath, token: Uint8Array, now: Instant): void {
    this.#options.send(payload([{ type: 'pathResponse', token }]), path, now)
  }

  /**
   * A PATH_RESPONSE came.
   * @returns the address that it validates
   */
  validated(token: Uint8Array, by: RecordPath | undefined): Route | undefined {
    return by?.to.allowance?.prove(token) === true ? by.to : this.#validation.validated(token)
  }
}

/** @param length of the record: zeros are PADDING */
function payload(frames: readonly PathFrame[], length: number = recordBytes(frames.length)): Uint8Array {
  const bytes = new Uint8Array(length - RECORD_OVERHEAD)
  const writer = new FrameWriter()
  writer.reset(bytes, bytes.length)
  for (const { type, token } of frames) writer.token(FRAME[type], token)
  return bytes
}

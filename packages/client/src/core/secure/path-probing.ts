/**
 * What records cause on the paths that they come by: the answer to a path challenge, and a challenge
 * to a remote peer that sends from another address than before. The remote peer has the keys, and
 * can name any address as its own. An address that is not validated gets one datagram for each
 * record from there at most, no longer than the record, or than its allowance.
 */
import type { Random } from '@showchain/crypto/core'
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

interface PathFrame {
  readonly type: 'pathChallenge' | 'pathResponse'
  readonly token: Uint8Array
}

/** Bytes of a record with so many path frames. */
const recordBytes = (frames: number): number => RECORD_OVERHEAD + frames * (1 + CHALLENGE_BYTES)

export class PathProbing {
  readonly #random: Random
  readonly #send: (payload: Uint8Array, to: RecordPath, now: Instant) => void
  readonly #validation = new PathValidation()

  /** @param send sends a record with these frames */
  constructor(random: Random, send: (payload: Uint8Array, to: RecordPath, now: Instant) => void) {
    this.#random = random
    this.#send = send
  }

  /**
   * The token of a challenge to where a record came from, if that is due. It is asked before the
   * record is read, which may be the answer to the last one.
   * @param current the path that data takes
   */
  challenge({ by, length, newest }: Arrival, current: RecordPath | undefined, now: Instant): Uint8Array | undefined {
    if (by.kind !== 'direct' || current?.kind !== 'direct' || samePath(by, current)) return undefined
    return newest && length >= recordBytes(1) ? this.#validation.start(by.to, this.#random, now) : undefined
  }

  /**
   * @param token of the last path challenge in the record
   * @param challenge what `challenge` said of it
   */
  answer(
    { by, length }: Arrival,
    token: Uint8Array | undefined,
    challenge: Uint8Array | undefined,
    now: Instant,
  ): void {
    const limit = by.kind === 'direct' && !by.validated ? length : Number.POSITIVE_INFINITY
    const frames: PathFrame[] = []
    for (const [type, bytes] of [
      ['pathResponse', token],
      ['pathChallenge', by.to.allowance?.wanted ?? challenge],
    ] as const)
      if (bytes !== undefined && recordBytes(frames.length + 1) <= limit) frames.push({ type, token: bytes })
    if (frames.length > 0) this.#send(payload(frames), by, now)
  }

  /**
   * Asks on a path whether it works both ways. The record is as long as an answer and a challenge
   * together: this end may have another address than the remote peer knows.
   */
  ask(path: RecordPath, token: Uint8Array, now: Instant): void {
    this.#send(payload([{ type: 'pathChallenge', token }], recordBytes(2)), path, now)
  }

  /** Says what a 0x102 asked for. @param token proofOf the 0x102 */
  prove(path: RecordPath, token: Uint8Array, now: Instant): void {
    this.#send(payload([{ type: 'pathResponse', token }]), path, now)
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

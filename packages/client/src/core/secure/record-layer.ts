/**
 * Seals and opens the records of one connection. Each number is used once in each direction, so a
 * record is opened once (docs/protocol.md, End to end).
 */
import { type EndToEndCrypto, OpeningKey, ReplayWindow, SealingKey } from '@showchain/crypto/core'
import { RECORD_HEADER_BYTES, readRecordHeader, writeRecordHeader } from '@showchain/wire/end-to-end'
import { type Instant, later } from '../endpoint/machine.ts'
import type { Secured } from './handshake-options.ts'
import { PREVIOUS_KEY_GRACE, REKEY_AFTER } from './limits.ts'

export interface Opened {
  readonly number: number
  readonly payload: Uint8Array
  /** Whether no record with a higher number arrived before. */
  readonly newest: boolean
}

/** Reused: the cipher reads it. A view of each record would be an object of its own. */
const aad = new Uint8Array(RECORD_HEADER_BYTES)

export class RecordLayer {
  readonly #seal: SealingKey
  readonly #open: OpeningKey
  readonly #window = new ReplayWindow()
  readonly #remoteConnectionId: Uint8Array
  #highest = -1
  /** Number of the first record of this end's epoch, and when the epoch began. */
  #epochFirst = 0
  #epochStart: Instant
  /** When the remote peer's key was updated last, until the previous one is forgotten. */
  #updatedAt: Instant | undefined

  constructor(crypto: EndToEndCrypto, { sendKey, receiveKey, remoteConnectionId }: Secured, now: Instant) {
    this.#seal = new SealingKey(crypto, sendKey)
    this.#open = new OpeningKey(crypto, receiveKey)
    this.#remoteConnectionId = remoteConnectionId
    this.#epochStart = now
  }

  /** Number of the next record. */
  get next(): number {
    return this.#seal.next
  }

  /** Whether all epochs are used up: only a new handshake helps. */
  get exhausted(): boolean {
    return this.#seal.exhausted
  }

  get epoch(): number {
    return this.#seal.epoch
  }

  /**
   * Seals a record into a datagram from `at` on.
   * @param largestAcked the highest number that the remote peer acknowledged
   */
  seal(payload: Uint8Array, into: Uint8Array, at: number, largestAcked: number, now: Instant): void {
    // The remote peer follows one key update at a time: it must have seen this epoch before the
    // next.
    if (later(this.#epochStart, REKEY_AFTER) <= now && largestAcked >= this.#epochFirst && !this.exhausted) {
      this.#seal.advance()
      this.#epochFirst = this.#seal.next
      this.#epochStart = now
    }
    writeRecordHeader(aad, 0, this.#remoteConnectionId, this.#seal.epoch, this.#seal.next)
    into.set(aad, at)
    this.#seal.seal(aad, payload, into, at + RECORD_HEADER_BYTES)
  }

  /**
   * Opens a record, and may write over it.
   * @returns undefined when it is not genuine, or arrived before; then nothing else has changed
   */
  open(record: Uint8Array, now: Instant): Opened | undefined {
    const header = readRecordHeader(record)
    if (header === undefined || this.#window.check(header.number) !== 'fresh') return undefined
    if (this.#updatedAt !== undefined && later(this.#updatedAt, PREVIOUS_KEY_GRACE) <= now) {
      this.#open.forgetPrevious()
      this.#updatedAt = undefined
    }
    const { epoch } = this.#open
    const { number } = header
    for (let at = 0; at < RECORD_HEADER_BYTES; at++) aad[at] = record[at] as number
    const payload = this.#open.open(header.epoch, number, aad, record.subarray(RECORD_HEADER_BYTES))
    if (payload === undefined || !this.#window.accept(number)) return undefined
    if (this.#open.epoch !== epoch) this.#updatedAt = now
    const newest = number > this.#highest
    if (newest) this.#highest = number
    return { number, payload, newest }
  }
}

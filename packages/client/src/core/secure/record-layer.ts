/** Records of one connection, both ways: sealed under numbers that never come again, and opened once each (docs/protocol.md, End to end). */
import { type EndToEndCrypto, OpeningKey, ReplayWindow, SealingKey } from '@showchain/crypto/core'
import { RECORD_HEADER_BYTES, readRecordHeader, writeRecordHeader } from '@showchain/wire/end-to-end'
import { type Instant, later } from '../endpoint/machine.ts'
import type { Secured } from './handshake.ts'
import { PREVIOUS_KEY_GRACE, REKEY_AFTER } from './limits.ts'

export interface Opened {
  readonly number: number
  readonly payload: Uint8Array
  /** Whether no record with a higher number came before it. */
  readonly newest: boolean
}

export class RecordLayer {
  readonly #seal: SealingKey
  readonly #open: OpeningKey
  readonly #window = new ReplayWindow()
  readonly #remoteConnectionId: Uint8Array
  #highest = -1
  /** The number of the current epoch's first record, and when it began. */
  #epochFirst = 0
  #epochStart: Instant
  /** When the other end's newest epoch began. */
  #renewedAt: Instant | undefined

  constructor(crypto: EndToEndCrypto, { sendKey, receiveKey, remoteConnectionId }: Secured, now: Instant) {
    this.#seal = new SealingKey(crypto, sendKey)
    this.#open = new OpeningKey(crypto, receiveKey)
    this.#remoteConnectionId = remoteConnectionId
    this.#epochStart = now
  }

  /** The number of the next record. */
  get next(): number {
    return this.#seal.next
  }

  /** Whether only a new handshake helps. */
  get exhausted(): boolean {
    return this.#seal.exhausted
  }

  get epoch(): number {
    return this.#seal.epoch
  }

  /** Seals into a datagram from `at` on. @param acknowledged the highest number that the other end acknowledged */
  seal(payload: Uint8Array, into: Uint8Array, at: number, acknowledged: number, now: Instant): void {
    // The other end follows one epoch at a time: it must have seen this one before the next comes.
    if (later(this.#epochStart, REKEY_AFTER) <= now && acknowledged >= this.#epochFirst && !this.exhausted) {
      this.#seal.advance()
      this.#epochFirst = this.#seal.next
      this.#epochStart = now
    }
    writeRecordHeader(into, at, this.#remoteConnectionId, this.#seal.epoch, this.#seal.next)
    const body = at + RECORD_HEADER_BYTES
    this.#seal.seal(into.subarray(at, body), payload, into, body)
  }

  /** Undefined when it is not genuine, or came before; then nothing has changed. */
  open(record: Uint8Array, now: Instant): Opened | undefined {
    const header = readRecordHeader(record)
    if (header === undefined || this.#window.check(header.number) !== 'fresh') return undefined
    if (this.#renewedAt !== undefined && later(this.#renewedAt, PREVIOUS_KEY_GRACE) <= now) {
      this.#open.forgetPrevious()
      this.#renewedAt = undefined
    }
    const { epoch } = this.#open
    const { number } = header
    const aad = record.subarray(0, RECORD_HEADER_BYTES)
    const payload = this.#open.open(header.epoch, number, aad, record.subarray(RECORD_HEADER_BYTES))
    if (payload === undefined || !this.#window.accept(number)) return undefined
    if (this.#open.epoch !== epoch) this.#renewedAt = now
    const newest = number > this.#highest
    if (newest) this.#highest = number
    return { number, payload, newest }
  }
}

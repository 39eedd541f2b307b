/**
 * Noise XX between two peers that have a path (docs/protocol.md, End to end). The smaller id begins, so that two ends that
 * dial each other never do both; the larger id may ask it to.
 *
 *   larger id             smaller id
 *      │ 0 ask ──────────────► │      only when nothing came
 *      │ ◄────────────── 1  e │
 *      │ 2  e, ee, s, es ────► │      + certificate, connection id, the connection that it has
 *      │ ◄─────────── 3  s, se │      + the same of the other end
 *      │ record ─────────────► │
 *
 * Each message is sent again until the next one came. A forged one changes nothing: each is read with a copy. Both ends name the
 * connection that they have already: when it is the same, nothing is to be made, and somebody else asked.
 */

import {
  DH_BYTES,
  isCurrent,
  type NoiseCrypto,
  type NoiseResult,
  NoiseXX,
  type PublicKey,
  type Random,
} from '@showchain/crypto/core'
import { equalBytes, type PeerId } from '@showchain/wire'
import {
  CONNECTION_NAME_BYTES,
  certificatePreimage,
  HANDSHAKE_KIND,
  type HandshakePayload,
  handshakePrologue,
  readCertificate,
  readHandshakePayload,
  writeHandshakePayload,
} from '@showchain/wire/end-to-end'
import type { Count } from '../endpoint/counters.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, later } from '../endpoint/machine.ts'
import { jittered } from '../endpoint/retransmission.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import type { CertificateSource } from './credentials.ts'
import { ASK_AFTER, HANDSHAKE_TIME, MAX_FIRST_MESSAGES, REPEAT_FIRST, REPEAT_GROWTH, REPEAT_LAST } from './limits.ts'

/** What a finished handshake gives. */
export interface Secured extends Pick<NoiseResult, 'sendKey' | 'receiveKey'> {
  /** The same at both ends, and different for every handshake. */
  readonly name: Uint8Array
  /** Whether this end began. */
  readonly initiator: boolean
  /** In records to the other end. */
  readonly remoteConnectionId: Uint8Array
}

export interface HandshakeOptions {
  readonly self: PeerId
  readonly remoteId: PeerId
  readonly crypto: NoiseCrypto
  readonly credentials: CertificateSource
  readonly random: Random
  readonly timers: Pick<Timers, 'set'>
  readonly unixMs: () => number
  /** The key of a certificate: one that hashes to the other end's id. */
  keyOf(spki: Uint8Array): PublicKey | undefined
  verify(key: PublicKey, preimage: Uint8Array, signature: Uint8Array): boolean
  /** In records to this end. */
  readonly connectionId: Uint8Array
  /** The name of the connection at hand. */
  current(): Uint8Array | undefined
  transmit(kind: number, message: Uint8Array, now: Instant): void
  /** A message was not genuine, or is not for this end to read. */
  readonly count: Count<'handshakeRefused'>
}

export type HandshakeEvent =
  | { readonly type: 'secured'; readonly secured: Secured }
  /** A handshake that this end wants has failed; forged messages do not make it fail. */
  | { readonly type: 'failed'; readonly reason: string }

/** The other end's first message, and our answer to it. */
interface Answer {
  readonly first: Uint8Array
  readonly ephemeral: Uint8Array
  readonly payload: Uint8Array
  readonly second: Uint8Array
}

interface Beginning {
  readonly ephemeral: Uint8Array
  readonly certificate: Uint8Array
}

export class Handshake {
  readonly #options: HandshakeOptions
  readonly #initiator: boolean
  readonly #prologue: Uint8Array
  readonly #events = new EventQueue<HandshakeEvent>()
  /** What is sent again until it is answered, and until when. */
  #repeat: Timer | undefined
  #state: 'idle' | 'running' | 'done' = 'idle'
  #deadline: Timer | undefined
  #asking: Timer | undefined
  #beginning: Beginning | undefined
  #answer: Answer | undefined
  /** First messages that were answered since `#answersSince`. */
  #answers = 0
  #answersSince: Instant | undefined
  #third: { readonly first: Uint8Array; readonly message: Uint8Array } | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
    const { self, remoteId } = options
    this.#initiator = self < remoteId
    this.#prologue = this.#initiator ? handshakePrologue(self, remoteId) : handshakePrologue(remoteId, self)
  }

  poll(): HandshakeEvent | undefined {
    return this.#events.poll()
  }

  /** There is a path, and no connection yet. */
  start(now: Instant): void {
    if (this.#state === 'running') return
    this.#state = 'running'
    this.#deadline = this.#options.timers.set(later(now, HANDSHAKE_TIME), () => {
      this.stop()
      this.#fail('the other end does not answer the handshake: it does not encrypt, or is not who it says')
    })
    if (this.#initiator) this.#begin(now)
    else
      this.#asking = this.#options.timers.set(later(now, ASK_AFTER), (at) =>
        this.#again(HANDSHAKE_KIND.ask, new Uint8Array(0), at),
      )
  }

  stop(): void {
    this.#state = 'idle'
    this.#quiet()
    this.#beginning = undefined
    this.#answer = undefined
  }

  /** A genuine record came: the other end has the keys. */
  confirmed(): void {
    if (this.#state !== 'done') return
    this.#repeat?.cancel()
  }

  receive(kind: number, message: Uint8Array, now: Instant): void {
    if (kind === HANDSHAKE_KIND.ask && this.#initiator) return this.#asked(now)
    if (kind === HANDSHAKE_KIND.first && !this.#initiator) return this.#first(message, now)
    if (kind === HANDSHAKE_KIND.second && this.#initiator) return this.#second(message, now)
    if (kind === HANDSHAKE_KIND.third && !this.#initiator) return this.#thirdCame(message)
    this.#refuse()
  }

  #fail(reason: string): void {
    this.#events.push({ type: 'failed', reason })
  }

  #refuse(): void {
    this.#options.count('handshakeRefused')
  }

  #quiet(): void {
    this.#deadline?.cancel()
    this.#asking?.cancel()
    this.#repeat?.cancel()
  }

  #again(kind: number, message: Uint8Array, now: Instant): void {
    const until = later(now, HANDSHAKE_TIME)
    let delay: number = REPEAT_FIRST
    const next = (at: Instant): void => {
      this.#options.transmit(kind, message, at)
      const due = later(at, jittered(delay, this.#options.random))
      delay = Math.min(delay * REPEAT_GROWTH, REPEAT_LAST)
      if (due < until) this.#repeat = this.#options.timers.set(due, next)
    }
    this.#repeat?.cancel()
    next(now)
  }

  /** The other end has a path, and waits; it may have begun anew, with nothing of the connection that this end has. */
  #asked(now: Instant): void {
    if (this.#state !== 'running') this.start(now)
  }

  #begin(now: Instant): void {
    const { credentials, random } = this.#options
    credentials.certificate((certificate, at) => {
      if (this.#state !== 'running' || this.#beginning !== undefined) return
      if (certificate === undefined) return this.#fail('the certificate could not be signed')
      this.#beginning = { ephemeral: random.bytes(DH_BYTES), certificate }
      this.#again(HANDSHAKE_KIND.first, this.#noise(this.#beginning.ephemeral).write(new Uint8Array(0)), at)
    }, now)
  }

  #first(message: Uint8Array, now: Instant): void {
    const { credentials, random, transmit } = this.#options
    if (message.length !== DH_BYTES) return this.#refuse()
    const known = this.#answer
    if (known !== undefined && equalBytes(known.first, message))
      return transmit(HANDSHAKE_KIND.second, known.second, now)
    if (this.#answersSince === undefined || later(this.#answersSince, HANDSHAKE_TIME) <= now) {
      this.#answersSince = now
      this.#answers = 0
    }
    if (++this.#answers > MAX_FIRST_MESSAGES) return this.#refuse()
    const first = message.slice()
    credentials.certificate((certificate, at) => {
      if (certificate === undefined) return
      const ephemeral = random.bytes(DH_BYTES)
      const payload = this.#payload(certificate)
      const noise = this.#noise(ephemeral)
      if (noise.read(first) === undefined) return this.#refuse()
      const second = writeOrNothing(noise, payload)
      if (second === undefined) return this.#refuse()
      this.#answer = { first, ephemeral, payload, second }
      // From now on it is the other end that sends again.
      this.#asking?.cancel()
      this.#repeat?.cancel()
      transmit(HANDSHAKE_KIND.second, second, at)
    }, now)
  }

  #second(message: Uint8Array, now: Instant): void {
    const third = this.#third
    // The third message was lost, or is late.
    if (third !== undefined && equalBytes(third.first, message))
      return this.#options.transmit(HANDSHAKE_KIND.third, third.message, now)
    const beginning = this.#beginning
    if (this.#state !== 'running' || beginning === undefined) return this.#refuse()
    const noise = this.#noise(beginning.ephemeral)
    noise.write(new Uint8Array(0))
    const payload = noise.read(message)
    const theirs = payload && this.#read(payload, noise.remoteStaticKey)
    if (theirs === undefined) return this.#refuse()
    const current = this.#options.current()
    // Both have the same connection: somebody else asked for a new one.
    if (current !== undefined && theirs.current !== undefined && equalBytes(theirs.current, current)) return this.stop()
    const written = writeOrNothing(noise, this.#payload(beginning.certificate))
    if (written === undefined) return this.#refuse()
    this.#quiet()
    this.#state = 'done'
    this.#beginning = undefined
    this.#third = { first: message.slice(), message: written }
    this.#again(HANDSHAKE_KIND.third, written, now)
    this.#finish(noise.result(), theirs.connectionId)
  }

  #thirdCame(message: Uint8Array): void {
    const answer = this.#answer
    if (answer === undefined) return this.#refuse()
    const noise = this.#noise(answer.ephemeral)
    noise.read(answer.first)
    noise.write(answer.payload)
    const payload = noise.read(message)
    const theirs = payload && this.#read(payload, noise.remoteStaticKey)
    if (theirs === undefined) return this.#refuse()
    this.#quiet()
    this.#state = 'done'
    this.#answer = undefined
    this.#finish(noise.result(), theirs.connectionId)
  }

  #finish(result: NoiseResult, remoteConnectionId: Uint8Array): void {
    const { sendKey, receiveKey, hash } = result
    const name = hash.slice(0, CONNECTION_NAME_BYTES)
    const secured = { sendKey, receiveKey, name, initiator: this.#initiator, remoteConnectionId }
    this.#events.push({ type: 'secured', secured })
  }

  #noise(ephemeral: Uint8Array): NoiseXX {
    const { crypto, credentials } = this.#options
    return new NoiseXX({
      crypto,
      initiator: this.#initiator,
      prologue: this.#prologue,
      staticKey: credentials.staticKey,
      ephemeralKey: { privateKey: ephemeral, publicKey: crypto.x25519Public(ephemeral) },
    })
  }

  #payload(certificate: Uint8Array): Uint8Array {
    const { connectionId, current } = this.#options
    return writeHandshakePayload({ connectionId, current: current(), certificate })
  }

  /** The other end's payload, if its identity certifies its static key. */
  #read(payload: Uint8Array, staticKey: Uint8Array | undefined): HandshakePayload | undefined {
    const theirs = readHandshakePayload(payload)
    const certificate = theirs && readCertificate(theirs.certificate)
    const { keyOf, verify, unixMs } = this.#options
    if (staticKey === undefined || certificate === undefined || !isCurrent(certificate, unixMs())) return undefined
    const key = keyOf(certificate.spki)
    // A key that was known before is found whatever is asked for.
    if (key === undefined || !equalBytes(key.spki, certificate.spki)) return undefined
    return verify(key, certificatePreimage(staticKey, certificate), certificate.signature) ? theirs : undefined
  }
}

/** Undefined when the other end's key is worthless, which shows only when it is used. */
function writeOrNothing(noise: NoiseXX, payload: Uint8Array): Uint8Array | undefined {
  try {
    return noise.write(payload)
  } catch {
    return undefined
  }
}

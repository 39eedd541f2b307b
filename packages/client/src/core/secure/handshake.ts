/**
 * Noise XX between two peers that have a path (docs/protocol.md, End to end). The peer with the
 * smaller id is the initiator, so that two peers that dial each other make one handshake; the
 * responder may ask it to begin.
 *
 *   responder (larger id)   initiator (smaller id)
 *      │ 0 ask ──────────────► │      only when nothing came
 *      │ ◄────────────── 1  e │
 *      │ 2  e, ee, s, es ────► │      + certificate, connection id, name of the connection at hand
 *      │ ◄─────────── 3  s, se │      + the same of the initiator
 *      │ record ─────────────► │
 *
 * Each message is sent again until the next one arrives. A forged one changes nothing, since each
 * is read with a fresh Noise state. Both ends name the connection at hand: when it is the same, no
 * new one is made, because somebody else sent the 0.
 */
import { DH_BYTES, type NoiseCrypto, NoiseHandshake, type NoiseResult, type Random } from '@showchain/crypto/core'
import { equalBytes, type PeerId } from '@showchain/wire'
import {
  CONNECTION_NAME_BYTES,
  HANDSHAKE_KIND,
  handshakePrologue,
  writeHandshakePayload,
} from '@showchain/wire/end-to-end'
import type { Count } from '../endpoint/counters.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, later } from '../endpoint/machine.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import type { CertificateSource } from './credentials.ts'
import { HandshakeRepeat } from './handshake-repeat.ts'
import { ASK_AFTER, HANDSHAKE_TIME, MAX_FIRST_MESSAGES } from './limits.ts'
import { type RemoteIdentityOptions, type RemotePayload, readRemotePayload } from './remote-identity.ts'

/** What a complete handshake gives. */
export interface Secured extends Pick<NoiseResult, 'sendKey' | 'receiveKey'> {
  /** The same at both ends, and different for each handshake. */
  readonly name: Uint8Array
  /** Whether this end is the initiator. */
  readonly initiator: boolean
  /** In records to the remote peer. */
  readonly remoteConnectionId: Uint8Array
  /** Whether this end is the first to show that it has the keys. */
  readonly confirms: boolean
  /** Whether the remote peer's application asked for this connection, as it says. */
  readonly remoteDialled: boolean
}

export interface HandshakeOptions extends RemoteIdentityOptions {
  readonly self: PeerId
  readonly remoteId: PeerId
  readonly crypto: NoiseCrypto
  readonly credentials: CertificateSource
  readonly random: Random
  readonly timers: Pick<Timers, 'set'>
  /** In records to this end. */
  readonly connectionId: Uint8Array
  /** Whether this end's application asked for the connection. */
  dialled(): boolean
  /** Name of the connection at hand. */
  current(): Uint8Array | undefined
  transmit(kind: number, message: Uint8Array, now: Instant): void
  /** Counts messages that are not genuine, or not for this end to read. */
  readonly count: Count<'handshakeRefused'>
}

export type HandshakeEvent =
  | { readonly type: 'secured'; readonly secured: Secured }
  /**
   * The remote peer is who it says, and must not be talked to: with the keys it can be told why.
   */
  | { readonly type: 'refused'; readonly secured: Secured; readonly reason: string }
  /**
   * A handshake that this end began or waits for has failed; forged messages do not make it fail.
   */
  | { readonly type: 'failed'; readonly reason: string }

/** What the initiator keeps until the second message. */
interface Initiation {
  readonly ephemeral: Uint8Array
  readonly certificate: Uint8Array
}

/** What the responder keeps until the third message. */
interface Response {
  readonly first: Uint8Array
  readonly ephemeral: Uint8Array
  readonly payload: Uint8Array
  readonly second: Uint8Array
}

const NO_BYTES = new Uint8Array(0)

export class Handshake {
  readonly #options: HandshakeOptions
  readonly #initiator: boolean
  readonly #prologue: Uint8Array
  readonly #events = new EventQueue<HandshakeEvent>()
  readonly #repeat: HandshakeRepeat
  #state: 'idle' | 'running' | 'done' = 'idle'
  #deadline: Timer | undefined
  #asking: Timer | undefined
  #initiation: Initiation | undefined
  #response: Response | undefined
  /** First messages answered since `#answersSince`. */
  #answers = 0
  #answersSince: Instant | undefined
  /** The initiator's last message, and the one that it answers. */
  #third: { readonly second: Uint8Array; readonly message: Uint8Array } | undefined

  constructor(options: HandshakeOptions) {
    const { self, remoteId, timers, random, transmit } = options
    this.#options = options
    this.#initiator = self < remoteId
    this.#prologue = this.#initiator ? handshakePrologue(self, remoteId) : handshakePrologue(remoteId, self)
    this.#repeat = new HandshakeRepeat({ timers, random, transmit })
  }

  /** Whether the remote peer completes it by its next message, which may be on its way. */
  get committed(): boolean {
    return this.#response !== undefined
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  /** Polled by the owner after each call, timer and certificate. */
  poll(): HandshakeEvent | undefined {
    return this.#events.poll()
  }

  /** There is a path, and no connection yet. */
  start(now: Instant): void {
    if (this.#state === 'running') return
    const { timers } = this.#options
    this.#state = 'running'
    this.#deadline = timers.set(later(now, HANDSHAKE_TIME), () => {
      this.stop()
      this.#fail('no answer to the handshake: the remote peer does not encrypt, or is not who it claims to be')
    })
    if (this.#initiator) this.#begin(now)
    else this.#asking = timers.set(later(now, ASK_AFTER), (at) => this.#repeat.start(HANDSHAKE_KIND.ask, NO_BYTES, at))
  }

  stop(): void {
    this.#state = 'idle'
    this.#cancelTimers()
    this.#initiation = undefined
    this.#response = undefined
  }

  /** A genuine record arrived: the remote peer has the keys. */
  confirmed(): void {
    if (this.#state === 'done') this.#repeat.stop()
  }

  receive(kind: number, message: Uint8Array, now: Instant): void {
    if (kind === HANDSHAKE_KIND.ask && this.#initiator) return this.start(now)
    if (kind === HANDSHAKE_KIND.first && !this.#initiator) return this.#onFirst(message, now)
    if (kind === HANDSHAKE_KIND.second && this.#initiator) return this.#onSecond(message, now)
    if (kind === HANDSHAKE_KIND.third && !this.#initiator) return this.#onThird(message)
    this.#refuse()
  }

  #fail(reason: string): void {
    this.#events.push({ type: 'failed', reason })
  }

  #refuse(): void {
    this.#options.count('handshakeRefused')
  }

  #cancelTimers(): void {
    this.#deadline?.cancel()
    this.#asking?.cancel()
    this.#repeat.stop()
  }

  #begin(now: Instant): void {
    const { credentials, random } = this.#options
    credentials.certificate((certificate, at) => {
      if (this.#state !== 'running' || this.#initiation !== undefined) return
      if (certificate === undefined) return this.#fail('the certificate could not be signed')
      const ephemeral = random.bytes(DH_BYTES)
      this.#initiation = { ephemeral, certificate }
      this.#repeat.start(HANDSHAKE_KIND.first, this.#noise(ephemeral).write(NO_BYTES), at)
    }, now)
  }

  #onFirst(message: Uint8Array, now: Instant): void {
    const { credentials, transmit } = this.#options
    if (message.length !== DH_BYTES) return this.#refuse()
    const known = this.#response
    if (known !== undefined && equalBytes(known.first, message))
      return transmit(HANDSHAKE_KIND.second, known.second, now)
    if (this.#answersSince === undefined || later(this.#answersSince, HANDSHAKE_TIME) <= now) {
      this.#answersSince = now
      this.#answers = 0
    }
    if (++this.#answers > MAX_FIRST_MESSAGES) return this.#refuse()
    const first = message.slice()
    credentials.certificate((certificate, at) => {
      if (certificate !== undefined) this.#respond(first, certificate, at)
    }, now)
  }

  #respond(first: Uint8Array, certificate: Uint8Array, now: Instant): void {
    const { random, transmit } = this.#options
    const ephemeral = random.bytes(DH_BYTES)
    const payload = this.#payload(certificate)
    const noise = this.#noise(ephemeral)
    if (noise.read(first) === undefined) return this.#refuse()
    const second = writeOrNothing(noise, payload)
    if (second === undefined) return this.#refuse()
    this.#response = { first, ephemeral, payload, second }
    // From now on the initiator sends again.
    this.#asking?.cancel()
    this.#repeat.stop()
    transmit(HANDSHAKE_KIND.second, second, now)
  }

  #onSecond(message: Uint8Array, now: Instant): void {
    const { current, transmit } = this.#options
    const third = this.#third
    // The third message was lost, or is late.
    if (third !== undefined && equalBytes(third.second, message))
      return transmit(HANDSHAKE_KIND.third, third.message, now)
    const initiation = this.#initiation
    if (this.#state !== 'running' || initiation === undefined) return this.#refuse()
    const noise = this.#noise(initiation.ephemeral)
    noise.write(NO_BYTES)
    const payload = noise.read(message)
    const theirs = payload && readRemotePayload(payload, noise.remoteStaticKey, this.#options)
    if (theirs === undefined) return this.#refuse()
    const ours = current()
    // Both ends have the same connection: somebody else asked for a new one.
    if (ours !== undefined && theirs.current !== undefined && equalBytes(theirs.current, ours)) return this.stop()
    const written = writeOrNothing(noise, this.#payload(initiation.certificate))
    if (written === undefined) return this.#refuse()
    this.#third = { second: message.slice(), message: written }
    this.#complete(noise.result(), theirs)
    if (theirs.wrongClock === undefined) this.#repeat.start(HANDSHAKE_KIND.third, written, now)
    else transmit(HANDSHAKE_KIND.third, written, now)
  }

  #onThird(message: Uint8Array): void {
    const response = this.#response
    if (response === undefined) return this.#refuse()
    const noise = this.#noise(response.ephemeral)
    noise.read(response.first)
    noise.write(response.payload)
    const payload = noise.read(message)
    const theirs = payload && readRemotePayload(payload, noise.remoteStaticKey, this.#options)
    if (theirs === undefined) return this.#refuse()
    this.#complete(noise.result(), theirs)
  }

  #complete({ sendKey, receiveKey, hash }: NoiseResult, theirs: RemotePayload): void {
    const name = hash.slice(0, CONNECTION_NAME_BYTES)
    this.#cancelTimers()
    this.#state = 'done'
    this.#initiation = undefined
    this.#response = undefined
    const { connectionId: remoteConnectionId, dialled: remoteDialled, wrongClock } = theirs
    const ends = { initiator: this.#initiator, confirms: !this.#initiator, remoteConnectionId, remoteDialled }
    const secured = { sendKey, receiveKey, name, ...ends }
    if (wrongClock === undefined) this.#events.push({ type: 'secured', secured })
    else this.#events.push({ type: 'refused', secured, reason: wrongClock })
  }

  #noise(ephemeral: Uint8Array): NoiseHandshake {
    const { crypto, credentials } = this.#options
    return new NoiseHandshake({
      pattern: 'XX',
      crypto,
      initiator: this.#initiator,
      prologue: this.#prologue,
      staticKey: credentials.staticKey,
      ephemeralKey: { privateKey: ephemeral, publicKey: crypto.x25519Public(ephemeral) },
    })
  }

  #payload(certificate: Uint8Array): Uint8Array {
    const { dialled, connectionId, current } = this.#options
    return writeHandshakePayload({ dialled: dialled(), connectionId, current: current(), certificate })
  }
}

/**
 * Undefined when the remote peer's public key is of small order, which shows only when it is used.
 */
function writeOrNothing(noise: NoiseHandshake, payload: Uint8Array): Uint8Array | undefined {
  try {
    return noise.write(payload)
  } catch {
    return undefined
  }
}

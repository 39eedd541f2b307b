/**
 * Noise XX between two peers that have a path (docs/protocol.md, End to end). Who asks a relay for
 * its session is the initiator; else the peer with the smaller id is, and the other one may ask it to
 * begin.
 *
 *   responder               initiator
 *      │ 0 ask ──────────────► │      only when nothing came, to the smaller id
 *      │ ◄────────────── 1  e │
 *      │ 2  e, ee, s, es ────► │      + certificate, connection id, name of the connection at hand
 *      │ ◄─────────── 3  s, se │      + the same of the initiator
 *      │ record ─────────────► │
 *
 * When both begin, the smaller id's handshake counts: the smaller answers none of the larger's while
 * it has one of its own, and the larger answers all. Each message is sent again until the next one
 * arrives. A forged one changes nothing, since each is read with a fresh Noise state. Both ends name the
 * connection at hand: when it is the same, no new one is made, because somebody else sent the 0.
 */
import { DH_BYTES, NoiseHandshake, type NoiseResult } from '@showchain/crypto/core'
import { equalBytes } from '@showchain/wire'
import {
  CONNECTION_NAME_BYTES,
  HANDSHAKE_KIND,
  handshakePrologue,
  writeHandshakePayload,
} from '@showchain/wire/end-to-end'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Instant, later } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'
import { writeOrNothing } from './end-to-end.ts'
import type { HandshakeEvent, HandshakeOptions } from './handshake-options.ts'
import { HandshakeRepeat } from './handshake-repeat.ts'
import { ASK_AFTER, HANDSHAKE_TIME, MAX_FIRST_MESSAGES, YIELD_TIME } from './limits.ts'
import { type RemotePayload, readRemotePayload } from './remote-identity.ts'

/** What the initiator keeps until the second message. */
interface Initiation {
  readonly ephemeral: Uint8Array
  readonly first: Uint8Array
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
  /** Whether this end's handshake counts when both begin one. */
  readonly #leads: boolean
  readonly #events = new EventQueue<HandshakeEvent>()
  readonly #repeat: HandshakeRepeat
  #state: 'idle' | 'running' | 'done' = 'idle'
  #deadline: Timer | undefined
  /** To begin, or to ask the remote peer to. */
  #waiting: Timer | undefined
  #initiation: Initiation | undefined
  #response: Response | undefined
  /** First messages answered since `#answersSince`. */
  #answers = 0
  #answersSince: Instant | undefined
  /** When the remote peer began the handshake that this end takes part in. */
  #begunThere: Instant | undefined
  /** The initiator's last message, and the one that it answers. */
  #third: { readonly second: Uint8Array; readonly message: Uint8Array } | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
    this.#leads = options.self < options.remoteId
    this.#repeat = new HandshakeRepeat(options)
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
    if (this.#run(now)) this.#wait(now)
  }

  /**
   * Begins, whichever id is smaller: this end asked for the session in which it does.
   * @returns message 1; undefined: the remote peer has begun already
   */
  begin(now: Instant): Uint8Array | undefined {
    if (this.#yields(now)) return undefined
    this.#run(now)
    if (this.#initiation === undefined) this.#begin(now)
    return this.#initiation?.first
  }

  /** @returns false: it was running */
  #run(now: Instant): boolean {
    if (this.#state === 'running') return false
    this.#state = 'running'
    this.#deadline = this.#options.timers.set(later(now, HANDSHAKE_TIME), () => {
      this.stop()
      this.#fail('no answer to the handshake: the remote peer does not encrypt, or is not who it claims to be')
    })
    return true
  }

  /** Until the remote peer begins, or its handshake has had its time. */
  #wait(now: Instant): void {
    const { timers } = this.#options
    if (!this.#leads)
      this.#waiting = timers.set(later(now, ASK_AFTER), (at) => this.#repeat.start(HANDSHAKE_KIND.ask, NO_BYTES, at))
    else if (this.#yields(now)) this.#waiting = timers.set(later(now, YIELD_TIME), (at) => this.#begin(at))
    else this.#begin(now)
  }

  /** Whether the remote peer's handshake is under way, and this end has none. */
  #yields(now: Instant): boolean {
    const since = this.#initiation === undefined ? this.#begunThere : undefined
    return since !== undefined && later(since, YIELD_TIME) > now
  }

  stop(): void {
    this.#state = 'idle'
    this.#forget()
  }

  /** A genuine record arrived: the remote peer has the keys. */
  confirmed(): void {
    if (this.#state === 'done') this.#repeat.stop()
  }

  receive(kind: number, message: Uint8Array, now: Instant): void {
    if (kind === HANDSHAKE_KIND.ask && this.#leads) return this.start(now)
    if (kind === HANDSHAKE_KIND.first) return this.#onFirst(message, now)
    if (kind === HANDSHAKE_KIND.second) return this.#onSecond(message, now)
    if (kind === HANDSHAKE_KIND.third) return this.#onThird(message)
    this.#refuse()
  }

  #fail(reason: string): void {
    this.#events.push({ type: 'failed', reason })
  }

  #refuse(): void {
    this.#options.count('handshakeRefused')
  }

  /** What was under way, and its timers. */
  #forget(): void {
    this.#deadline?.cancel()
    this.#waiting?.cancel()
    this.#repeat.stop()
    this.#initiation = undefined
    this.#response = undefined
    this.#begunThere = undefined
  }

  #begin(now: Instant): void {
    const { credentials, random } = this.#options
    const ephemeral = random.bytes(DH_BYTES)
    const first = this.#noise(ephemeral, true).write(NO_BYTES)
    this.#initiation = { ephemeral, first }
    this.#waiting?.cancel()
    // It is signed meanwhile.
    credentials.certificate(() => {}, now)
    this.#repeat.start(HANDSHAKE_KIND.first, first, now)
  }

  #onFirst(message: Uint8Array, now: Instant): void {
    const { credentials, transmit } = this.#options
    if (message.length !== DH_BYTES) return this.#refuse()
    // The remote peer answers this end's.
    if (this.#leads && this.#initiation !== undefined) return
    const known = this.#response
    if (known !== undefined && equalBytes(known.first, message))
      return transmit(HANDSHAKE_KIND.second, known.second, now)
    if (this.#answersSince === undefined || later(this.#answersSince, HANDSHAKE_TIME) <= now) {
      this.#answersSince = now
      this.#answers = 0
      this.#begunThere = undefined
    }
    if (++this.#answers > MAX_FIRST_MESSAGES) return this.#refuse()
    const first = message.slice()
    this.#begunThere ??= now
    credentials.certificate((certificate, at) => {
      if (certificate !== undefined) this.#respond(first, certificate, at)
    }, now)
  }

  #respond(first: Uint8Array, certificate: Uint8Array, now: Instant): void {
    const { random, transmit } = this.#options
    const ephemeral = random.bytes(DH_BYTES)
    const payload = this.#payload(certificate)
    const noise = this.#noise(ephemeral, false)
    if (noise.read(first) === undefined) return this.#refuse()
    const second = writeOrNothing(noise, payload)
    if (second === undefined) return this.#refuse()
    this.#response = { first, ephemeral, payload, second }
    // From now on the initiator sends again.
    if (!this.#leads) this.#waiting?.cancel()
    if (this.#initiation === undefined) this.#repeat.stop()
    transmit(HANDSHAKE_KIND.second, second, now)
  }

  #onSecond(message: Uint8Array, now: Instant): void {
    const { credentials, transmit } = this.#options
    const third = this.#third
    // The third message was lost, or is late.
    if (third !== undefined && equalBytes(third.second, message))
      return transmit(HANDSHAKE_KIND.third, third.message, now)
    const initiation = this.#initiation
    if (this.#state !== 'running' || initiation === undefined) return this.#refuse()
    const noise = this.#noise(initiation.ephemeral, true)
    noise.write(NO_BYTES)
    const payload = noise.read(message)
    const theirs = payload && readRemotePayload(payload, noise.remoteStaticKey, this.#options)
    if (theirs === undefined) return this.#refuse()
    const ours = this.#current()
    // Both ends have the same connection: somebody else asked for a new one.
    if (ours !== undefined && theirs.current !== undefined && equalBytes(theirs.current, ours)) return this.stop()
    const second = message.slice()
    credentials.certificate((certificate, at) => {
      if (this.#initiation !== initiation) return
      if (certificate === undefined) this.#fail('the certificate could not be signed')
      else this.#finish(noise, theirs, second, certificate, at)
    }, now)
  }

  #finish(
    noise: NoiseHandshake,
    theirs: RemotePayload,
    second: Uint8Array,
    certificate: Uint8Array,
    now: Instant,
  ): void {
    const written = writeOrNothing(noise, this.#payload(certificate))
    if (written === undefined) return this.#refuse()
    this.#third = { second, message: written }
    this.#complete(noise.result(), theirs, true)
    if (theirs.wrongClock === undefined) this.#repeat.start(HANDSHAKE_KIND.third, written, now)
    else this.#options.transmit(HANDSHAKE_KIND.third, written, now)
  }

  #onThird(message: Uint8Array): void {
    const response = this.#response
    if (response === undefined) return this.#refuse()
    const noise = this.#noise(response.ephemeral, false)
    noise.read(response.first)
    noise.write(response.payload)
    const payload = noise.read(message)
    const theirs = payload && readRemotePayload(payload, noise.remoteStaticKey, this.#options)
    if (theirs === undefined) return this.#refuse()
    this.#complete(noise.result(), theirs, false)
  }

  #complete({ sendKey, receiveKey, hash }: NoiseResult, theirs: RemotePayload, initiator: boolean): void {
    this.#forget()
    this.#state = 'done'
    const { connectionId: remoteConnectionId, dialled: remoteDialled, namedStreams, wrongClock } = theirs
    const ends = { initiator, confirms: !initiator, remoteConnectionId, remoteDialled, namedStreams }
    const secured = { sendKey, receiveKey, hash, ...ends }
    if (wrongClock === undefined) this.#events.push({ type: 'secured', secured })
    else this.#events.push({ type: 'refused', secured, reason: wrongClock })
  }

  #noise(ephemeral: Uint8Array, initiator: boolean): NoiseHandshake {
    const { crypto, credentials, self, remoteId } = this.#options
    return new NoiseHandshake({
      pattern: 'XX',
      crypto,
      initiator,
      prologue: initiator ? handshakePrologue(self, remoteId) : handshakePrologue(remoteId, self),
      staticKey: credentials.staticKey,
      ephemeralKey: { privateKey: ephemeral, publicKey: crypto.x25519Public(ephemeral) },
    })
  }

  /** Name of the connection at hand. */
  #current(): Uint8Array | undefined {
    return this.#options.current()?.subarray(0, CONNECTION_NAME_BYTES)
  }

  #payload(certificate: Uint8Array): Uint8Array {
    const { dialled, namedStreams, connectionId } = this.#options
    const flags = { dialled: dialled(), namedStreams }
    return writeHandshakePayload({ ...flags, connectionId, current: this.#current(), certificate })
  }
}

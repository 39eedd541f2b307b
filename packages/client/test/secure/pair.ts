/**
 * Two ends of a handshake, each with its identity and its timers, and the messages between them in
 * the test's hands.
 */
import { DH_BYTES, KeyCache, type NoiseCrypto, openssl, opensslEndToEnd } from '@showchain/crypto'
import { duration, type Instant, instant, later, Timers } from '../../src/core/index.ts'
import { Credentials } from '../../src/core/secure/credentials.ts'
import { Handshake } from '../../src/core/secure/handshake.ts'
import type { Secured } from '../../src/core/secure/handshake-options.ts'
import type { Signer } from '../peer-bed.ts'

export const EPOCH = 1_800_000_000_000
const crypto: NoiseCrypto = { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }

export interface Message {
  readonly kind: number
  readonly bytes: Uint8Array
}

/** What of an end is not as it should be. */
export interface Oddities {
  /** Who signs its certificate. @default itself */
  readonly certifier?: Signer
  /** What it shows as its certificate's signature. @default the certifier's */
  readonly certify?: (preimage: Uint8Array) => Uint8Array
  /** The id by which the other end asks for its records. @default random */
  readonly connectionId?: Uint8Array
  /** A key that it has of the other end already. */
  readonly knows?: Signer
  /** How far its clock is off, in ms, when the certificate is made. @default 0 */
  readonly clock?: number
  /** Whether its application asked for the connection. @default false */
  readonly dialled?: boolean
  readonly namedStreams?: boolean
  /** The name of a connection that it has already. */
  readonly current?: Uint8Array
}

let chance = 1
export const random = {
  uint32: (): number => {
    chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0
    return chance
  },
  uniform: (): number => random.uint32() / 2 ** 32,
  bytes: (length: number): Uint8Array => Uint8Array.from({ length }, () => random.uint32() >>> 24),
}

export class End {
  readonly handshake: Handshake
  readonly timers = new Timers()
  readonly sent: Message[] = []
  readonly secured: Secured[] = []
  readonly failures: string[] = []
  refused = 0
  certificates = 0

  constructor(self: Signer, remote: Signer, oddities: Oddities = {}) {
    const {
      certifier = self,
      certify = (preimage) => certifier.certify(preimage),
      connectionId = random.bytes(8),
    } = oddities
    const { knows, clock = 0, current, dialled = false, namedStreams = true } = oddities
    const keys = new KeyCache(openssl, 4)
    if (knows !== undefined) keys.learn(knows.id, knows.publicKey.spki)
    this.handshake = new Handshake({
      ...{ self: self.id, remoteId: remote.id, crypto, random, timers: this.timers },
      credentials: new Credentials({
        ...{ spki: certifier.publicKey.spki, crypto: opensslEndToEnd, random },
        unixMs: () => EPOCH + clock,
        outbox: {
          certify: (preimage, resume) => {
            this.certificates++
            resume(certify(preimage), instant(0))
          },
        },
      }),
      unixMs: () => EPOCH,
      keyOf: (spki) => keys.learn(remote.id, spki),
      verify: (key, preimage, signature) => openssl.verifyPss(key, preimage, signature),
      connectionId,
      dialled: () => dialled,
      namedStreams,
      current: () => this.secured.at(-1)?.hash ?? current,
      transmit: (kind, bytes) => this.sent.push({ kind, bytes }),
      count: () => {
        this.refused++
      },
    })
  }

  start(now: Instant): void {
    this.handshake.start(now)
    this.#drain()
  }

  /** @returns the first message; it is in `sent`, too */
  begin(now: Instant): Uint8Array | undefined {
    const first = this.handshake.begin(now)
    this.#drain()
    return first
  }

  receive(kind: number, bytes: Uint8Array, now: Instant): void {
    this.handshake.receive(kind, bytes, now)
    this.#drain()
  }

  wake(now: Instant): void {
    this.timers.wake(now)
    this.#drain()
  }

  #drain(): void {
    for (let event = this.handshake.poll(); event !== undefined; event = this.handshake.poll())
      if (event.type === 'secured') this.secured.push(event.secured)
      else this.failures.push(event.reason)
  }

  /** What it has sent since it was asked last. */
  take(): readonly Message[] {
    return this.sent.splice(0)
  }
}

/** `a` has the smaller id: it begins. */
export class Pair {
  readonly a: End
  readonly b: End
  now: Instant = instant(0)

  constructor(one: Signer, two: Signer, oddities: { readonly a?: Oddities; readonly b?: Oddities } = {}) {
    const [smaller, larger] = one.id < two.id ? [one, two] : [two, one]
    this.a = new End(smaller, larger, oddities.a)
    this.b = new End(larger, smaller, oddities.b)
  }

  start(): void {
    this.a.start(this.now)
    this.b.start(this.now)
  }

  /**
   * Hands over what was sent, until nobody says anything more.
   * @param how what becomes of each message on its way
   */
  transaction(how: (message: Message, from: 'a' | 'b') => readonly Message[] = (message) => [message]): void {
    for (;;) {
      const there = this.a.take().flatMap((message) => how(message, 'a'))
      const back = this.b.take().flatMap((message) => how(message, 'b'))
      if (there.length + back.length === 0) return
      for (const { kind, bytes } of there) this.b.receive(kind, bytes, this.now)
      for (const { kind, bytes } of back) this.a.receive(kind, bytes, this.now)
    }
  }

  /** Lets time pass, with what is sent again. */
  advance(ms: number, how?: (message: Message, from: 'a' | 'b') => readonly Message[]): void {
    const until = later(this.now, duration(ms))
    for (;;) {
      const deadlines = [this.a, this.b].flatMap(({ timers }) => timers.deadline ?? [])
      const next = Math.min(...deadlines)
      if (!(next <= until)) break
      this.now = instant(Math.max(next, this.now))
      for (const end of [this.a, this.b]) end.wake(this.now)
      this.transaction(how)
    }
    this.now = until
  }
}

/** 32 bytes that are no key: a point of small order. */
export const SMALL_ORDER: Uint8Array = new Uint8Array(DH_BYTES)

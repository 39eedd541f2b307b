/**
 * Admission control: what every signed request passes before a relay, or a peer that answers 0x101
 * itself, acts on it (docs/protocol.md, Replay, Retransmission, Addresses). Cheap checks come first
 * and RSA last. No state advances before the signature is verified:
 *
 *   decoded ─► same bytes again? ─► key known or carried? ─► rate ─► cookie ─► replay ─► signature ─► act
 *              the same answer      else silence             else    else      else      else
 *                                                            silence challenge silence   silence
 *
 * Some first contacts are taken without a cookie: with a token, and at a peer (requests/strangers.ts).
 */
import {
  type CookieJar,
  type CryptoProvider,
  type Evidence,
  type KeyCache,
  messagePreimage,
  type PublicKey,
  type RequestReplay,
  spkiOf,
  type TokenMint,
} from '@showchain/crypto/core'
import { encode, hasExtensions, OP, type PeerId, peerIdFromBytes } from '@showchain/wire'
import { Accepted } from './accepted.ts'
import type { AdmissionCounter } from './admission-counters.ts'
import type { AdmissionRates } from './admission-rates.ts'
import {
  type AddressValidation,
  type AdmissionRequest,
  type Admitted,
  ANSWER_LIFETIME,
  type RequestMessage,
} from './admitted.ts'
import type { Allowance } from './allowance.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { Instant } from './machine.ts'
import type { Outbox } from './outbox.ts'
import { rateSource } from './rate-key.ts'

export interface AdmissionOptions {
  readonly provider: CryptoProvider
  readonly keys: KeyCache
  /**
   * Whether configuration says of this peer that it speaks only the seed: only such a one is
   * admitted without extension fields (seed mode).
   */
  readonly speaksOnlySeed: (peer: Pick<PublicKey, 'id'>) => boolean
  readonly cookies: CookieJar
  readonly replay: RequestReplay
  readonly rates: AdmissionRates
  readonly outbox: Pick<Outbox<unknown>, 'transmit' | 'verify'>
  readonly count: (name: AdmissionCounter) => void
  readonly tokens: TokenMint
  /**
   * What may be sent to a first contact that is taken without a challenge, though nothing validates its
   * source; it may show a token for the ip. It is asked before RSA. @default it is challenged
   */
  readonly unproven?: ((request: AdmissionRequest, token: boolean, now: Instant) => Allowance | undefined) | undefined
  /** A request from a bound address is not new: perhaps its sender's clock has stepped. */
  readonly outdated?: ((request: AdmissionRequest, now: Instant) => void) | undefined
  readonly limits: {
    /** Requests whose repetition is answered; at the cap the oldest are forgotten. */
    readonly answers: number
    /** Requests in verification; at the cap new ones are shed. */
    readonly verifications: number
  }
}

/** What validates the source address of a request, and how new that makes it. */
interface Proof extends Evidence {
  readonly by: Admitted['by']
  /** Nothing validates it. */
  readonly allowance?: Allowance | undefined
}

export class Admission {
  readonly #options: AdmissionOptions
  /**
   * The newest admitted request of each (op, id, target). Bounded by `limits.answers`, ends after
   * 15 s.
   */
  readonly #accepted: ExpiringMap<string, Accepted>
  /** (op, id, target) with a signature in verification. Bounded by `limits.verifications`. */
  readonly #verifying = new Set<string>()
  /**
   * Of those that configuration says so of: who signed an extension field all the same. Without one,
   * what comes in its name is what somebody took out of a request, or recorded long ago.
   */
  readonly #contradicted = new Set<PeerId>()

  constructor(options: AdmissionOptions) {
    const { answers } = options.limits
    this.#options = options
    this.#accepted = new ExpiringMap({ lifetime: ANSWER_LIFETIME, capacity: answers })
  }

  /** Requests whose repetition is answered. */
  get answers(): number {
    return this.#accepted.size
  }

  get deadline(): Instant | undefined {
    return this.#accepted.deadline
  }

  expire(now: Instant): void {
    this.#accepted.expire(now)
  }

  /**
   * Calls `act` once the request is admitted: at once, after its signature was verified off the
   * loop, or never.
   * @param spki key of this id, where the receiver keeps one outside the key cache.
   * @returns whether its signature is being verified
   */
  admit<Message extends RequestMessage>(
    request: AdmissionRequest<Message>,
    validation: AddressValidation,
    now: Instant,
    act: (admitted: Admitted<Message>, now: Instant) => void,
    spki?: Uint8Array,
  ): boolean {
    const { message } = request
    const { rates, replay, cookies, limits } = this.#options
    const slot = `${message.op_code} ${message.id} ${message.target}`
    if (!this.#hasRate(request, validation, now)) return this.#drop('rateLimited')
    if (this.#repeats(slot, request, now)) return false
    if (this.#verifying.has(slot)) return this.#drop('inProgress')
    const proof = this.#proof(request, validation, now)
    const key = proof && this.#keyOf(message, spki)
    if (proof === undefined || key === undefined) return false
    if (proof.by === 'seed' && !this.#speaksOnlySeed(key)) return this.#drop('unknownKey')
    if (message.sign.length !== key.signatureLength) return this.#drop('badSignature')
    if (!replay.check(message, proof)) return this.#refuse(request, validation, now)
    if (this.#verifying.size >= limits.verifications) return this.#drop('verifyShed')
    // An id is charged only for what it sent itself: from its bound address, or under its
    // signature.
    const unvalidated = validation === 'unvalidated'
    if (!unvalidated && !rates.id.take(message.id, now)) return this.#drop('rateLimited')
    this.#verify(slot, request, key, (at) => {
      if (unvalidated && !rates.id.take(message.id, at)) return this.#drop('rateLimited')
      // A later one, or one that reset its sender's clock, may have come during verification.
      if (!replay.accept(message, { ...proof, now: at }, cookies.issued)) return this.#drop('replayed')
      if (signsExtensions(message) && this.#options.speaksOnlySeed(message)) this.#contradicted.add(message.id)
      return this.#act(slot, request, key, proof, at, act)
    })
    return true
  }

  #drop(why: AdmissionCounter): false {
    this.#options.count(why)
    return false
  }

  #speaksOnlySeed(key: PublicKey): boolean {
    return this.#options.speaksOnlySeed(key) && !this.#contradicted.has(key.id)
  }

  /** Neither a forger of addresses nor a neighbour behind the same NAT can spend all of a peer's rate. */
  #hasRate({ message, source }: AdmissionRequest, validation: AddressValidation, now: Instant): boolean {
    const { cookies, rates } = this.#options
    const cookie = message.ext?.cookie
    // It gets a challenge, never RSA: at each address and port as many as an honest requester needs.
    const asks = validation === 'unvalidated' && hasExtensions(message)
    if (asks && cookie === undefined) return rates.challenge.take(source, now)
    const key = rateSource(source.ip)
    if (rates.source.take(key, now)) return true
    if (cookie !== undefined && cookies.check(cookie, now, source, message.id, message.op_code) !== undefined)
      return rates.proven.take(key, now)
    if (validation === 'validated') return rates.proven.take(key, now)
    return asks && rates.challenge.take(source, now)
  }

  /** Whether the bytes repeat the last admitted request. Its answer is then sent again. */
  #repeats(slot: string, { bytes, source }: AdmissionRequest, now: Instant): boolean {
    const accepted = this.#accepted.get(slot, now)
    if (accepted?.is(bytes, source) !== true) return false
    const { count, outbox } = this.#options
    count(accepted.repeated(bytes, outbox, now) ? 'repeated' : 'inProgress')
    return true
  }

  /**
   * What validates the source address; undefined when nothing does. The sender was challenged then,
   * if it may be.
   */
  #proof(request: AdmissionRequest, validation: AddressValidation, now: Instant): Proof | undefined {
    const { message, source } = request
    const { provider, cookies, count } = this.#options
    const { cookie: bytes } = message.ext ?? {}
    const key = carriedKey(message)
    if (key !== undefined && peerIdFromBytes(provider.sha256(key)) !== message.id) {
      count('badKey')
      return undefined
    }
    const cookie = bytes && cookies.check(bytes, now, source, message.id, message.op_code)
    if (cookie !== undefined) return { by: 'cookie', cookie, now }
    if (validation === 'validated') return { by: 'bound', cookie, now }
    if (validation === 'expected') return { by: 'expected', cookie, now }
    if (!hasExtensions(message)) return { by: 'seed', cookie, now }
    const allowance = bytes === undefined ? this.#allowance(request, now) : undefined
    if (allowance !== undefined) return { by: 'unproven', cookie, allowance, now }
    this.#challenge(request, now)
    return undefined
  }

  /** A token shows the ip alone, so what comes with one has the rate of that ip. */
  #allowance(request: AdmissionRequest, now: Instant): Allowance | undefined {
    const { tokens, rates, unproven } = this.#options
    const { message, source } = request
    const { token } = message.ext ?? {}
    const shown = token !== undefined && tokens.check(token, now, source.ip, message.id)
    const key = rateSource(source.ip)
    if (shown && !rates.source.take(key, now) && !rates.proven.take(key, now)) return undefined
    return unproven?.(request, shown, now)
  }

  /**
   * The request is not new, or its sender's clock has stepped. A fresh cookie tells one from the
   * other; where there are none, the owner may say that the sender has to register again.
   */
  #refuse(request: AdmissionRequest, validation: AddressValidation, now: Instant): false {
    if (request.message.op_code === OP.directRequest) {
      if (hasExtensions(request.message)) this.#challenge(request, now)
    } else if (validation === 'validated') this.#options.outdated?.(request, now)
    return this.#drop('replayed')
  }

  /**
   * Challenges the source address. The challenge is shorter than any request, since requests are
   * signed.
   */
  #challenge({ message, source, encoding }: AdmissionRequest, now: Instant): void {
    const { id, op_code, seq, ts } = message
    const cookie = this.#options.cookies.issue(now, source, id, op_code)
    const challenge = encode({ op_code: OP.challenge, cookie, ref_op: op_code, seq, ts }, encoding)
    this.#options.count('challenged')
    this.#options.outbox.transmit(source, challenge)
  }

  /** Parsing a key costs as much as a verification, so it comes after the cookie. */
  #keyOf(message: RequestMessage, spki: Uint8Array | undefined): PublicKey | undefined {
    const { keys, count } = this.#options
    const bytes = spki ?? carriedKey(message)
    const key = keys.get(message.id) ?? (bytes === undefined ? undefined : keys.learn(message.id, bytes))
    if (key === undefined) count(bytes === undefined ? 'unknownKey' : 'badKey')
    return key
  }

  #verify(slot: string, { message }: AdmissionRequest, key: PublicKey, verified: (now: Instant) => unknown): void {
    const { outbox, provider, count } = this.#options
    this.#verifying.add(slot)
    outbox.verify(key, messagePreimage(provider, message), message.sign, (valid, now) => {
      this.#verifying.delete(slot)
      if (valid === true) verified(now)
      else count(valid === undefined ? 'verifyShed' : 'badSignature')
    })
  }

  #act<Message extends RequestMessage>(
    slot: string,
    request: AdmissionRequest<Message>,
    key: PublicKey,
    { by, allowance }: Proof,
    now: Instant,
    act: (admitted: Admitted<Message>, now: Instant) => void,
  ): void {
    const { outbox, provider } = this.#options
    const { message, bytes, encoding } = request
    const source = allowance === undefined ? request.source : { ...request.source, allowance }
    const accepted = new Accepted(provider, bytes, source)
    this.#accepted.set(slot, accepted, now)
    const onRepeat = (repeat: (now: Instant) => void): void => accepted.onRepeat(repeat)
    const respond = (answer: Uint8Array, at: Instant): void => {
      if (this.#accepted.get(slot, at) === accepted) this.#accepted.touch(slot, at)
      outbox.transmit(source, answer)
      accepted.answer(answer)
    }
    const challenge = (at: Instant): void => {
      this.#challenge(request, at)
      onRepeat((again) => this.#challenge(request, again))
    }
    act({ message, key, source, encoding, by, respond, onRepeat, challenge }, now)
  }
}

/** A `modulus` stands for the key around it. */
const carriedKey = ({ ext }: RequestMessage): Uint8Array | undefined =>
  ext?.key ?? (ext?.modulus && spkiOf(ext.modulus))

/** `key`, `local` and `modulus` are outside the signature: anybody may add them. */
const signsExtensions = ({ ext }: RequestMessage): boolean => ext?.cookie !== undefined || ext?.caps !== undefined

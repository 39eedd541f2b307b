/**
 * Noise_*_25519_ChaChaPoly_SHA256 (The Noise Protocol Framework, revision 34; § below refer to it)
 * in three patterns (§7.5):
 *
 *   NN:             → e        ← e, ee
 *   NK:  ← s  …     → e, es    ← e, ee
 *   XX:             → e        ← e, ee, s, es        → s, se
 *
 * A message that fails to authenticate ends the handshake. To survive forged messages, read each
 * with a handshake object of its own, made from the same keys.
 */
import { utf8 } from '@showchain/wire'
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, type Aead, DH_BYTES, type EndToEndCrypto } from './end-to-end.ts'
import type { CryptoProvider } from './provider.ts'

/** The cryptography that a handshake needs. */
export interface NoiseCrypto extends EndToEndCrypto, Pick<CryptoProvider, 'sha256' | 'hmacSha256'> {}

/** A key pair of X25519, 32 bytes each. */
export interface KeyPair {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** The patterns that are used (Noise §7.5, §7.4): XX in handshakes, NN and NK in hellos. */
export type NoisePattern = 'NN' | 'NK' | 'XX'

/** What a handshake begins with. */
export interface NoiseOptions {
  readonly pattern: NoisePattern
  readonly crypto: NoiseCrypto
  readonly initiator: boolean
  readonly prologue: Uint8Array
  /** Of this end: in XX, and of the responder in NK. */
  readonly staticKey?: KeyPair
  /** Of the responder, which the initiator knows beforehand: in NK. */
  readonly responderKey?: Uint8Array
  /** For this handshake only. */
  readonly ephemeralKey: KeyPair
}

/** The result of a finished handshake (§5.2, Split). */
export interface NoiseResult {
  /** For records of this end. */
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
  /** The handshake hash `h`: equal at both ends, unique to the handshake (§11.2). */
  readonly hash: Uint8Array
  /** Undefined where the remote end has none in this pattern. */
  readonly remoteStaticKey: Uint8Array | undefined
}

const NOTHING = new Uint8Array(0)

type Token = 'e' | 's' | 'ee' | 'es' | 'se'
interface Pattern {
  /** Has the length of a hash, so it is `h` itself (§5.2, InitializeSymmetric). */
  readonly name: Uint8Array
  /** Whether the initiator knows the responder's static key beforehand (`← s`). */
  readonly responderKnown: boolean
  readonly messages: readonly (readonly Token[])[]
}

const PATTERNS: Readonly<Record<NoisePattern, Pattern>> = {
  NN: {
    name: utf8('Noise_NN_25519_ChaChaPoly_SHA256'),
    responderKnown: false,
    messages: [['e'], ['e', 'ee']],
  },
  NK: {
    name: utf8('Noise_NK_25519_ChaChaPoly_SHA256'),
    responderKnown: true,
    messages: [
      ['e', 'es'],
      ['e', 'ee'],
    ],
  },
  XX: {
    name: utf8('Noise_XX_25519_ChaChaPoly_SHA256'),
    responderKnown: false,
    messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
  },
}

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** 32 zero bits, then the message number, little-endian (§12.3). @param number below 2^32 */
function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(AEAD_NONCE_BYTES)
  new DataView(nonce.buffer).setUint32(4, number, true)
  return nonce
}

/** HKDF with two outputs (§4.3): RFC 5869 with the chaining key as salt and no info. */
export function noiseHkdf(
  crypto: Pick<NoiseCrypto, 'hmacSha256'>,
  chainingKey: Uint8Array,
  input: Uint8Array,
): readonly [Uint8Array, Uint8Array] {
  const temporary = crypto.hmacSha256(chainingKey, input)
  const first = crypto.hmacSha256(temporary, Uint8Array.of(1))
  return [first, crypto.hmacSha256(temporary, concat(first, Uint8Array.of(2)))]
}

/** A key that the pattern has: without it the caller made a mistake. */
function needed<Key>(key: Key | undefined): Key {
  if (key === undefined) throw new Error('This Noise pattern needs a static key.')
  return key
}

/** One end of a handshake of the Noise Protocol Framework (revision 34, §5). */
export class NoiseHandshake {
  readonly #options: NoiseOptions
  readonly #messages: readonly (readonly Token[])[]
  #chainingKey: Uint8Array
  #hash: Uint8Array
  #aead: Aead | undefined
  #number = 0
  #message = 0
  #remoteEphemeral: Uint8Array | undefined
  #remoteStatic: Uint8Array | undefined
  #failed = false

  /** @throws Error if a key that the pattern needs is missing */
  constructor(options: NoiseOptions) {
    const { name, responderKnown, messages } = PATTERNS[options.pattern]
    this.#options = options
    this.#messages = messages
    this.#hash = name
    this.#chainingKey = name
    this.#mixHash(options.prologue)
    if (!responderKnown) return
    if (options.initiator) this.#remoteStatic = options.responderKey
    this.#mixHash(options.initiator ? needed(options.responderKey) : needed(options.staticKey).publicKey)
  }

  /** Whether this end writes the next message. */
  get writes(): boolean {
    return (this.#message % 2 === 0) === this.#options.initiator
  }

  get done(): boolean {
    return this.#message === this.#messages.length
  }

  /** Writes the next message. @param payload encrypted, except in message 1 of NN and XX */
  write(payload: Uint8Array): Uint8Array {
    if (this.#failed || this.done || !this.writes) throw new Error("The next message is not this end's to write.")
    const { ephemeralKey, staticKey } = this.#options
    const parts: Uint8Array[] = []
    for (const token of this.#messages[this.#message] as readonly Token[]) {
      if (token === 'e') {
        parts.push(ephemeralKey.publicKey)
        this.#mixHash(ephemeralKey.publicKey)
      } else if (token === 's') parts.push(this.#encrypt(needed(staticKey).publicKey))
      // Both keys are there: the messages before were read. This one is of small order.
      else if (!this.#mixDh(token)) throw new Error('The remote end sent a key of small order.')
    }
    parts.push(this.#encrypt(payload))
    this.#message++
    return parts.reduce(concat)
  }

  /** The payload of the remote end's next message. Undefined ends the handshake: not authentic. */
  read(message: Uint8Array): Uint8Array | undefined {
    if (this.#failed || this.done || this.writes) return undefined
    const payload = this.#read(message)
    this.#failed = payload === undefined
    if (payload !== undefined) this.#message++
    return payload
  }

  /** The remote end's static key, once it is known. */
  get remoteStaticKey(): Uint8Array | undefined {
    return this.#remoteStatic
  }

  /** @throws Error if the handshake is not finished */
  result(): NoiseResult {
    if (!this.done) throw new Error('The handshake is not finished.')
    const [first, second] = noiseHkdf(this.#options.crypto, this.#chainingKey, NOTHING)
    const { initiator } = this.#options
    return {
      sendKey: initiator ? first : second,
      receiveKey: initiator ? second : first,
      hash: this.#hash,
      remoteStaticKey: this.#remoteStatic,
    }
  }

  #read(message: Uint8Array): Uint8Array | undefined {
    let at = 0
    for (const token of this.#messages[this.#message] as readonly Token[]) {
      if (token === 'e') {
        if (message.length < at + DH_BYTES) return undefined
        this.#remoteEphemeral = message.slice(at, at + DH_BYTES)
        at += DH_BYTES
        this.#mixHash(this.#remoteEphemeral)
      } else if (token === 's') {
        const end = at + DH_BYTES + AEAD_TAG_BYTES
        if (message.length < end) return undefined
        const key = this.#decrypt(message.subarray(at, end))
        if (key === undefined) return undefined
        this.#remoteStatic = key
        at = end
      } else if (!this.#mixDh(token)) return undefined
    }
    return this.#decrypt(message.subarray(at))
  }

  /** False for a public key of small order. */
  #mixDh(token: 'ee' | 'es' | 'se'): boolean {
    const { crypto, initiator, ephemeralKey, staticKey } = this.#options
    // The first letter is the initiator's key, the second the responder's.
    const [ours, theirs] = initiator ? token : [token[1], token[0]]
    const remote = theirs === 'e' ? this.#remoteEphemeral : this.#remoteStatic
    const shared = remote && crypto.x25519((ours === 'e' ? ephemeralKey : needed(staticKey)).privateKey, remote)
    if (shared === undefined) return false
    const [chainingKey, key] = noiseHkdf(crypto, this.#chainingKey, shared)
    this.#chainingKey = chainingKey
    this.#aead = crypto.aead(key)
    this.#number = 0
    return true
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = this.#options.crypto.sha256(concat(this.#hash, data))
  }

  #encrypt(plaintext: Uint8Array): Uint8Array {
    let text = plaintext
    if (this.#aead !== undefined) {
      text = new Uint8Array(plaintext.length + AEAD_TAG_BYTES)
      this.#aead.seal(nonceOf(this.#number++), this.#hash, plaintext, text, 0)
    }
    this.#mixHash(text)
    return text
  }

  #decrypt(text: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#aead === undefined ? text : this.#aead.open(nonceOf(this.#number++), this.#hash, text)
    if (plaintext !== undefined) this.#mixHash(text)
    return plaintext
  }
}

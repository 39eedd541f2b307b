/**
 * The key exchange in messages that both ends sign anyway (docs/protocol.md, Hello): Noise NN, or NK
 * where the requester knows the target's static key. The first message is in the requester's 0x101 or
 * 0x111, and the second in the target's 0x102 or 0x114. The signatures say who both ends are.
 */
import { type KeyPair, type NoiseCrypto, NoiseHandshake } from '@showchain/crypto/core'
import { KX_BYTES, type PeerId } from '@showchain/wire'
import {
  type Early,
  HELLO_KIND,
  type HelloOffer,
  helloPrologue,
  readEarly,
  readHelloAnswer,
  readHelloOffer,
  readHelloRequest,
  writeHelloAnswer,
  writeHelloOffer,
  writeHelloRequest,
} from '@showchain/wire/end-to-end'
import type { Ephemerals } from './ephemerals.ts'
import type { Secured } from './handshake-options.ts'
import { hintOf } from './warm-keys.ts'

/** What an end needs for a hello. */
export interface HelloOptions {
  readonly crypto: NoiseCrypto
  readonly ephemerals: Pick<Ephemerals, 'take'>
  readonly requester: PeerId
  readonly target: PeerId
}

/** What a hello and its answer give. */
export interface Greeting {
  readonly secured: Secured
  /** Whether a relay may carry records of the remote peer. */
  readonly mayRelay: boolean
  /** Whether the target had the static key that the requester used, and took what was said early. */
  readonly warm: boolean
}

/** What makes a hello a warm one. */
export interface Warm {
  /** The target's static key. */
  readonly targetKey: Uint8Array
  /** Early frames. */
  readonly early: Uint8Array
}

/** Which keys of the two ends a warm one takes. */
type Static = { readonly responderKey: Uint8Array } | { readonly staticKey: KeyPair } | undefined

const NO_BYTES = new Uint8Array(0)

function noiseOf(
  { crypto, requester, target }: HelloOptions,
  value: Uint8Array,
  ephemeralKey: KeyPair,
  initiator: boolean,
  known: Static,
): NoiseHandshake {
  const prologue = helloPrologue(value, requester, target)
  return new NoiseHandshake({ pattern: known ? 'NK' : 'NN', crypto, initiator, prologue, ephemeralKey, ...known })
}

/** The requester is the first to show that it has the keys. */
function securedOf(noise: NoiseHandshake, offer: HelloOffer, initiator: boolean): Secured {
  const { hash, sendKey, receiveKey } = noise.result()
  const { connectionId: remoteConnectionId, dialled: remoteDialled, namedStreams } = offer
  const ends = { initiator, confirms: initiator, remoteConnectionId, remoteDialled, namedStreams }
  return { sendKey, receiveKey, hash, ...ends }
}

/** The keys are made when they are asked for first: an answer leaves before that. */
function answeredHello(
  noise: NoiseHandshake,
  request: HelloOffer,
  said: Pick<AnsweredHello, 'answer' | 'early' | 'warm'>,
): AnsweredHello {
  let secured: Secured | undefined
  return {
    ...said,
    mayRelay: request.mayRelay,
    get secured() {
      secured ??= securedOf(noise, request, false)
      return secured
    },
  }
}

/** A hello of this end: the same in every request of one dial. */
export class OutgoingHello {
  /** The value of the extension field. */
  readonly value: Uint8Array
  readonly offer: HelloOffer
  readonly #options: HelloOptions
  readonly #ephemeral: KeyPair
  readonly #warm: Warm | undefined
  /** For a cold answer, as far as it goes before that comes. */
  #begun: NoiseHandshake | undefined

  /** @throws Error if the target's static key is of small order */
  constructor(options: HelloOptions, offer: HelloOffer, warm?: Warm) {
    this.#options = options
    this.#ephemeral = options.ephemerals.take()
    this.#warm = warm
    this.offer = offer
    this.value = this.#write()
  }

  #write(): Uint8Array {
    const request = { ...this.offer, ephemeral: this.#ephemeral.publicKey }
    if (this.#warm === undefined) return writeHelloRequest({ ...request, warm: undefined })
    const { targetKey, early } = this.#warm
    const hint = hintOf(this.#options.crypto, targetKey)
    // The prologue has what stands in front of the ephemeral key.
    const head = writeHelloRequest({ ...request, warm: { hint, sealed: NO_BYTES } })
    const message = noiseOf(this.#options, head, this.#ephemeral, true, { responderKey: targetKey }).write(early)
    return writeHelloRequest({ ...request, warm: { hint, sealed: message.subarray(KX_BYTES) } })
  }

  /** It is on its way: until the answer comes there is time for what that needs. */
  prepare(): void {
    this.#begun ??= this.#begin(undefined)
  }

  #begin(warm: Warm | undefined): NoiseHandshake {
    const noise = noiseOf(this.#options, this.value, this.#ephemeral, true, warm && { responderKey: warm.targetKey })
    noise.write(warm?.early ?? NO_BYTES)
    return noise
  }

  /** What the answer gives; undefined: it is not one to this hello. It may be followed by another. */
  read(value: Uint8Array): Greeting | undefined {
    const answer = readHelloAnswer(value)
    const warm = answer?.kind === HELLO_KIND.warm ? this.#warm : undefined
    if (answer === undefined || (answer.kind === HELLO_KIND.warm && warm === undefined)) return undefined
    const noise = (warm === undefined ? this.#begun : undefined) ?? this.#begin(warm)
    this.#begun = undefined
    const payload = noise.read(answer.message)
    const offer = payload && readHelloOffer(payload)
    return offer && { secured: securedOf(noise, offer, true), mayRelay: offer.mayRelay, warm: warm !== undefined }
  }
}

/** A hello of the remote peer, with this end's answer. */
export interface AnsweredHello extends Greeting {
  readonly answer: Uint8Array
  /** What the requester said early, if this end takes it. */
  readonly early: Early | undefined
}

/** What the target knows of warm hellos. */
export interface WarmTarget {
  /** Its static key of that hint. */
  find(hint: Uint8Array): KeyPair | undefined
  /** Whether what came early with that key was judged before: then this end answers no more. */
  judged(ephemeral: Uint8Array): boolean
  /** Whether it is delivered now. */
  take(ephemeral: Uint8Array): boolean
}

/**
 * Answers a hello, each with an ephemeral key of its own: the keys of the records bind no ids, so
 * that two requesters must never share one. A warm one is answered as a cold one when this end does
 * not have the key, or does not take what was said early.
 * @returns undefined when the value is none, or has a key of small order
 */
export function answerHello(
  options: HelloOptions,
  value: Uint8Array,
  offer: HelloOffer,
  target: WarmTarget,
): AnsweredHello | undefined {
  const request = readHelloRequest(value)
  if (request === undefined) return undefined
  const { ephemeral, warm } = request
  if (warm !== undefined && target.judged(ephemeral)) return undefined
  const own = options.ephemerals.take()
  const staticKey = warm && target.find(warm.hint)
  try {
    if (warm !== undefined && staticKey !== undefined) {
      const noise = noiseOf(options, value, own, false, { staticKey })
      const frames = noise.read(Uint8Array.from([...ephemeral, ...warm.sealed]))
      const early = frames && readEarly(frames)
      if (early === undefined) return undefined
      if (early === 'none' || target.take(ephemeral)) {
        const answer = writeHelloAnswer({ kind: HELLO_KIND.warm, message: noise.write(writeHelloOffer(offer)) })
        return answeredHello(noise, request, { answer, early: early === 'none' ? undefined : early, warm: true })
      }
    }
    const noise = noiseOf(options, value, own, false, undefined)
    noise.read(ephemeral)
    const answer = writeHelloAnswer({ kind: HELLO_KIND.cold, message: noise.write(writeHelloOffer(offer)) })
    return answeredHello(noise, request, { answer, early: undefined, warm: false })
  } catch {
    return undefined
  }
}

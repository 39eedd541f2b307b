/**
 * The key exchange in messages that both ends sign anyway (docs/protocol.md, Hello): Noise NN, whose
 * first message is in the requester's 0x101 or 0x111, and whose second is in the target's 0x102 or
 * 0x114. The signatures say who both ends are.
 */
import { DH_BYTES, type KeyPair, type NoiseCrypto, NoiseHandshake, type Random } from '@showchain/crypto/core'
import type { PeerId } from '@showchain/wire'
import {
  CONNECTION_NAME_BYTES,
  HELLO_KIND,
  type HelloOffer,
  helloPrologue,
  readHelloAnswer,
  readHelloOffer,
  readHelloRequest,
  writeHelloAnswer,
  writeHelloOffer,
  writeHelloRequest,
} from '@showchain/wire/end-to-end'
import type { Secured } from './handshake.ts'

/** What an end needs for a hello. */
export interface HelloOptions {
  readonly crypto: NoiseCrypto
  readonly random: Random
  readonly requester: PeerId
  readonly target: PeerId
}

/** What a hello and its answer give. */
export interface Greeting {
  readonly secured: Secured
  /** Whether a relay may carry records of the remote peer. */
  readonly mayRelay: boolean
}

const NO_BYTES = new Uint8Array(0)

function newKeys({ crypto, random }: HelloOptions): KeyPair {
  const privateKey = random.bytes(DH_BYTES)
  return { privateKey, publicKey: crypto.x25519Public(privateKey) }
}

function noiseOf(
  { crypto, requester, target }: HelloOptions,
  value: Uint8Array,
  ephemeralKey: KeyPair,
  initiator: boolean,
): NoiseHandshake {
  const prologue = helloPrologue(value, requester, target)
  return new NoiseHandshake({ pattern: 'NN', crypto, initiator, prologue, ephemeralKey })
}

/** The requester is the first to show that it has the keys. */
function greetingOf(noise: NoiseHandshake, offer: HelloOffer, initiator: boolean): Greeting {
  const { hash, sendKey, receiveKey } = noise.result()
  const { connectionId: remoteConnectionId, dialled: remoteDialled, mayRelay } = offer
  const name = hash.slice(0, CONNECTION_NAME_BYTES)
  const ends = { initiator, confirms: initiator, remoteConnectionId, remoteDialled }
  return { secured: { sendKey, receiveKey, name, ...ends }, mayRelay }
}

/** A hello of this end: the same in every request of one dial. */
export class OutgoingHello {
  /** The value of the extension field. */
  readonly value: Uint8Array
  readonly offer: HelloOffer
  readonly #options: HelloOptions
  readonly #ephemeral: KeyPair

  constructor(options: HelloOptions, offer: HelloOffer) {
    this.#options = options
    this.#ephemeral = newKeys(options)
    this.offer = offer
    this.value = writeHelloRequest({ ...offer, ephemeral: this.#ephemeral.publicKey, warm: undefined })
  }

  /** What the answer gives; undefined: it is not one to this hello. It may be followed by another. */
  read(value: Uint8Array): Greeting | undefined {
    const answer = readHelloAnswer(value)
    if (answer?.kind !== HELLO_KIND.cold) return undefined
    const noise = noiseOf(this.#options, this.value, this.#ephemeral, true)
    noise.write(NO_BYTES)
    const payload = noise.read(answer.message)
    const offer = payload && readHelloOffer(payload)
    return offer && greetingOf(noise, offer, true)
  }
}

/** A hello of the remote peer, with this end's answer. */
export interface AnsweredHello extends Greeting {
  readonly answer: Uint8Array
}

/**
 * Answers a hello, each with an ephemeral key of its own: the keys of the records bind no ids, so
 * that two requesters must never share one.
 * @returns undefined when the value is none, or has a key of small order
 */
export function answerHello(options: HelloOptions, value: Uint8Array, offer: HelloOffer): AnsweredHello | undefined {
  const request = readHelloRequest(value)
  if (request === undefined) return undefined
  const noise = noiseOf(options, value, newKeys(options), false)
  noise.read(request.ephemeral)
  try {
    const message = noise.write(writeHelloOffer(offer))
    return { answer: writeHelloAnswer({ kind: HELLO_KIND.cold, message }), ...greetingOf(noise, request, false) }
  } catch {
    return undefined
  }
}

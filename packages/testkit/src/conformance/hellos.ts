/** Our own hellos (docs/protocol.md, Hello), as the conformance runner asks for them. */
import { type KeyPair, type NoiseCrypto, NoiseHandshake, openssl, opensslEndToEnd } from '@showchain/crypto'
import { equalBytes, type PeerId, parsePeerId } from '@showchain/wire'
import {
  HELLO_KIND,
  type HelloOffer,
  HINT_BYTES,
  helloPrologue,
  readEarly,
  readHelloAnswer,
  readHelloOffer,
  readHelloRequest,
  writeHelloAnswer,
  writeHelloOffer,
  writeHelloRequest,
} from '@showchain/wire/end-to-end'
import { fromHex, toHex } from '../vectors/hex.ts'
import type { EndToEndOperations, HelloInput, HelloOutcome, PlainOffer } from './end-to-end-operations.ts'
import type { Implementing } from './operations.ts'

type HelloOperations = Pick<EndToEndOperations, 'writeHello' | 'answerHello' | 'readHelloAnswer'>

const NOTHING = new Uint8Array(0)
const DH_BYTES = 32
export const crypto: NoiseCrypto = { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }
export const keyPair = (privateKey: Uint8Array): KeyPair => ({
  privateKey,
  publicKey: crypto.x25519Public(privateKey),
})

const hintOf = (key: Uint8Array): Uint8Array => crypto.sha256(key).subarray(0, HINT_BYTES)

const offerOf = ({ mayRelay, dialled, namedStreams, connectionId }: PlainOffer): HelloOffer => ({
  ...{ mayRelay, dialled, namedStreams },
  connectionId: fromHex(connectionId),
})

const idsOf = ({ requester, target }: { readonly requester: string; readonly target: string }): [PeerId, PeerId] => [
  parsePeerId(requester),
  parsePeerId(target),
]

function outcome(noise: NoiseHandshake, remote: HelloOffer): HelloOutcome {
  const { hash, sendKey, receiveKey } = noise.result()
  const { mayRelay, dialled, namedStreams, connectionId } = remote
  return {
    remote: { mayRelay, dialled, namedStreams, connectionId: toHex(connectionId) },
    ...{ hash: toHex(hash), sendKey: toHex(sendKey), receiveKey: toHex(receiveKey) },
  }
}

/** The value, and what reads an answer of each kind. */
function asked({ ephemeralKey, targetKey, early, ...input }: HelloInput) {
  const ephemeral = keyPair(fromHex(ephemeralKey))
  const responderKey = targetKey === null ? undefined : fromHex(targetKey)
  const hint = responderKey && hintOf(responderKey)
  const value = (sealed: Uint8Array): Uint8Array =>
    writeHelloRequest({
      ...offerOf(input),
      ephemeral: ephemeral.publicKey,
      warm: hint === undefined ? undefined : { hint, sealed },
    })
  // What is sealed is not in the prologue.
  const prologue = helloPrologue(value(NOTHING), ...idsOf(input))
  const begun = (pattern: 'NN' | 'NK', payload: Uint8Array) => {
    const noise = new NoiseHandshake({
      ...{ pattern, crypto, initiator: true, prologue, ephemeralKey: ephemeral },
      ...(pattern === 'NK' && responderKey !== undefined ? { responderKey } : {}),
    })
    return { noise, message: noise.write(payload) }
  }
  const cold = begun('NN', NOTHING)
  const warm = responderKey && begun('NK', fromHex(early))
  return { value: value(warm === undefined ? NOTHING : warm.message.slice(DH_BYTES)), cold, warm }
}

function answered(input: HelloOperations['answerHello']['input']): HelloOperations['answerHello']['result'] {
  const value = fromHex(input.hello)
  const request = readHelloRequest(value)
  if (request === undefined) return null
  const staticKey = keyPair(fromHex(input.staticKey))
  const warm = request.warm !== undefined && equalBytes(request.warm.hint, hintOf(staticKey.publicKey))
  const noise = new NoiseHandshake({
    ...{ pattern: warm ? 'NK' : 'NN', crypto, initiator: false, staticKey },
    prologue: helloPrologue(value, ...idsOf(input)),
    ephemeralKey: keyPair(fromHex(input.ephemeralKey)),
  })
  const said = noise.read(Uint8Array.from([...request.ephemeral, ...(warm ? (request.warm?.sealed ?? []) : [])]))
  const early = said && readEarly(said)
  if (early === undefined) return null
  const message = noise.write(writeHelloOffer(offerOf(input)))
  return {
    ...outcome(noise, request),
    answer: toHex(writeHelloAnswer({ kind: warm ? HELLO_KIND.warm : HELLO_KIND.cold, message })),
    early: early === 'none' ? null : { data: toHex(early.bytes), fin: early.fin },
  }
}

export const helloImplementation: Implementing<HelloOperations> = {
  writeHello: (input) => toHex(asked(input).value),
  answerHello: answered,
  readHelloAnswer: ({ answer: bytes, ...input }) => {
    const answer = readHelloAnswer(fromHex(bytes))
    const { cold, warm } = asked(input)
    const begun = answer?.kind === HELLO_KIND.warm ? warm : cold
    const payload = answer && begun?.noise.read(answer.message)
    const offer = payload && readHelloOffer(payload)
    return begun === undefined || offer === undefined ? null : outcome(begun.noise, offer)
  },
}

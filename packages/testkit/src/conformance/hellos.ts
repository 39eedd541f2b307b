/** Our own hellos (docs/protocol.md, Hello), as the conformance runner asks for them. */
import { answerHello, type Greeting, type HelloOptions, hintOf, OutgoingHello } from '@showchain/client/core'
import { type KeyPair, type NoiseCrypto, openssl, opensslEndToEnd } from '@showchain/crypto'
import { equalBytes, parsePeerId } from '@showchain/wire'
import type { HelloOffer } from '@showchain/wire/end-to-end'
import { fromHex, toHex } from '../vectors/hex.ts'
import type { EndToEndOperations, HelloInput, HelloOutcome, PlainOffer } from './end-to-end-operations.ts'
import type { Implementing } from './operations.ts'

type HelloOperations = Pick<EndToEndOperations, 'writeHello' | 'answerHello' | 'readHelloAnswer'>

export const crypto: NoiseCrypto = { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }
export const keyPair = (privateKey: Uint8Array): KeyPair => ({
  privateKey,
  publicKey: crypto.x25519Public(privateKey),
})

const offerOf = ({ mayRelay, dialled, namedStreams, connectionId }: PlainOffer): HelloOffer => ({
  ...{ mayRelay, dialled, namedStreams },
  connectionId: fromHex(connectionId),
})

const optionsOf = ({
  requester,
  target,
  ephemeralKey,
}: Pick<HelloInput, 'requester' | 'target' | 'ephemeralKey'>): HelloOptions => ({
  ...{ crypto, requester: parsePeerId(requester), target: parsePeerId(target) },
  ephemerals: { take: () => keyPair(fromHex(ephemeralKey)) },
})

function outcome({ mayRelay, secured }: Greeting): HelloOutcome {
  const { hash, sendKey, receiveKey, remoteDialled: dialled, namedStreams, remoteConnectionId } = secured
  return {
    remote: { mayRelay, dialled, namedStreams, connectionId: toHex(remoteConnectionId) },
    ...{ hash: toHex(hash), sendKey: toHex(sendKey), receiveKey: toHex(receiveKey) },
  }
}

function asked(input: HelloInput): OutgoingHello {
  const { targetKey, early } = input
  const warm = targetKey === null ? undefined : { targetKey: fromHex(targetKey), early: fromHex(early) }
  return new OutgoingHello(optionsOf(input), offerOf(input), warm)
}

function answered(input: HelloOperations['answerHello']['input']): HelloOperations['answerHello']['result'] {
  const staticKey = keyPair(fromHex(input.staticKey))
  const hint = hintOf(crypto, staticKey.publicKey)
  const greeting = answerHello(optionsOf(input), fromHex(input.hello), offerOf(input), {
    find: (asked) => (equalBytes(asked, hint) ? staticKey : undefined),
    judged: () => false,
    take: () => true,
  })
  if (greeting === undefined) return null
  const { answer, early } = greeting
  return {
    ...{ ...outcome(greeting), answer: toHex(answer) },
    early: early === undefined ? null : { data: toHex(early.bytes), fin: early.fin },
  }
}

export const helloImplementation: Implementing<HelloOperations> = {
  writeHello: (input) => toHex(asked(input).value),
  answerHello: answered,
  readHelloAnswer: ({ answer, ...input }) => {
    const greeting = asked(input).read(fromHex(answer))
    return greeting === undefined ? null : outcome(greeting)
  },
}

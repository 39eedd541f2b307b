/** The golden vectors of hellos as checks. */
import { STATIC } from '../vectors/end-to-end/ends.ts'
import type { HelloFile, HelloVector, HelloVectorEnd } from '../vectors/end-to-end/forms.ts'
import type { EndToEndOperations, HelloInput, PlainOffer } from './end-to-end-operations.ts'
import type { Check } from './operations.ts'

const offerOf = ({ mayRelay, dialled, namedStreams, connectionId }: HelloVectorEnd): PlainOffer => ({
  ...{ mayRelay, dialled, namedStreams, connectionId },
})

const askedBy = ({ requester, target, early }: HelloVector): HelloInput => ({
  ...{ requester: requester.id, target: target.id, ephemeralKey: requester.ephemeralKey.privateKey },
  ...offerOf(requester),
  ...{ targetKey: early === null ? null : target.staticKey.publicKey, early: early ?? '' },
})

/** A target that has lost its key has another one. */
const answeredBy = ({ requester, target, opened, early, request }: HelloVector) => ({
  ...{ requester: requester.id, target: target.id, hello: request, ephemeralKey: target.ephemeralKey.privateKey },
  ...offerOf(target),
  staticKey: (early === null || opened ? target.staticKey : STATIC.initiator).privateKey,
})

/** All that this project sends early: the beginning of a stream. */
function saidIn({ early, opened }: HelloVector): { readonly data: string; readonly fin: boolean } | null {
  return !early || !opened ? null : { data: early.slice(4), fin: early.startsWith('09') }
}

export function* helloChecks({ hellos, refusedRequests, refusedEarly, refusedAnswers }: HelloFile): Generator<Check> {
  for (const vector of hellos) {
    const { name, requester, target, request, answer, hash, keys } = vector
    const [asked, told] = [askedBy(vector), answeredBy(vector)]
    const [ours, theirs] = [
      { remote: offerOf(target), hash, sendKey: keys.requester, receiveKey: keys.target },
      { remote: offerOf(requester), hash, sendKey: keys.target, receiveKey: keys.requester },
    ]
    const expected: EndToEndOperations['answerHello']['result'] = { ...theirs, answer, early: saidIn(vector) }
    yield { vector: name, operation: 'writeHello', input: asked, expected: request }
    yield { vector: name, operation: 'answerHello', input: told, expected }
    yield { vector: name, operation: 'readHelloAnswer', input: { ...asked, answer }, expected: ours }
    const forged = `${answer.slice(0, -2)}${answer.endsWith('00') ? '01' : '00'}`
    const input = { ...asked, answer: forged }
    yield { vector: `${name}, a forged answer`, operation: 'readHelloAnswer', input, expected: null }
  }
  const warm = hellos.find(({ early }) => early !== null) as HelloVector
  for (const { name, bytes } of [...refusedRequests, ...refusedEarly])
    yield { vector: name, operation: 'answerHello', input: { ...answeredBy(warm), hello: bytes }, expected: null }
  for (const { name, bytes } of refusedAnswers)
    yield { vector: name, operation: 'readHelloAnswer', input: { ...askedBy(warm), answer: bytes }, expected: null }
}

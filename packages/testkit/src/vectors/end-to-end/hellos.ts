/** Hellos with fixed keys: both values, the hash and the keys of both directions. */
import { NoiseHandshake, type NoisePattern, openssl } from '@showchain/crypto'
import { parsePeerId } from '@showchain/wire'
import {
  CONNECTION_NAME_BYTES,
  HELLO_KIND,
  type HelloOffer,
  HINT_BYTES,
  helloPrologue,
  writeHelloAnswer,
  writeHelloOffer,
  writeHelloRequest,
} from '@showchain/wire/end-to-end'
import type { IdentityVector } from '../files.ts'
import { fromHex, toHex } from '../hex.ts'
import { CONNECTION_ID, EPHEMERAL, STATIC } from './ends.ts'
import type { HelloFile, HelloVector } from './forms.ts'
import { NOISE, rawPair } from './handshakes.ts'

const NOTHING = new Uint8Array(0)
const DH_BYTES = 32

interface HelloCase {
  readonly name: string
  readonly early?: string
  /** The target has lost its static key. */
  readonly lost?: true
  readonly mayRelay?: false
  /** Both ends dialled. */
  readonly glare?: true
  /** Which ends know named streams. */
  readonly named?: readonly [requester: boolean, target: boolean]
}

function hello(
  ends: readonly [IdentityVector, IdentityVector],
  { name, early, lost, mayRelay, glare, named = [false, false] }: HelloCase,
): HelloVector {
  const [requester, target] = ends.map((end, index) => {
    const side = index === 0 ? 'initiator' : 'responder'
    const keys = { ephemeralKey: EPHEMERAL[side], connectionId: CONNECTION_ID[side] }
    return {
      identity: end.name,
      id: end.id,
      ...keys,
      mayRelay: mayRelay !== false,
      dialled: index === 0 || glare === true,
      namedStreams: named[index] === true,
    }
  }) as [HelloVector['requester'], HelloVector['requester']]
  const staticKey = STATIC.responder
  const hint = openssl.sha256(fromHex(staticKey.publicKey)).subarray(0, HINT_BYTES)
  const offerOf = (end: HelloVector['requester']): HelloOffer => ({ ...end, connectionId: fromHex(end.connectionId) })
  const head = offerOf(requester)
  const ephemeral = fromHex(requester.ephemeralKey.publicKey)
  // All that the prologue needs of the request stands in front of what is sealed.
  const outline = writeHelloRequest({
    ...head,
    ephemeral,
    warm: early === undefined ? undefined : { hint, sealed: hint },
  })
  const prologue = helloPrologue(outline, parsePeerId(requester.id), parsePeerId(target.id))
  const noise = (pattern: NoisePattern, initiator: boolean): NoiseHandshake =>
    new NoiseHandshake({
      ...{ pattern, crypto: NOISE, initiator, prologue, staticKey: rawPair(staticKey) },
      responderKey: fromHex(staticKey.publicKey),
      ephemeralKey: rawPair((initiator ? requester : target).ephemeralKey),
    })
  const asked = noise(early === undefined ? 'NN' : 'NK', true)
  const first = asked.write(fromHex(early ?? ''))
  const warm = early === undefined ? undefined : { hint, sealed: first.slice(DH_BYTES) }
  const answersWarm = warm !== undefined && lost !== true
  const a = answersWarm === (early !== undefined) ? asked : noise('NN', true)
  if (a !== asked) a.write(NOTHING)
  const b = noise(answersWarm ? 'NK' : 'NN', false)
  b.read(answersWarm ? first : ephemeral)
  const message = b.write(writeHelloOffer(offerOf(target)))
  a.read(message)
  const { hash, sendKey, receiveKey } = a.result()
  return {
    ...{ name, requester, target: { ...target, staticKey }, early: early ?? null, opened: answersWarm },
    prologue: toHex(prologue),
    request: toHex(writeHelloRequest({ ...head, ephemeral, warm })),
    answer: toHex(writeHelloAnswer({ kind: answersWarm ? HELLO_KIND.warm : HELLO_KIND.cold, message })),
    hash: toHex(hash),
    connection: toHex(hash.subarray(0, CONNECTION_NAME_BYTES)),
    keys: { requester: toHex(sendKey), target: toHex(receiveKey) },
  }
}

/** STREAM of stream 0, without offset and length: "hi". */
const EARLY = '08006869'
/** Frames that are read in a record, and not before an answer. */
const REFUSED_EARLY: readonly (readonly [name: string, early: string])[] = [
  ['PING before the frame', '01086869'],
  ['another stream', '08046869'],
  ['an offset', '0c00006869'],
  ['a length', '0a00026869'],
  ['the id of the stream in two bytes', '0840006869'],
  ['no id of a stream', '08'],
  ['a datagram', '306869'],
]

export function helloFile(requester: IdentityVector, target: IdentityVector): HelloFile {
  const ends = [requester, target] as const
  const hellos = [
    hello(ends, { name: 'cold' }),
    hello(ends, { name: 'cold, no relay may carry records', mayRelay: false }),
    hello(ends, { name: 'cold, the target dialled, too', glare: true }),
    hello(ends, { name: 'cold, both know named streams', named: [true, true] }),
    hello(ends, { name: 'cold, the requester knows named streams', named: [true, false] }),
    hello(ends, { name: 'warm, the target knows named streams', early: '', named: [false, true] }),
    hello([target, requester], { name: 'cold, the other way round' }),
    hello(ends, { name: 'warm without early frames', early: '' }),
    hello(ends, { name: 'warm with early frames', early: EARLY }),
    hello(ends, { name: 'warm with early frames and FIN', early: '09006869' }),
    hello(ends, { name: 'warm with the beginning of a stream, and none of its data', early: '0800' }),
    hello(ends, { name: 'warm, and the target has lost its key', early: EARLY, lost: true }),
  ]
  const { request: cold, answer } = hellos[0] as HelloVector
  const { request: warm } = hellos.find(({ early }) => early === '') as HelloVector
  return {
    about: 'Hellos with fixed keys: the values of the extension field, and what they give.',
    hellos,
    refusedRequests: [
      { name: 'of kind 0', bytes: `00${cold.slice(2)}` },
      { name: 'of kind 3', bytes: `03${cold.slice(2)}` },
      { name: 'cold, one byte short', bytes: cold.slice(0, -2) },
      { name: 'cold, one byte longer', bytes: `${cold}00` },
      { name: 'warm, half a tag', bytes: warm.slice(0, -16) },
      { name: 'with a connection id of zeros', bytes: `0101${'00'.repeat(8)}${cold.slice(20)}` },
    ],
    refusedEarly: REFUSED_EARLY.map(([name, early]) => ({
      ...{ name, early },
      bytes: hello(ends, { name, early }).request,
    })),
    refusedAnswers: [
      { name: 'of kind 0', bytes: `00${answer.slice(2)}` },
      { name: 'of kind 3', bytes: `03${answer.slice(2)}` },
      { name: 'one byte short', bytes: answer.slice(0, -2) },
      { name: 'one byte longer', bytes: `${answer}00` },
    ],
  }
}

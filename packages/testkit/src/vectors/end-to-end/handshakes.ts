/** Handshakes with fixed keys: the messages of Noise XX, their payloads and datagrams. */
import { type NoiseCrypto, NoiseHandshake, type NoiseResult, openssl, opensslEndToEnd } from '@showchain/crypto'
import { MAX_DATAGRAM, type PeerId, parsePeerId } from '@showchain/wire'
import {
  CONNECTION_NAME_BYTES,
  HANDSHAKE_HEADER_BYTES,
  HANDSHAKE_KIND,
  handshakePrologue,
  splitHandshake,
  writeHandshakePayload,
} from '@showchain/wire/end-to-end'
import type { IdentityVector } from '../files.ts'
import { fromHex, toHex } from '../hex.ts'
import { certify } from './certificates.ts'
import { CONNECTION_ID, count, EPHEMERAL, SESSION, STATIC } from './ends.ts'
import type { EndVector, HandshakeFile, HandshakeVector, KeyPairHex, PartsVector, Side } from './forms.ts'
import { partForms, payloadForms } from './handshake-forms.ts'

export const NOISE: NoiseCrypto = { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }

const NOTHING = new Uint8Array(0)
const GROUP = 0x1122_3344
/** Bytes of a handshake message that fit a 0x123 with an RSA-4096 signature. */
const SEED_CAPACITY: number = MAX_DATAGRAM - 97 - 514 - HANDSHAKE_HEADER_BYTES
const DIRECT_CAPACITY: number = MAX_DATAGRAM - HANDSHAKE_HEADER_BYTES

export const rawPair = ({ privateKey, publicKey }: KeyPairHex): { privateKey: Uint8Array; publicKey: Uint8Array } => ({
  privateKey: fromHex(privateKey),
  publicKey: fromHex(publicKey),
})

function endOf(side: Side, identity: IdentityVector, current: string | null, namedStreams: boolean): EndVector {
  return {
    identity: identity.name,
    id: identity.id,
    staticKey: STATIC[side],
    ephemeralKey: EPHEMERAL[side],
    connectionId: CONNECTION_ID[side],
    current,
    namedStreams,
    certificate: certify(identity, STATIC[side].publicKey).certificate,
  }
}

const payloadOf = ({ connectionId, current, namedStreams, certificate }: EndVector): Uint8Array =>
  writeHandshakePayload({
    dialled: false,
    namedStreams,
    connectionId: fromHex(connectionId),
    current: current === null ? undefined : fromHex(current),
    certificate: fromHex(certificate),
  })

/** The initiator and the responder: the initiator has the smaller id, in order of their texts. */
export const inOrder = <Each extends { readonly id: string }>(
  a: Each,
  b: Each,
): readonly [initiator: Each, responder: Each] => (a.id < b.id ? [a, b] : [b, a])

export function handshake(
  name: string,
  identities: readonly [IdentityVector, IdentityVector],
  current: { readonly [S in Side]: string | null } = { initiator: null, responder: null },
  namedStreams: { readonly [S in Side]: boolean } = { initiator: true, responder: true },
): HandshakeVector {
  const [first, second] = inOrder(...identities)
  const initiator = endOf('initiator', first, current.initiator, namedStreams.initiator)
  const responder = endOf('responder', second, current.responder, namedStreams.responder)
  const prologue = handshakePrologue(parsePeerId(initiator.id), parsePeerId(responder.id))
  const noise = ({ staticKey, ephemeralKey }: EndVector, begins: boolean): NoiseHandshake =>
    new NoiseHandshake({
      pattern: 'XX',
      ...{ crypto: NOISE, initiator: begins, prologue },
      staticKey: rawPair(staticKey),
      ephemeralKey: rawPair(ephemeralKey),
    })
  const [a, b] = [noise(initiator, true), noise(responder, false)]
  const [payload2, payload3] = [payloadOf(responder), payloadOf(initiator)]
  const message1 = a.write(NOTHING)
  b.read(message1)
  const message2 = b.write(payload2)
  a.read(message2)
  const message3 = a.write(payload3)
  b.read(message3)
  const result: NoiseResult = a.result()
  return {
    ...{ name, initiator, responder, prologue: toHex(prologue) },
    messages: [
      { from: 'initiator', kind: HANDSHAKE_KIND.first, payload: '', message: toHex(message1) },
      { from: 'responder', kind: HANDSHAKE_KIND.second, payload: toHex(payload2), message: toHex(message2) },
      { from: 'initiator', kind: HANDSHAKE_KIND.third, payload: toHex(payload3), message: toHex(message3) },
    ],
    hash: toHex(result.hash),
    connection: toHex(result.hash.subarray(0, CONNECTION_NAME_BYTES)),
    keys: { initiator: toHex(result.sendKey), responder: toHex(result.receiveKey) },
  }
}

function inParts(name: string, kind: number, message: string, capacity: number): PartsVector {
  const fields = { session: fromHex(SESSION), kind, group: GROUP }
  return {
    ...{ name, session: SESSION, kind, group: GROUP, message },
    datagrams: splitHandshake(fromHex(message), capacity, fields).map(toHex),
  }
}

export function handshakeFile(identities: readonly IdentityVector[]): HandshakeFile {
  const of = (name: string): IdentityVector => identities.find((each) => each.name === name) as IdentityVector
  const pair = (bits: number): [IdentityVector, IdentityVector] => [of(`requester-${bits}`), of(`target-${bits}`)]
  const handshakes = [
    handshake('RSA-2048', pair(2048)),
    handshake('RSA-3072', pair(3072)),
    handshake('RSA-4096', pair(4096)),
    handshake('RSA-2048 and RSA-4096', [of('requester-2048'), of('target-4096')]),
    handshake('the initiator has lost the connection', pair(2048), {
      initiator: null,
      responder: toHex(count(0xe0, 16)),
    }),
    handshake('each has another connection', pair(2048), {
      initiator: toHex(count(0xf0, 16)),
      responder: toHex(count(0xe0, 16)),
    }),
    handshake('the responder knows no named streams', pair(2048), undefined, { initiator: true, responder: false }),
  ]
  const [small, , large] = handshakes as [HandshakeVector, HandshakeVector, HandshakeVector]
  const messageOf = ({ messages }: HandshakeVector, kind: number): string =>
    messages.find((each) => each.kind === kind)?.message as string
  return {
    about: 'Noise_XX_25519_ChaChaPoly_SHA256 with fixed keys, the payloads of its messages and their datagrams.',
    initiators: initiators(identities),
    handshakes,
    ...payloadForms(small),
    messagesInParts: [
      inParts('the request to begin', HANDSHAKE_KIND.ask, '', DIRECT_CAPACITY),
      inParts('message 1', HANDSHAKE_KIND.first, messageOf(small, 1), DIRECT_CAPACITY),
      inParts('message 2, RSA-2048', HANDSHAKE_KIND.second, messageOf(small, 2), DIRECT_CAPACITY),
      inParts('message 3, RSA-2048', HANDSHAKE_KIND.third, messageOf(small, 3), DIRECT_CAPACITY),
      inParts('message 2, RSA-4096, on a direct path', HANDSHAKE_KIND.second, messageOf(large, 2), DIRECT_CAPACITY),
      inParts('message 2, RSA-4096, in 0x123', HANDSHAKE_KIND.second, messageOf(large, 2), SEED_CAPACITY),
      inParts('message 3, RSA-4096, in 0x123', HANDSHAKE_KIND.third, messageOf(large, 3), SEED_CAPACITY),
    ],
    ...partForms(SESSION),
  }
}

/** All pairs of test identities. For some the order of texts differs from that of bytes. */
function initiators(identities: readonly IdentityVector[]): HandshakeFile['initiators'] {
  const pairs = identities.flatMap((a, index) => identities.slice(index + 1).map((b) => [a, b] as const))
  return pairs.map(([a, b]): { ids: [PeerId, PeerId]; initiator: string } => ({
    ids: [parsePeerId(a.id), parsePeerId(b.id)],
    initiator: inOrder(a, b)[0].id,
  }))
}

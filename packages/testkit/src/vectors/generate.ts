/**
 * Generates every vector file but `identities.json`, whose keys are the input. It is deterministic:
 * the same keys give the same bytes.
 */
import { certificateFile } from './end-to-end/certificates.ts'
import { connectionFile } from './end-to-end/connection.ts'
import { directSessionFile } from './end-to-end/direct-sessions.ts'
import type { HandshakeVector } from './end-to-end/forms.ts'
import { frameFile } from './end-to-end/frames.ts'
import { handshakeFile } from './end-to-end/handshakes.ts'
import { helloFile } from './end-to-end/hellos.ts'
import { namedStreamFile } from './end-to-end/named-streams.ts'
import { recordFile } from './end-to-end/records.ts'
import {
  KEY_SIZES,
  type KeySize,
  type MessageFile,
  type MessageVector,
  readVectors,
  type VectorFileName,
  type VectorFiles,
} from './files.ts'
import { toHex } from './hex.ts'
import { acceptedJson, refusedJson } from './json-cases.ts'
import { messageVectors, VectorSigner } from './messages.ts'
import { refusedBinary } from './refused-binary.ts'
import { refusedKeys } from './refused-keys.ts'
import { textVectors } from './text-cases.ts'

type Generated = Omit<VectorFiles, 'identities.json'>

/** The files' texts by name. */
export function generateVectors(): ReadonlyMap<VectorFileName, string> {
  return new Map(
    Object.entries(contents()).map(([name, content]) => [
      name as VectorFileName,
      `${JSON.stringify(content, undefined, 2)}\n`,
    ]),
  )
}

function contents(): Generated {
  const { identities, refused } = readVectors('identities.json')
  const signers = new Map(
    KEY_SIZES.map((bits) => [bits, new VectorSigner(identities.filter((identity) => identity.bits === bits))]),
  )
  const messagesOf = (bits: KeySize): readonly MessageVector[] => messageVectors(signers.get(bits) as VectorSigner)
  const file = (bits: KeySize): MessageFile => ({
    about: `Every message of the protocol in both encodings, signed with RSA-${bits}.`,
    messages: messagesOf(bits),
  })
  const small = messagesOf(2048)
  const golden = (name: string): MessageVector => small.find((vector) => vector.name === name) as MessageVector
  const request = golden('directRequest/2048/seed')
  const signer = signers.get(2048) as VectorSigner
  const { requester, target, relay } = signer.identities
  const weakKeys = refusedKeys(requester, refused)
  const handshakes = handshakeFile(identities)
  const [handshake] = handshakes.handshakes as [HandshakeVector]
  return {
    'messages-2048.json': file(2048),
    'messages-3072.json': file(3072),
    'messages-4096.json': file(4096),
    'refused.json': {
      about: 'Datagrams that every decoder refuses, by the rule of form that they break. Some in strict mode only.',
      refused: [
        ...refusedBinary({ request: request.binary, id: idHex(requester.id), targetId: idHex(target.id) }),
        ...refusedJson(request.message, golden('punchPassRequest/2048/seed').message),
      ],
    },
    'accepted.json': {
      about: 'JSON datagrams that are not written as this project writes them and mean the same.',
      accepted: acceptedJson(request.message),
    },
    'refused-keys.json': {
      about: 'Public keys that the import policy refuses, and messages that they would verify.',
      keys: weakKeys,
    },
    'text.json': textVectors(requester, target, relay),
    'certificate.json': certificateFile(identities, refused, weakKeys),
    'connection.json': connectionFile(signer, handshake),
    'direct-session.json': directSessionFile(requester, target),
    'frames.json': frameFile(),
    'handshake.json': handshakes,
    'hello.json': helloFile(requester, target),
    'named-streams.json': namedStreamFile(),
    'records.json': recordFile(handshake),
  }
}

const idHex = (text: string): string => toHex(Uint8Array.from(Buffer.from(text, 'base64url')))

/** Our own implementation of the end-to-end layer, as the conformance runner asks for one. */
import {
  directSession,
  isCurrent,
  KeyCache,
  NoiseHandshake,
  OpeningKey,
  openssl,
  ReplayWindow,
  rekey,
} from '@showchain/crypto'
import { equalBytes, parsePeerId, sessionIdToBytes } from '@showchain/wire'
import {
  CHANNEL_HEADER_BYTES,
  CONNECTION_ID_BYTES,
  certificatePreimage,
  handshakePrologue,
  missingOfName,
  NAMED_STREAM_STEP,
  RECORD_HEADER_BYTES,
  readCertificate,
  readHandshakePart,
  readHandshakePayload,
  readProtocolName,
  readRecordHeader,
  writeCertificate,
  writeChannelHeader,
  writeHandshakePart,
  writeHandshakePayload,
  writeProtocolName,
  writeRecordNonce,
} from '@showchain/wire/end-to-end'
import { framesToBytes, plainFrames } from '../vectors/end-to-end/plain-frames.ts'
import { seal } from '../vectors/end-to-end/records.ts'
import { fromHex, toHex } from '../vectors/hex.ts'
import type { EndToEndOperations, HandshakeInput, HandshakeOutcome, PlainRecord } from './end-to-end-operations.ts'
import { crypto, helloImplementation, keyPair } from './hellos.ts'
import type { Implementing } from './operations.ts'

const NOTHING = new Uint8Array(0)

function noiseOf({ side, initiator, responder, staticKey, ephemeralKey }: HandshakeInput): NoiseHandshake {
  return new NoiseHandshake({
    pattern: 'XX',
    crypto,
    initiator: side === 'initiator',
    prologue: handshakePrologue(parsePeerId(initiator), parsePeerId(responder)),
    staticKey: keyPair(fromHex(staticKey)),
    ephemeralKey: keyPair(fromHex(ephemeralKey)),
  })
}

function handshake(input: HandshakeInput): HandshakeOutcome | null {
  const noise = noiseOf(input)
  const [sent, payloads]: [string[], string[]] = [[], []]
  if (noise.writes) sent.push(toHex(noise.write(NOTHING)))
  for (const message of input.received) {
    const payload = noise.read(fromHex(message))
    // The payload of message 1 must be empty.
    if (payload === undefined || (payloads.length === 0 && input.side === 'responder' && payload.length > 0))
      return null
    payloads.push(toHex(payload))
    if (noise.done) break
    try {
      sent.push(toHex(noise.write(fromHex(input.payload))))
    } catch {
      // A public key of small order.
      return null
    }
  }
  const { remoteStaticKey } = noise
  return {
    ...{ sent, payloads },
    remoteStaticKey: remoteStaticKey === undefined ? null : toHex(remoteStaticKey),
    done: noise.done ? resultOf(noise) : null,
  }
}

function resultOf(noise: NoiseHandshake): HandshakeOutcome['done'] {
  const { hash, sendKey, receiveKey } = noise.result()
  return { hash: toHex(hash), sendKey: toHex(sendKey), receiveKey: toHex(receiveKey) }
}

function openRecord(key: string, bytes: Uint8Array): PlainRecord | null {
  const header = readRecordHeader(bytes)
  if (header === undefined) return null
  const nonce = new Uint8Array(12)
  writeRecordNonce(nonce, header.epoch, header.number)
  const [aad, sealed] = [bytes.subarray(0, RECORD_HEADER_BYTES), bytes.subarray(RECORD_HEADER_BYTES)]
  const payload = crypto.aead(fromHex(key)).open(nonce, aad, sealed)
  if (payload === undefined) return null
  return { connectionId: toHex(bytes.subarray(1, 1 + CONNECTION_ID_BYTES)), ...header, payload: toHex(payload) }
}

function receiveRecords(key: string, records: readonly string[]): readonly (string | null)[] {
  const opening = new OpeningKey(crypto, fromHex(key))
  const window = new ReplayWindow()
  return records.map((record) => {
    const bytes = fromHex(record)
    const header = readRecordHeader(bytes)
    if (header === undefined || window.check(header.number) !== 'fresh') return null
    const [aad, sealed] = [bytes.subarray(0, RECORD_HEADER_BYTES), bytes.subarray(RECORD_HEADER_BYTES)]
    const payload = opening.open(header.epoch, header.number, aad, sealed)
    return payload === undefined || !window.accept(header.number) ? null : toHex(payload)
  })
}

function isGenuine({
  certificate: bytes,
  staticKey,
  id,
  unixMs,
}: EndToEndOperations['checkCertificate']['input']): boolean {
  const certificate = readCertificate(fromHex(bytes))
  if (certificate === undefined || !isCurrent(certificate, unixMs)) return false
  const key = new KeyCache(openssl, 1).learn(parsePeerId(id), certificate.spki)
  if (key === undefined || !equalBytes(key.spki, certificate.spki)) return false
  return openssl.verifyPss(key, certificatePreimage(fromHex(staticKey), certificate), certificate.signature)
}

function readStreamName(bytes: Uint8Array): EndToEndOperations['readStreamName']['result'] {
  const missing = missingOfName(bytes.subarray(0, 1))
  if (bytes.length < 1 + missing) return null
  const protocol = readProtocolName(bytes.subarray(0, 1 + missing))
  return protocol === undefined ? null : { protocol, data: toHex(bytes.subarray(1 + missing)) }
}

export const endToEndImplementation: Implementing<EndToEndOperations> = {
  directSession: ({ requester, responder, ...stamp }) => {
    const request = { requester: parsePeerId(requester), responder: parsePeerId(responder), ...stamp }
    return toHex(sessionIdToBytes(directSession(openssl, request)))
  },
  initiator: ({ ids }) => ids.toSorted()[0] as string,
  handshake,
  ...helloImplementation,
  writeHandshakePayload: ({ connectionId, current, certificate, ...flags }) =>
    toHex(
      writeHandshakePayload({
        ...flags,
        connectionId: fromHex(connectionId),
        current: current === null ? undefined : fromHex(current),
        certificate: fromHex(certificate),
      }),
    ),
  readHandshakePayload: ({ payload }) => {
    const read = readHandshakePayload(fromHex(payload))
    if (read === undefined) return null
    const { connectionId, current, certificate, ...flags } = read
    return {
      ...flags,
      connectionId: toHex(connectionId),
      current: current === undefined ? null : toHex(current),
      certificate: toHex(certificate),
    }
  },
  writeHandshakePart: (part) =>
    toHex(writeHandshakePart({ ...part, session: fromHex(part.session), bytes: fromHex(part.bytes) })),
  readHandshakePart: ({ datagram }) => {
    const part = readHandshakePart(fromHex(datagram))
    return part === undefined ? null : { ...part, session: toHex(part.session), bytes: toHex(part.bytes) }
  },
  writeCertificate: ({ key, signature, ...validity }) =>
    toHex(writeCertificate({ ...validity, spki: fromHex(key), signature: fromHex(signature) })),
  readCertificate: ({ certificate }) => {
    const read = readCertificate(fromHex(certificate))
    if (read === undefined) return null
    const { spki, signature, ...validity } = read
    return { ...validity, key: toHex(spki), signature: toHex(signature) }
  },
  certificatePreimage: ({ staticKey, ...validity }) => toHex(certificatePreimage(fromHex(staticKey), validity)),
  certify: async ({ staticKey, privateKey, ...validity }) => {
    const key = openssl.importPrivateKey(privateKey)
    const signature = await openssl.signPss(key, certificatePreimage(fromHex(staticKey), validity))
    return toHex(writeCertificate({ ...validity, spki: key.publicKey.spki, signature }))
  },
  checkCertificate: isGenuine,
  sealRecord: ({ key, ...plain }) => seal('', key, plain).record,
  openRecord: ({ key, record }) => openRecord(key, fromHex(record)),
  rekey: ({ key }) => toHex(rekey(crypto, fromHex(key))),
  receiveRecords: ({ key, records }) => receiveRecords(key, records),
  writeChannelFrame: ({ session, bytes }) => {
    const header = new Uint8Array(CHANNEL_HEADER_BYTES)
    writeChannelHeader(header, fromHex(session))
    return toHex(header) + bytes
  },
  readStreamId: ({ id }) => ({
    opener: id % 2 === 0 ? 'initiator' : 'responder',
    named: id % NAMED_STREAM_STEP >= 2,
    index: Math.floor(id / NAMED_STREAM_STEP),
  }),
  writeStreamName: ({ protocol }) => toHex(writeProtocolName(protocol)),
  readStreamName: ({ bytes }) => readStreamName(fromHex(bytes)),
  readFrames: ({ payload }) => plainFrames(fromHex(payload)) ?? null,
  writeFrames: ({ frames }) => toHex(framesToBytes(frames)),
}

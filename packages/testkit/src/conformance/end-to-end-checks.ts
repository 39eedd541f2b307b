/** The golden vectors of the end-to-end layer as checks. */
import { flipped } from '../vectors/end-to-end/ends.ts'
import type {
  CertificateFile,
  ConnectionFile,
  FrameFile,
  HandshakeFile,
  HandshakeVector,
  RecordFile,
  Side,
} from '../vectors/end-to-end/forms.ts'
import type { NamedStreamFile } from '../vectors/end-to-end/named-streams.ts'
import { readVectors } from '../vectors/files.ts'
import type { HandshakeInput, HandshakeOutcome } from './end-to-end-operations.ts'
import { helloChecks } from './hello-checks.ts'
import type { Check } from './operations.ts'

export function* endToEndChecks(): Generator<Check> {
  for (const { name, preimage: _, session, ...request } of readVectors('direct-session.json').sessions)
    yield { vector: name, operation: 'directSession', input: request, expected: session }
  yield* certificateChecks(readVectors('certificate.json'))
  yield* handshakeChecks(readVectors('handshake.json'))
  yield* helloChecks(readVectors('hello.json'))
  yield* recordChecks(readVectors('records.json'))
  yield* frameChecks(readVectors('frames.json'))
  yield* namedStreamChecks(readVectors('named-streams.json'))
  yield* connectionChecks(readVectors('connection.json'))
}

function* certificateChecks({ certificates, checks, refused }: CertificateFile): Generator<Check> {
  const { identities } = readVectors('identities.json')
  for (const { name, identity, staticKey, notBefore, notAfter, preimage, signature, certificate } of certificates) {
    const times = { notBefore, notAfter }
    const { spki, privateKey } = identities.find((each) => each.name === identity) as (typeof identities)[number]
    const fields = { ...times, key: spki, signature }
    yield { vector: name, operation: 'certificatePreimage', input: { staticKey, ...times }, expected: preimage }
    yield { vector: name, operation: 'writeCertificate', input: fields, expected: certificate }
    yield { vector: name, operation: 'readCertificate', input: { certificate }, expected: fields }
    yield { vector: name, operation: 'certify', input: { staticKey, ...times, privateKey }, expected: certificate }
  }
  for (const { name, bytes } of refused)
    yield { vector: name, operation: 'readCertificate', input: { certificate: bytes }, expected: null }
  for (const { name, genuine, ...input } of checks)
    yield { vector: name, operation: 'checkCertificate', input, expected: genuine }
}

function* handshakeChecks(file: HandshakeFile): Generator<Check> {
  for (const { ids, initiator } of file.initiators)
    yield { vector: ids.join(' '), operation: 'initiator', input: { ids }, expected: initiator }
  for (const vector of file.handshakes) yield* runChecks(vector)
  yield* refusedRuns(file.handshakes[0] as HandshakeVector)
  for (const { name, payload, fields, canonical } of file.payloads) {
    yield { vector: name, operation: 'readHandshakePayload', input: { payload }, expected: fields }
    if (canonical) yield { vector: name, operation: 'writeHandshakePayload', input: fields, expected: payload }
  }
  for (const { name, bytes } of file.refusedPayloads)
    yield { vector: name, operation: 'readHandshakePayload', input: { payload: bytes }, expected: null }
  const whole = file.messagesInParts.flatMap(({ name, message, datagrams, ...fields }) => {
    const size = Math.ceil(message.length / 2 / datagrams.length)
    return datagrams.map((datagram, index) => ({
      name: `${name}, ${index + 1} of ${datagrams.length}`,
      datagram,
      part: {
        ...fields,
        index,
        count: datagrams.length,
        bytes: message.slice(2 * size * index, 2 * size * (index + 1)),
      },
    }))
  })
  for (const { name, datagram, part } of [...file.parts, ...whole]) {
    yield { vector: name, operation: 'readHandshakePart', input: { datagram }, expected: part }
    yield { vector: name, operation: 'writeHandshakePart', input: part, expected: datagram }
  }
  for (const { name, bytes } of file.refusedParts)
    yield { vector: name, operation: 'readHandshakePart', input: { datagram: bytes }, expected: null }
}

/** The input of one end, without the messages that it received. */
function endOf(vector: HandshakeVector, side: Side): Omit<HandshakeInput, 'received'> {
  const { initiator, responder, messages } = vector
  const own = vector[side]
  return {
    side,
    ...{ initiator: initiator.id, responder: responder.id },
    staticKey: own.staticKey.privateKey,
    ephemeralKey: own.ephemeralKey.privateKey,
    payload: messages[side === 'initiator' ? 2 : 1]?.payload as string,
  }
}

/** Both ends of a handshake, message by message. */
function* runChecks(vector: HandshakeVector): Generator<Check> {
  const { name, initiator, responder, messages, hash, keys } = vector
  const [one, two, three] = messages.map(({ message }) => message) as [string, string, string]
  const [, second, third] = messages.map(({ payload }) => payload) as [string, string, string]
  const check = (what: string, side: Side, received: readonly string[], expected: HandshakeOutcome): Check => ({
    ...{ vector: `${name}, ${what}`, operation: 'handshake' },
    input: { ...endOf(vector, side), received },
    expected,
  })
  const done = (side: Side): HandshakeOutcome['done'] => ({
    hash,
    sendKey: keys[side],
    receiveKey: keys[side === 'initiator' ? 'responder' : 'initiator'],
  })
  yield check('the initiator begins', 'initiator', [], { sent: [one], payloads: [], remoteStaticKey: null, done: null })
  yield check('the responder answers', 'responder', [one], {
    ...{ sent: [two], payloads: [''], remoteStaticKey: null, done: null },
  })
  yield check('the initiator ends', 'initiator', [two], {
    ...{ sent: [one, three], payloads: [second], done: done('initiator') },
    remoteStaticKey: responder.staticKey.publicKey,
  })
  yield check('the responder ends', 'responder', [one, three], {
    ...{ sent: [two], payloads: ['', third], done: done('responder') },
    remoteStaticKey: initiator.staticKey.publicKey,
  })
}

/** Messages that are not authentic. */
function* refusedRuns(vector: HandshakeVector): Generator<Check> {
  const [one, two, three] = vector.messages.map(({ message }) => message) as [string, string, string]
  const cases: readonly (readonly [what: string, side: Side, received: readonly string[]])[] = [
    ['message 1 cut short', 'responder', [one.slice(0, -2)]],
    ['message 1 with a payload', 'responder', [`${one}00`]],
    ['message 1 with a key of small order', 'responder', ['00'.repeat(32)]],
    ['message 1 altered, which message 3 shows', 'responder', [flipped(one, 0), three]],
    ['message 2 cut short', 'initiator', [two.slice(0, -2)]],
    ['message 2 without its static key', 'initiator', [two.slice(0, 2 * 64)]],
    ['one bit of the ephemeral key of message 2', 'initiator', [flipped(two, 1)]],
    ['the highest bit of the ephemeral key of message 2', 'initiator', [flipped(two, 31 * 8)]],
    ['one bit of the static key of message 2', 'initiator', [flipped(two, 32 * 8)]],
    ['one bit of the payload of message 2', 'initiator', [flipped(two, 90 * 8)]],
    ['one bit of the tag of message 2', 'initiator', [flipped(two, -1)]],
    ['message 1 in place of message 2', 'initiator', [one]],
    ['one bit of the static key of message 3', 'responder', [one, flipped(three, 0)]],
    ['one bit of the tag of message 3', 'responder', [one, flipped(three, -1)]],
    ['message 3 of another handshake', 'responder', [one, two]],
  ]
  for (const [what, side, received] of cases) {
    const input = { ...endOf(vector, side), received }
    yield { vector: what, operation: 'handshake', input, expected: null }
  }
  const swapped = { ...endOf(vector, 'initiator'), initiator: vector.responder.id, responder: vector.initiator.id }
  const input = { ...swapped, received: [two] }
  yield {
    vector: 'message 2 of a handshake with the ids the other way round',
    operation: 'handshake',
    input,
    expected: null,
  }
}

function* recordChecks({ epochKeys, records, refused, sequences, channelFrames }: RecordFile): Generator<Check> {
  for (const [epoch, key] of epochKeys.slice(1).entries())
    yield {
      vector: `epoch ${epoch + 1}`,
      operation: 'rekey',
      input: { key: epochKeys[epoch] as string },
      expected: key,
    }
  for (const { name, connectionId, epoch, number, key, payload, record } of records) {
    const plain = { connectionId, epoch, number, payload }
    yield { vector: name, operation: 'sealRecord', input: { key, ...plain }, expected: record }
    yield { vector: name, operation: 'openRecord', input: { key, record }, expected: plain }
  }
  for (const { name, ...input } of refused) yield { vector: name, operation: 'openRecord', input, expected: null }
  for (const { name, key, records: list } of sequences) {
    const input = { key, records: list.map(({ record }) => record) }
    const expected = list.map(({ payload }) => payload)
    yield { vector: name, operation: 'receiveRecords', input, expected }
  }
  for (const { name, frame, ...input } of channelFrames)
    yield { vector: name, operation: 'writeChannelFrame', input, expected: frame }
}

function* frameChecks({ payloads, refused, varints, refusedVarints }: FrameFile): Generator<Check> {
  for (const { name, payload, frames, ackEliciting, canonical } of payloads) {
    yield { vector: name, operation: 'readFrames', input: { payload }, expected: { frames, ackEliciting } }
    if (canonical) yield { vector: name, operation: 'writeFrames', input: { frames }, expected: payload }
  }
  for (const { name, bytes } of refused)
    yield { vector: name, operation: 'readFrames', input: { payload: bytes }, expected: null }
  // Integers are tested as the limit of a MAX_DATA.
  for (const { bytes, value } of varints) {
    const expected = { frames: [{ type: 'MAX_DATA', limit: value }], ackEliciting: true } as const
    yield { vector: `the integer ${bytes}`, operation: 'readFrames', input: { payload: `10${bytes}` }, expected }
  }
  for (const { name, bytes } of refusedVarints)
    yield { vector: `an integer: ${name}`, operation: 'readFrames', input: { payload: `10${bytes}` }, expected: null }
}

/** Each datagram of the connection, then all records of each end in sequence. */
function* connectionChecks({ handshake, steps }: ConnectionFile): Generator<Check> {
  const received: { [S in Side]: { readonly record: string; readonly payload: string }[] } = {
    initiator: [],
    responder: [],
  }
  for (const step of steps) {
    const { from, what, datagram } = step
    const vector = `a connection: ${what}`
    if ('message' in step) {
      yield { vector, operation: 'decode', input: { datagram, strict: true }, expected: step.message }
    } else if ('part' in step) {
      yield { vector, operation: 'readHandshakePart', input: { datagram }, expected: step.part }
    } else {
      received[from].push({ record: datagram, payload: step.record.payload })
      const { connectionId } = handshake[from === 'initiator' ? 'responder' : 'initiator']
      const { epoch, number, key, payload } = step.record
      const expected = { connectionId, epoch, number, payload }
      yield { vector, operation: 'openRecord', input: { key, record: datagram }, expected }
    }
  }
  for (const from of ['initiator', 'responder'] as const) {
    const records = received[from].map(({ record }) => record)
    const expected = received[from].map(({ payload }) => payload)
    yield {
      vector: `a connection: all of the ${from}`,
      operation: 'receiveRecords',
      input: { key: handshake.keys[from], records },
      expected,
    }
  }
}

function* namedStreamChecks({ ids, beginnings, refused }: NamedStreamFile): Generator<Check> {
  for (const { id, ...expected } of ids)
    yield { vector: `id ${id}`, operation: 'readStreamId', input: { id }, expected }
  for (const { name, bytes, protocol, data } of beginnings) {
    yield { vector: name, operation: 'readStreamName', input: { bytes }, expected: { protocol, data } }
    if (data === '') yield { vector: name, operation: 'writeStreamName', input: { protocol }, expected: bytes }
  }
  for (const { name, bytes } of refused)
    yield { vector: name, operation: 'readStreamName', input: { bytes }, expected: null }
}

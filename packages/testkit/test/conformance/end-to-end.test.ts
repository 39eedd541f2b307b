/**
 * Wrong implementations of the end-to-end layer, each as somebody could write it, and that the
 * runner finds each.
 */
import { constants, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { isCurrent, openssl, opensslEndToEnd, ReplayWindow, rekey } from '@showchain/crypto'
import { certificatePreimage, readCertificate, readRecordHeader, writeCertificate } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { endToEndImplementation as own } from '../../src/conformance/end-to-end.ts'
import type { EndToEndOperations, PlainRecord } from '../../src/conformance/end-to-end-operations.ts'
import type { Implementation } from '../../src/conformance/operations.ts'
import { runConformance } from '../../src/conformance/run.ts'
import { fromHex, toHex } from '../../src/vectors/hex.ts'
import { headerByHand, nonceByHand, openByHand, sealByHand } from '../vectors/secure-by-hand.ts'

async function failedVectors(implementation: Implementation): Promise<readonly string[]> {
  const results = await runConformance(implementation)
  return results.filter(({ outcome }) => outcome === 'failed').map(({ operation, vector }) => `${operation}: ${vector}`)
}

type Input<Name extends keyof EndToEndOperations> = EndToEndOperations[Name]['input']
type Result<Name extends keyof EndToEndOperations> = EndToEndOperations[Name]['result']
const idHex = (id: string): string => Buffer.from(id, 'base64url').toString('hex')
const reversed = (hex: string): string => Buffer.from(hex, 'hex').reverse().toString('hex')

const place = (id: number): Result<'readStreamId'> => own.readStreamId({ id }) as Result<'readStreamId'>

/** Records under another nonce or other associated data. */
function records(
  nonce: (epoch: number, number: number) => string,
  aad = (header: string): string => header,
): Implementation {
  return {
    sealRecord: ({ key, connectionId, epoch, number, payload }) => {
      const header = headerByHand(connectionId, epoch, number)
      return header + sealByHand(key, nonce(epoch, number), aad(header), payload)
    },
    openRecord: ({ key, record }) => {
      const header = readRecordHeader(fromHex(record))
      if (header === undefined) return null
      const [front, sealed] = [record.slice(0, 34), record.slice(34)]
      try {
        const payload = openByHand(key, nonce(header.epoch, header.number), aad(front), sealed)
        return { connectionId: record.slice(2, 18), ...header, payload }
      } catch {
        return null
      }
    },
  }
}

/** A receiver of records with rules of its own. */
function receiver(rules: {
  readonly window?: 'none' | 'each epoch' | 'before the tag'
  readonly epochs?: 'any' | 'current only'
}): Implementation {
  return {
    receiveRecords: ({ key, records: list }) => {
      const keys = [fromHex(key)]
      const windows = new Map<number, ReplayWindow>()
      let current = 0
      return list.map((record) => {
        const header = readRecordHeader(fromHex(record))
        if (header === undefined) return null
        const { epoch, number } = header
        if (
          rules.epochs === 'current only'
            ? epoch < current || epoch > current + 1
            : rules.epochs === undefined && Math.abs(epoch - current) > 1
        )
          return null
        while (keys.length <= epoch) keys.push(rekey(opensslEndToEnd, keys.at(-1) as Uint8Array))
        const which = rules.window === 'each epoch' ? epoch : 0
        const window = windows.get(which) ?? new ReplayWindow()
        windows.set(which, window)
        if (rules.window === 'before the tag' && !window.accept(number)) return null
        const opened = own.openRecord({ key: toHex(keys[epoch] as Uint8Array), record }) as PlainRecord | null
        if (opened === null) return null
        if (rules.window === undefined || rules.window === 'each epoch') if (!window.accept(number)) return null
        current = Math.max(current, epoch)
        return opened.payload
      })
    },
  }
}

type Signature = Pick<NonNullable<ReturnType<typeof readCertificate>>, 'spki' | 'signature'>

/** Takes certificates by node:crypto and these rules alone. */
function certificates(rules: {
  readonly saltLength?: number
  readonly padding?: 'any'
  readonly current?: (times: { readonly notBefore: number; readonly notAfter: number }, unixMs: number) => boolean
  readonly idOf?: 'nobody'
  readonly policy?: 'none'
}): Implementation {
  const genuine = ({ spki, signature }: Signature, covered: Uint8Array): boolean => {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    const saltLength = rules.saltLength ?? 32
    const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
    return (
      verify('sha256', covered, pss, signature) ||
      (rules.padding === 'any' && verify('sha256', covered, key, signature))
    )
  }
  return {
    checkCertificate: ({ certificate: bytes, staticKey, id, unixMs }) => {
      const certificate = readCertificate(fromHex(bytes))
      if (certificate === undefined || !(rules.current ?? isCurrent)(certificate, unixMs)) return false
      if (rules.idOf === undefined && toHex(openssl.sha256(certificate.spki)) !== idHex(id)) return false
      try {
        if (rules.policy === undefined) openssl.importPublicKey(certificate.spki)
        return genuine(certificate, certificatePreimage(fromHex(staticKey), certificate))
      } catch {
        return false
      }
    },
  }
}

const DAY = 86_400_000
const certifyBy =
  (make: (covered: Uint8Array, key: string) => Uint8Array) =>
  ({ staticKey, privateKey, ...times }: Input<'certify'>): string => {
    const covered = certificatePreimage(fromHex(staticKey), times)
    const { spki } = openssl.importPrivateKey(privateKey).publicKey
    return toHex(writeCertificate({ ...times, spki, signature: Uint8Array.from(make(covered, privateKey)) }))
  }

const withPart = (change: (part: NonNullable<Result<'readHandshakePart'>>) => object): Implementation => ({
  readHandshakePart: (input) => {
    const part = own.readHandshakePart(input) as Result<'readHandshakePart'>
    return part === null ? null : { ...part, ...change(part) }
  },
})

const withPayload = (change: (payload: string) => string): Implementation => ({
  readHandshakePayload: ({ payload }) => own.readHandshakePayload({ payload: change(payload) }),
})

const withHandshake = (change: (input: Input<'handshake'>) => Input<'handshake'>): Implementation => ({
  handshake: (input) => own.handshake(change(input)),
})

const withFrames = (change: (payload: string) => string): Implementation => ({
  readFrames: ({ payload }) => own.readFrames({ payload: change(payload) }),
})

const WRONG: Readonly<Record<string, Implementation>> = {
  'orders ids by their bytes': {
    initiator: ({ ids }) => ids.toSorted((a, b) => (idHex(a) < idHex(b) ? -1 : 1))[0] as string,
  },
  'derives the direct session with the ids the other way round': {
    directSession: (input) => own.directSession({ ...input, requester: input.responder, responder: input.requester }),
  },
  'writes the nonce in big-endian': records(
    (epoch, number) => `00000000${reversed(nonceByHand(epoch, number).slice(8))}`,
  ),
  'leaves the epoch out of the nonce': records((_epoch, number) => nonceByHand(0, number)),
  'counts 32 bits of the number': records((epoch, number) => nonceByHand(epoch, number % 2 ** 32)),
  'protects no header': records(nonceByHand, () => ''),
  'protects the counter of the header alone': records(nonceByHand, (header) => header.slice(18)),
  'takes the hash of a key for the next one': { rekey: ({ key }) => toHex(openssl.sha256(fromHex(key))) },
  'remembers no records': receiver({ window: 'none' }),
  'remembers records of each epoch by themselves': receiver({ window: 'each epoch' }),
  'remembers a record before it is genuine': receiver({ window: 'before the tag' }),
  'follows any epoch': receiver({ epochs: 'any' }),
  'forgets the epoch before at once': receiver({ epochs: 'current only' }),
  'puts the count in front of the index': withPart(({ index, count }) => ({ index: count, count: index })),
  'counts parts from 1': withPart(({ index }) => ({ index: index + 1 })),
  'reads the group in little-endian': withPart(({ group }) => ({
    group: Number(`0x${reversed(group.toString(16).padStart(8, '0'))}`),
  })),
  'takes any version of a payload': withPayload((payload) => (payload === '' ? '' : `01${payload.slice(2)}`)),
  'takes a connection id of zeros': withPayload((payload) =>
    payload.replace(/^(0100000000)0{16}/, `$1${'01'.repeat(8)}`),
  ),
  'wants the reserved bytes to be zero': {
    readHandshakePayload: (input) => (/^..0{8}/.test(input.payload) ? own.readHandshakePayload(input) : null),
  },
  'has the responder first in the prologue': withHandshake((input) => ({
    ...input,
    initiator: input.responder,
    responder: input.initiator,
  })),
  'takes a first message with a payload': withHandshake((input) => ({
    ...input,
    received: input.received.map((message, index) =>
      index === 0 && input.side === 'responder' && message.length === 66 ? message.slice(0, 64) : message,
    ),
  })),
  'puts the first payload into message 1': withHandshake((input) => ({ ...input, payload: '' })),
  'takes a salt of any length': certificates({ saltLength: constants.RSA_PSS_SALTLEN_AUTO }),
  'takes PKCS#1 v1.5 for a certificate': certificates({ padding: 'any' }),
  'takes certificates of any length': certificates({
    current: ({ notBefore, notAfter }, now) => notBefore - DAY <= now && now <= notAfter + DAY,
  }),
  'tolerates no other clock': certificates({
    current: ({ notBefore, notAfter }, now) => notBefore <= now && now <= notAfter,
  }),
  'takes certificates at any time': certificates({ current: () => true }),
  'does not ask whose certificate it is': certificates({ idOf: 'nobody' }),
  'has no policy for the keys of certificates': certificates({ policy: 'none' }),
  'certifies by PKCS#1 v1.5': { certify: certifyBy((covered, key) => sign('sha256', covered, createPrivateKey(key))) },
  'certifies with the longest salt': {
    certify: certifyBy((covered, key) =>
      sign('sha256', covered, {
        ...{ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN },
      }),
    ),
  },
  'certifies without a context': {
    certify: certifyBy((covered, key) =>
      sign('sha256', covered.subarray(covered.indexOf(0) + 1), {
        ...{ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
      }),
    ),
  },
  'forgets the session of a channel frame': { writeChannelFrame: ({ bytes }) => `b3${bytes}` },
  'skips frames that it does not know': withFrames((payload) => (payload.startsWith('1e') ? '' : payload)),
  'has streams without offset begin at the last one': withFrames((payload) =>
    payload.startsWith('08') ? `0c0409${payload.slice(4)}` : payload,
  ),
  'tells ACK delays in microseconds': {
    readFrames: (input) => {
      const read = own.readFrames(input) as Result<'readFrames'>
      const inMicroseconds = (frame: object): object =>
        'delay' in frame ? { ...frame, delay: Number(frame.delay) * 8 } : frame
      return read === null ? null : { ...read, frames: read.frames.map(inMicroseconds) as typeof read.frames }
    },
  },
  'writes the oldest range of an ACK first': {
    writeFrames: ({ frames }) =>
      own.writeFrames({
        frames: frames.map((frame) =>
          frame.type === 'ACK' ? { ...frame, ranges: [frame.ranges.at(-1) ?? [0, 0]] } : frame,
        ),
      }),
  },
  'counts streams with a name by steps of 2': {
    readStreamId: ({ id }) => ({ ...place(id), index: Math.floor(id / 2) }),
  },
  "takes streams with a name for the other end's": {
    readStreamId: ({ id }) => ({ ...place(id), opener: id % 4 < 2 ? 'initiator' : 'responder' }),
  },
  'takes any bytes for a name': {
    readStreamName: ({ bytes }) => {
      const end = 2 + 2 * Number.parseInt(bytes.slice(0, 2), 16)
      if (!(end <= bytes.length)) return null
      return { protocol: Buffer.from(bytes.slice(2, end), 'hex').toString(), data: bytes.slice(end) }
    },
  },
  'takes a name that is cut short': {
    readStreamName: (input) =>
      own.readStreamName(input) ?? { protocol: Buffer.from(input.bytes.slice(2), 'hex').toString(), data: '' },
  },
  'writes a name without its length': { writeStreamName: ({ protocol }) => Buffer.from(protocol).toString('hex') },
  'never says that it knows named streams': {
    writeHandshakePayload: (fields) => own.writeHandshakePayload({ ...fields, namedStreams: false }),
  },
  'writes no FIN': {
    writeFrames: ({ frames }) =>
      own.writeFrames({ frames: frames.map((frame) => (frame.type === 'STREAM' ? { ...frame, fin: false } : frame)) }),
  },
}

describe('the conformance runner finds an implementation that', () => {
  test.each(Object.entries(WRONG))('%s', async (_what, implementation) => {
    expect(await failedVectors(implementation)).not.toEqual([])
  })
})

test('the receivers, records and certificates of this test are right when no rule is changed', async () => {
  expect(await failedVectors({ ...records(nonceByHand), ...receiver({}), ...certificates({}) })).toEqual([])
})

/**
 * The vectors of the end-to-end layer: recomputed by a second implementation, and each bit of them
 * flipped.
 */
import { constants, createPublicKey, verify } from 'node:crypto'
import { Reader, varintLength, writeVarint } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { endToEndImplementation as ours } from '../../src/conformance/end-to-end.ts'
import { flipped } from '../../src/vectors/end-to-end/ends.ts'
import type { ConnectionStep, HandshakeVector, PartsVector, Side } from '../../src/vectors/end-to-end/forms.ts'
import { framesToBytes, plainFrames } from '../../src/vectors/end-to-end/plain-frames.ts'
import { readVectors } from '../../src/vectors/files.ts'
import { fromHex, toHex } from '../../src/vectors/hex.ts'
import { binaryByHand, preimageByHand } from './by-hand.ts'
import * as hand from './secure-by-hand.ts'

const { identities } = readVectors('identities.json')
const spkiOf = (name: string): string => identities.find((each) => each.name === name)?.spki as string
/** Every copy of these bytes with one bit flipped. */
const eachFlip = (hex: string): readonly string[] =>
  Array.from({ length: hex.length * 4 }, (_, bit) => flipped(hex, bit))
/** Every byte with one of its bits flipped, not always the same one. */
const flipInEachByte = (hex: string): readonly string[] =>
  Array.from({ length: hex.length / 2 }, (_, byte) => flipped(hex, byte * 8 + (byte % 8)))
const named = <Each extends { readonly name: string }>(list: readonly Each[]): (readonly [string, Each])[] =>
  list.map((each) => [each.name, each] as const)

describe('a certificate', () => {
  const { certificates, checks } = readVectors('certificate.json')

  test.each(named(certificates))('of %s has the bytes and the PSS signature that others make', (_, vector) => {
    const { staticKey, notBefore, notAfter, preimage, signature, certificate, identity } = vector
    expect(preimage).toBe(hand.certificatePreimageByHand(staticKey, notBefore, notAfter))
    expect(certificate).toBe(hand.certificateByHand(notBefore, notAfter, spkiOf(identity), signature))
    const key = createPublicKey({ key: Buffer.from(spkiOf(identity), 'hex'), format: 'der', type: 'spki' })
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
    expect(verify('sha256', fromHex(preimage), { key, ...padding }, fromHex(signature))).toBe(true)
  })

  test('with any bit flipped proves nothing', () => {
    const [good] = checks as [(typeof checks)[number]]
    expect(ours.checkCertificate(good)).toBe(true)
    for (const [bit, certificate] of eachFlip(good.certificate).entries())
      expect(ours.checkCertificate({ ...good, certificate }), `bit ${bit}`).toBe(false)
  })
})

test.each(named(readVectors('direct-session.json').sessions))('the direct session of %s', (_, vector) => {
  const { requester, responder, seq, ts, preimage, session } = vector
  expect(preimage).toBe(hand.directPreimageByHand(requester, responder, seq, ts))
  expect(session).toBe(hand.sessionByHand(preimage))
})

/** A handshake from its keys, payloads and ids alone. */
function expectHandshake({ initiator, responder, prologue, messages, hash, connection, keys }: HandshakeVector): void {
  for (const { staticKey, ephemeralKey } of [initiator, responder])
    for (const { privateKey, publicKey } of [staticKey, ephemeralKey])
      expect(publicKey).toBe(hand.publicByHand(privateKey))
  expect(prologue).toBe(hand.prologueByHand(initiator.id, responder.id))
  const [second, third] = [responder, initiator].map(hand.payloadByHand) as [string, string]
  expect(messages.map(({ payload }) => payload)).toEqual(['', second, third])
  const made = hand.xxByHand(prologue, initiator, responder, ['', second, third])
  expect(messages.map(({ message }) => message)).toEqual(made.messages)
  expect({ hash, keys }).toEqual({ hash: made.hash, keys: { initiator: made.keys[0], responder: made.keys[1] } })
  expect(connection).toBe(hash.slice(0, 32))
}

describe('a handshake', () => {
  const { handshakes, initiators, messagesInParts } = readVectors('handshake.json')
  const [first] = handshakes as [HandshakeVector]
  const [one, two, three] = first.messages.map(({ message }) => message) as [string, string, string]
  const run = (side: Side, received: readonly string[]): unknown =>
    ours.handshake({
      side,
      ...{ initiator: first.initiator.id, responder: first.responder.id, received },
      staticKey: first[side].staticKey.privateKey,
      ephemeralKey: first[side].ephemeralKey.privateKey,
      payload: first.messages[side === 'initiator' ? 2 : 1]?.payload as string,
    })

  test.each(named(handshakes))('%s is made of the bytes that others make', (_, vector) => {
    expectHandshake(vector)
    expect(vector.initiator.id < vector.responder.id).toBe(true)
  })

  function expectNone(flips: (hex: string) => readonly string[]): void {
    expect(run('initiator', [two])).not.toBeNull()
    for (const [index, message] of flips(two).entries()) expect(run('initiator', [message]), `${index}`).toBeNull()
    expect(run('responder', [one, three])).not.toBeNull()
    for (const [index, message] of flips(three).entries())
      expect(run('responder', [one, message]), `${index}`).toBeNull()
  }
  test('with a bit of any byte of message 2 or 3 flipped is none', () => expectNone(flipInEachByte))
  test('with any bit of message 2 or 3 flipped is none', { tags: ['long'] }, () => expectNone(eachFlip))

  test('with any bit of message 1 flipped ends with message 3', () => {
    for (const [bit, message] of eachFlip(one).entries())
      expect(run('responder', [message, three]), `bit ${bit}`).toBeNull()
  })

  test('is begun by the id whose text is smaller, also where its bytes are not', () => {
    const differs = initiators.filter(({ ids }) => {
      const [a, b] = ids.map((id) => Buffer.from(id, 'base64url').toString('hex')) as [string, string]
      return a < b !== ids[0] < ids[1]
    })
    expect(differs.length).toBeGreaterThan(0)
    expect(differs.length).toBeLessThan(initiators.length)
    for (const { ids, initiator } of initiators) expect(initiator).toBe(ids.toSorted((a, b) => (a < b ? -1 : 1))[0])
  })

  test.each(named(messagesInParts))('in parts: %s', (_, { session, kind, group, message, datagrams }: PartsVector) => {
    const bodies = datagrams.map((datagram, index) => {
      const header = hand.partByHand(session, kind, index, datagrams.length, group)
      expect(datagram.startsWith(header)).toBe(true)
      expect(datagram.length / 2).toBeLessThanOrEqual(1200)
      return datagram.slice(header.length)
    })
    expect(bodies.join('')).toBe(message)
    expect(datagrams.length).toBeLessThanOrEqual(3)
  })
})

describe('a record', () => {
  const { epochKeys, records, sequences, channelFrames } = readVectors('records.json')

  test('has the next key of each epoch that others make', () => {
    for (const [index, key] of epochKeys.slice(1).entries())
      expect(key).toBe(hand.rekeyByHand(epochKeys[index] as string))
    expect(epochKeys[0]).toBe(readVectors('handshake.json').handshakes[0]?.keys.initiator)
    expect(epochKeys).toHaveLength(4)
  })

  test.each(named(records))('%s has the bytes that others make', (_, vector) => {
    const { connectionId, epoch, number, key, header, nonce, payload, record } = vector
    expect(header).toBe(hand.headerByHand(connectionId, epoch, number))
    expect(nonce).toBe(hand.nonceByHand(epoch, number))
    expect(record).toBe(header + hand.sealByHand(key, nonce, header, payload))
  })

  test.each(named(records.filter(({ record }) => record.length < 200)))(
    '%s with any bit flipped is none',
    (_, vector) => {
      const { key, record } = vector
      expect(ours.openRecord({ key, record })).not.toBeNull()
      for (const [bit, other] of eachFlip(record).entries())
        expect(ours.openRecord({ key, record: other }), `bit ${bit}`).toBeNull()
    },
  )

  test('that a sequence takes opens under the key of its epoch', () => {
    for (const { key, records: list } of sequences) {
      const keys = [key, hand.rekeyByHand(key), hand.rekeyByHand(hand.rekeyByHand(key))]
      for (const { record, payload } of list) {
        if (payload === null) continue
        const [epoch, number] = [Number(`0x${record.slice(18, 22)}`), Number(`0x${record.slice(22, 34)}`)]
        const nonce = hand.nonceByHand(epoch, number)
        expect(hand.openByHand(keys[epoch] as string, nonce, record.slice(0, 34), record.slice(34))).toBe(payload)
      }
    }
  })

  test.each(named(channelFrames))('in a channel frame: %s', (_, { session, bytes, frame }) => {
    expect(frame).toBe(`b3${session}${bytes}`)
  })
})

describe('frames', () => {
  const { payloads, refused, varints, refusedVarints } = readVectors('frames.json')

  test.each(named(payloads))('%s: both readers agree, and the canonical form is written', (_, vector) => {
    const { payload, frames, ackEliciting, canonical } = vector
    expect(hand.framesByHand(payload)).toEqual({ frames, eliciting: ackEliciting })
    expect(plainFrames(fromHex(payload))).toEqual({ frames, ackEliciting })
    // PING and PADDING are no items.
    if (frames.length > 0) expect(toHex(framesToBytes(frames)) === payload).toBe(canonical)
  })

  test.each(named(payloads.filter(({ canonical }) => canonical)))(
    '%s with any bit flipped says something else',
    (_, vector) => {
      for (const [bit, payload] of eachFlip(vector.payload).entries()) {
        const read = plainFrames(fromHex(payload))
        expect(read?.frames, `bit ${bit}`).not.toEqual(vector.frames)
      }
    },
  )

  test.each(named(payloads.filter(({ payload }) => payload.length < 200)))(
    '%s with any bit flipped is read alike by both readers',
    (_, vector) => {
      for (const [bit, payload] of eachFlip(vector.payload).entries()) {
        const read = plainFrames(fromHex(payload))
        if (read === undefined) expect(() => hand.framesByHand(payload), `bit ${bit}`).toThrow()
        else
          expect(hand.framesByHand(payload), `bit ${bit}`).toEqual({
            frames: read.frames,
            eliciting: read.ackEliciting,
          })
      }
    },
  )

  test.each(named(refused))('%s are refused by both readers', (_, { bytes }) => {
    expect(() => hand.framesByHand(bytes)).toThrow()
    expect(plainFrames(fromHex(bytes))).toBeUndefined()
  })

  test('integers have these bytes', () => {
    for (const { bytes, value, shortest } of varints) {
      const reader = new Reader(fromHex(bytes))
      expect([reader.varint(), reader.ok, reader.remaining]).toEqual([value, true, 0])
      const into = new Uint8Array(8)
      const end = writeVarint(into, 0, value)
      expect(end).toBe(varintLength(value))
      expect(toHex(into.subarray(0, end)) === bytes).toBe(shortest)
    }
    for (const { bytes } of refusedVarints) {
      const reader = new Reader(fromHex(bytes))
      reader.varint()
      expect(reader.ok).toBe(false)
    }
  })
})

describe('the whole connection', () => {
  const { handshake, session, steps } = readVectors('connection.json')
  const messages = steps.filter(
    (step): step is Extract<ConnectionStep, { readonly message: unknown }> => 'message' in step,
  )
  const parts = steps.filter((step): step is Extract<ConnectionStep, { readonly part: unknown }> => 'part' in step)
  const records = steps.filter(
    (step): step is Extract<ConnectionStep, { readonly record: unknown }> => 'record' in step,
  )

  test('opens with messages that others make, and the session that follows from them', () => {
    for (const { datagram, message, from } of messages) {
      expect(datagram).toBe(binaryByHand(message))
      if (message.sign === undefined) continue
      const key = createPublicKey({
        key: Buffer.from(spkiOf(handshake[from].identity), 'hex'),
        format: 'der',
        type: 'spki',
      })
      const covered = Buffer.from(String(preimageByHand(message)), 'hex')
      expect(verify('sha256', covered, key, Buffer.from(String(message.sign), 'base64url'))).toBe(true)
    }
    const answered = messages.at(-2)?.message
    const preimage = hand.directPreimageByHand(
      ...([String(answered?.id), String(answered?.target)] as const),
      ...([Number(answered?.seq), Number(answered?.ts)] as const),
    )
    expect(session).toBe(hand.sessionByHand(preimage))
    expect(messages.at(-1)?.message).toMatchObject({ seq: answered?.seq, ts: answered?.ts })
  })

  test('goes on with a handshake that others make', () => {
    expectHandshake(handshake)
    for (const { datagram, part } of parts)
      expect(datagram).toBe(`${hand.partByHand(session, part.kind, part.index, part.count, part.group)}${part.bytes}`)
    expect(parts.map(({ part }) => part.bytes)).toEqual(['', ...handshake.messages.map(({ message }) => message)])
    expect(parts.map(({ from }) => from)).toEqual(['responder', ...handshake.messages.map(({ from }) => from)])
  })

  test('carries records that others open with nothing but the keys of the handshake', () => {
    const next: { [S in Side]: number } = { initiator: 0, responder: 0 }
    for (const { from, datagram, frames } of records) {
      const { connectionId } = handshake[from === 'initiator' ? 'responder' : 'initiator']
      const epoch = Number(`0x${datagram.slice(18, 22)}`)
      const key = epoch === 0 ? handshake.keys[from] : hand.rekeyByHand(handshake.keys[from])
      const [header, sealed] = [datagram.slice(0, 34), datagram.slice(34)]
      const number = next[from]++
      expect(header).toBe(hand.headerByHand(connectionId, epoch, number))
      const payload = hand.openByHand(key, hand.nonceByHand(epoch, number), header, sealed)
      expect(hand.framesByHand(payload).frames).toEqual(frames)
    }
    expect(new Set(records.map(({ record }) => record.epoch))).toEqual(new Set([0, 1]))
  })

  test('acknowledges what came, and says goodbye three times', () => {
    const sent: { [S in Side]: number } = { initiator: -1, responder: -1 }
    for (const { from, frames, record } of records) {
      sent[from] = record.number
      const other = sent[from === 'initiator' ? 'responder' : 'initiator']
      for (const frame of frames) if (frame.type === 'ACK') expect(frame.ranges[0]?.[1]).toBeLessThanOrEqual(other)
    }
    const last = records.slice(-3).map(({ frames }) => frames)
    expect(last).toEqual(new Array(3).fill([{ type: 'CONNECTION_CLOSE', code: 0, reason: 'done' }]))
  })
})

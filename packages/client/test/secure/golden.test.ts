/**
 * The handshake and the record layer against the golden vectors that other implementations are
 * given.
 */
import { readFileSync } from 'node:fs'
import { KeyCache, openssl, opensslEndToEnd } from '@showchain/crypto'
import { parsePeerId } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { duration, type Instant, instant, later, Timers } from '../../src/core/index.ts'
import { Handshake } from '../../src/core/secure/handshake.ts'
import type { Secured } from '../../src/core/secure/handshake-options.ts'
import { REKEY_AFTER } from '../../src/core/secure/limits.ts'
import { RecordLayer } from '../../src/core/secure/record-layer.ts'

type Side = 'initiator' | 'responder'
type KeyPair = Readonly<Record<'privateKey' | 'publicKey', string>>
interface EndVector {
  readonly id: string
  readonly staticKey: KeyPair
  readonly ephemeralKey: KeyPair
  readonly connectionId: string
  readonly current: string | null
  readonly namedStreams: boolean
  readonly certificate: string
}
interface HandshakeVector {
  readonly name: string
  readonly initiator: EndVector
  readonly responder: EndVector
  readonly messages: readonly { readonly kind: number; readonly message: string }[]
  readonly hash: string
  readonly keys: Readonly<Record<Side, string>>
}
interface Step {
  readonly from: Side
  readonly datagram: string
  readonly record?: { readonly epoch: number; readonly number: number; readonly payload: string }
}

const vectors = <Contents>(file: string): Contents =>
  JSON.parse(readFileSync(new URL(`../../../testkit/vectors/${file}`, import.meta.url), 'utf8')) as Contents
const { handshakes } = vectors<{ readonly handshakes: readonly HandshakeVector[] }>('handshake.json')
const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** When the certificates of the vectors begin. */
const UNIX_MS = 1_767_225_600_123
const START = instant(0)

interface Sent {
  readonly kind: number
  readonly message: string
}

/** One end with the keys of the vector. */
class End {
  readonly handshake: Handshake
  readonly sent: Sent[] = []

  constructor(own: EndVector, other: EndVector) {
    const keys = new KeyCache(openssl, 1)
    const remoteId = parsePeerId(other.id)
    this.handshake = new Handshake({
      ...{ self: parsePeerId(own.id), remoteId, timers: new Timers(), unixMs: () => UNIX_MS },
      crypto: { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 },
      credentials: {
        staticKey: { privateKey: fromHex(own.staticKey.privateKey), publicKey: fromHex(own.staticKey.publicKey) },
        certificate: (waiter, now) => waiter(fromHex(own.certificate), now),
      },
      random: { bytes: () => fromHex(own.ephemeralKey.privateKey), uint32: () => 0, uniform: () => 0.5 },
      keyOf: (spki) => keys.learn(remoteId, spki),
      verify: (key, preimage, signature) => openssl.verifyPss(key, preimage, signature),
      connectionId: fromHex(own.connectionId),
      dialled: () => false,
      namedStreams: own.namedStreams,
      current: () => (own.current === null ? undefined : fromHex(own.current)),
      transmit: (kind, message) => this.sent.push({ kind, message: toHex(message) }),
      count: () => expect.unreachable('a golden message was refused'),
    })
  }
}

test.each(handshakes.map((vector) => [vector.name, vector] as const))('the handshake of %s', (_, vector) => {
  const { initiator, responder, messages, hash, keys } = vector
  const [a, b] = [new End(initiator, responder), new End(responder, initiator)]
  const [one, two, three] = messages.map(({ kind, message }) => ({ kind, message })) as [Sent, Sent, Sent]
  a.handshake.start(START)
  b.handshake.receive(one.kind, fromHex(one.message), START)
  a.handshake.receive(two.kind, fromHex(two.message), START)
  b.handshake.receive(three.kind, fromHex(three.message), START)
  expect(a.sent).toEqual([one, three])
  expect(b.sent).toEqual([two])
  const result = (end: End): unknown => {
    const event = end.handshake.poll()
    if (event?.type !== 'secured') return event
    const { secured } = event
    return {
      ...{ initiator: secured.initiator, hash: toHex(secured.hash) },
      keys: [toHex(secured.sendKey), toHex(secured.receiveKey)],
      to: toHex(secured.remoteConnectionId),
    }
  }
  expect(result(a)).toEqual({
    ...{ initiator: true, hash, keys: [keys.initiator, keys.responder] },
    to: responder.connectionId,
  })
  expect(result(b)).toEqual({
    ...{ initiator: false, hash, keys: [keys.responder, keys.initiator] },
    to: initiator.connectionId,
  })
})

describe('the records of the golden connection', () => {
  const { handshake, steps } = vectors<{ readonly handshake: HandshakeVector; readonly steps: readonly Step[] }>(
    'connection.json',
  )
  const records = steps.flatMap(({ from, datagram, record }) =>
    record === undefined ? [] : [{ from, datagram, ...record }],
  )
  const timeOf = (epoch: number): Instant => later(START, duration(epoch * REKEY_AFTER))

  test.each(['initiator', 'responder'] as const)('of the %s are sealed and opened', (from) => {
    const to = from === 'initiator' ? 'responder' : 'initiator'
    const [sendKey, receiveKey] = [fromHex(handshake.keys[from]), fromHex(handshake.keys[to])]
    const remoteConnectionId = fromHex(handshake[to].connectionId)
    const sender = new RecordLayer(opensslEndToEnd, { sendKey, receiveKey, remoteConnectionId } as Secured, START)
    const swapped = { sendKey: receiveKey, receiveKey: sendKey, remoteConnectionId } as Secured
    const receiver = new RecordLayer(opensslEndToEnd, swapped, START)
    const own = records.filter((record) => record.from === from)
    expect(own.length).toBeGreaterThan(3)
    for (const { datagram, epoch, number, payload } of own) {
      const sealed = new Uint8Array(datagram.length / 2)
      sender.seal(fromHex(payload), sealed, 0, number - 1, timeOf(epoch))
      expect(toHex(sealed)).toBe(datagram)
      const opened = receiver.open(fromHex(datagram), timeOf(epoch))
      expect(opened && [opened.number, toHex(opened.payload)]).toEqual([number, payload])
    }
  })
})

/** What a socket for messages alone lets in: whatever may be one, and nothing that cannot be. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  type Encoding,
  encode,
  encodeStun,
  MAX_PROBED_DATAGRAM,
  type Message,
  OP,
  type PeerId,
  peerIdFromBytes,
  sessionIdFromBytes,
} from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import { needsIpv6 } from '@showchain-tooling/vitest/needs'
import { afterEach, describe, expect, test } from 'vitest'
import { openUdp, type UdpSocket } from '../../src/runtime/index.ts'
import { needsBatched } from './kinds.ts'

const id: PeerId = peerIdFromBytes(new Uint8Array(32).fill(1))
const target: PeerId = peerIdFromBytes(new Uint8Array(32).fill(2))
const session = sessionIdFromBytes(new Uint8Array(16).fill(3))
const sign = new Uint8Array(256).fill(4)
const stamp = { seq: 5, ts: 6 } as const
/** Each that a relay takes, and the shortest of the table. */
const MESSAGES: readonly Message[] = [
  { op_code: OP.keepAlive, id, seq: 0, ts: 0 },
  { op_code: OP.directRequest, id, target, ...stamp, sign, ext: { key: new Uint8Array(294).fill(7) } },
  { op_code: OP.punchRequest, id, target, ...stamp, sign },
  { op_code: OP.punchAck, id, session, ...stamp, sign },
  { op_code: OP.proxyRequest, id, target, ...stamp, sign },
  { op_code: OP.proxyData, id, target, session, data: new Uint8Array(9), ...stamp, sign },
  { op_code: OP.proxyDataAck, session, ...stamp },
  { op_code: OP.error, code: 1, ref_op: OP.keepAlive, ...stamp },
]
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const bytes = (first: number, length: number, second = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at === 0 ? first : at === 1 ? second : 0xee))
const json = new TextDecoder().decode(encode(MESSAGES[0] as Message, 'json'))

const COMES_IN: readonly (readonly [what: string, Uint8Array])[] = [
  ...MESSAGES.flatMap((message) =>
    (['binary', 'json'] satisfies Encoding[]).map(
      (encoding) => [`0x${message.op_code.toString(16)} in ${encoding}`, encode(message, encoding)] as const,
    ),
  ),
  ...[' ', '\t', '\r', '\n'].map(
    (space) => [`JSON with ${JSON.stringify(space)}`, ascii(json.replace('{', `{${space}`))] as const,
  ),
  ['STUN', encodeStun({ type: 'bindingRequest', transactionId: new Uint8Array(12) })],
  ['STUN of RFC 3489', encodeStun({ type: 'bindingRequest', transactionId: new Uint8Array(16) })],
  ['an empty channel frame', bytes(0xb3, CHANNEL_HEADER_BYTES)],
  ['the largest channel frame', bytes(0xb3, MAX_PROBED_DATAGRAM)],
  ['what may be a train', bytes(0xff, MAX_PROBED_DATAGRAM + 1)],
]
const STAYS_OUT: readonly (readonly [what: string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['a record', bytes(0xb2, 1200)],
  ['another first byte', bytes(0xb4, 1200)],
  ['a first byte above those of STUN', bytes(0x04, 28)],
  ['a header of STUN that is cut off', bytes(0x00, 19)],
  ['another page of op codes', bytes(0xb1, 1200, 2)],
  ['a binary message that is shorter than any', bytes(0xb1, 18)],
  ['a first byte alone', bytes(0xb1, 1)],
  ['a brace alone', bytes(0x7b, 1)],
  ['a brace before something else', bytes(0x7b, 1200, 0x30)],
  ['a channel frame that is cut off', bytes(0xb3, CHANNEL_HEADER_BYTES - 1)],
  ['as long as a datagram is, and none', bytes(0xff, MAX_PROBED_DATAGRAM)],
]

const open: (UdpSocket | Socket)[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()))
})

/** What of these comes in, one by one and in order. */
async function whatComesIn(host: string, messagesOnly: boolean, sent: readonly Uint8Array[]): Promise<string[]> {
  const socket = await openUdp({ listen: [{ host, port: 0 }], kind: 'batched', messagesOnly })
  open.push(socket)
  const last = encode({ op_code: OP.keepAlive, id: target, seq: 0, ts: 0 }, 'binary')
  const received: string[] = []
  const all = new Promise<void>((resolve) =>
    socket.onDatagrams((batch) => {
      for (const datagram of batch)
        if (Buffer.compare(datagram.bytes, last) === 0) resolve()
        else received.push(Buffer.from(datagram.bytes).toString('hex'))
    }),
  )
  const sender = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  open.push(sender)
  sender.bind(0, host)
  await once(sender, 'listening')
  const port = socket.localEndpoints[0]?.port ?? 0
  for (const datagram of [...sent, last])
    await new Promise<void>((resolve) => sender.send(datagram, port, host, () => resolve()))
  await all
  return received
}

const hex = (all: typeof COMES_IN): string[] => all.map(([, each]) => Buffer.from(each).toString('hex'))

describe.each([
  ['127.0.0.1', needsBatched],
  ['::1', { ...needsBatched, ...needsIpv6 }],
] as const)('at %s', (host, options) => {
  test('what may be a message comes in', options, async () => {
    expect(
      await whatComesIn(
        host,
        true,
        COMES_IN.map(([, each]) => each),
      ),
    ).toEqual(hex(COMES_IN))
  })

  test('what cannot be one stays out', options, async () => {
    expect(
      await whatComesIn(
        host,
        true,
        STAYS_OUT.map(([, each]) => each),
      ),
    ).toEqual([])
  })

  test('and comes in where that was not asked for', options, async () => {
    expect(
      await whatComesIn(
        host,
        false,
        STAYS_OUT.map(([, each]) => each),
      ),
    ).toEqual(hex(STAYS_OUT))
  })
})

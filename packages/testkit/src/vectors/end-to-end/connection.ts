/**
 * A whole protected connection on a direct path, datagram by datagram, as two peers with these keys
 * may send it: address validation, the handshake, a stream and a datagram, the next epoch, a path
 * challenge, the close. Every byte can be recomputed from the keys.
 */
import { CAPS, encode, type Message, OP, parsePeerId, preimage, type SignedMessage } from '@showchain/wire'
import { HANDSHAKE_KIND, splitHandshake } from '@showchain/wire/end-to-end'
import { fromHex, toHex } from '../hex.ts'
import type { VectorSigner } from '../messages.ts'
import { plainOf } from '../plain.ts'
import { sha256 } from '../sha256.ts'
import { directSession } from './direct-sessions.ts'
import { count, NOW } from './ends.ts'
import type { ConnectionFile, ConnectionStep, HandshakeVector, RecordVector, Side } from './forms.ts'
import { framesToBytes, type PlainFrame } from './plain-frames.ts'
import { epochKeys, seal } from './records.ts'

const SEQ = 0x1234_5678_9abc
const COOKIE = count(0xc0, 25)
const ROOM = 1169
const PING = '01'

const text = (words: string): string => toHex(Buffer.from(words, 'utf8'))
const ack = (lowest: number, highest: number, delay = 125): PlainFrame => ({
  type: 'ACK',
  ranges: [[lowest, highest]],
  delay,
})
const stream = (offset: number, words: string, fin = false): PlainFrame => ({
  ...{ type: 'STREAM', stream: 0, offset, fin },
  data: text(words),
})

export function connectionFile(signer: VectorSigner, handshake: HandshakeVector): ConnectionFile {
  const { steps: opening, session } = openPath(signer)
  return {
    about: 'A protected connection on a direct path: every datagram of both ends, in order, and what is in it.',
    handshake,
    session,
    steps: [...opening, ...handshakeSteps(handshake, session), ...recordSteps(handshake)],
  }
}

/** The initiator of the handshake dials the address of a ticket and is challenged. */
function openPath(signer: VectorSigner): { readonly steps: readonly ConnectionStep[]; readonly session: string } {
  const { requester, target } = signer.identities
  const [id, other] = [parsePeerId(requester.id), parsePeerId(target.id)]
  const key = fromHex(requester.spki)
  const stamp = { seq: SEQ + 1, ts: NOW + 42 }
  const signed = (role: 'requester' | 'target', message: object): Message => {
    const covered = preimage(message as SignedMessage, sha256)
    return { ...message, sign: signer.sign(role, covered) } as unknown as Message
  }
  const request = { op_code: OP.directRequest, id, target: other, seq: SEQ, ts: NOW }
  const step = (from: Side, what: string, message: Message): ConnectionStep => ({
    ...{ from, what },
    datagram: toHex(encode(message, 'binary')),
    message: plainOf(message),
  })
  return {
    steps: [
      step('initiator', 'a first contact, with its key', signed('requester', { ...request, ext: { key } })),
      step('responder', 'a challenge: the address is not validated', {
        ...{ op_code: OP.challenge, cookie: COOKIE, ref_op: OP.directRequest },
        ...{ seq: SEQ, ts: NOW },
      }),
      step(
        'initiator',
        'the request again, with the cookie',
        signed('requester', { ...request, ...stamp, ext: { key, cookie: COOKIE } }),
      ),
      step(
        'responder',
        'the answer; both ends now derive the session',
        signed('target', {
          ...{ op_code: OP.directResponse, id: other },
          ...stamp,
          ext: { key: fromHex(target.spki), caps: CAPS.directData, observed: { ip: '203.0.113.7', port: 40_000 } },
        }),
      ),
    ],
    session: directSession('', { requester: id, responder: other, ...stamp }).session,
  }
}

function handshakeSteps({ messages }: HandshakeVector, session: string): readonly ConnectionStep[] {
  const whats = new Map<number, string>([
    [HANDSHAKE_KIND.ask, 'kind 0: the larger id asks the smaller one to begin'],
    [HANDSHAKE_KIND.first, 'message 1: e'],
    [HANDSHAKE_KIND.second, 'message 2: e, ee, s, es, and the payload of the responder'],
    [HANDSHAKE_KIND.third, 'message 3: s, se, and the payload of the initiator'],
  ])
  const ask = { from: 'responder' as Side, kind: HANDSHAKE_KIND.ask, message: '' }
  return [ask, ...messages].map(({ from, kind, message }) => {
    const group = 0x5000 + kind
    const [datagram] = splitHandshake(fromHex(message), ROOM, { session: fromHex(session), kind, group })
    return {
      ...{ from, what: whats.get(kind) as string, datagram: toHex(datagram as Uint8Array) },
      part: { session, kind, index: 0, count: 1, group, bytes: message },
    }
  })
}

const GOODBYE: PlainFrame = { type: 'CONNECTION_CLOSE', code: 0, reason: 'done' }

interface Said {
  readonly from: Side
  readonly what: string
  readonly epoch?: number
  readonly frames: readonly PlainFrame[]
  /** PING, which PlainFrame leaves out. */
  readonly payload?: string
}

const SAID: readonly Said[] = [
  { from: 'responder', what: 'PING: the responder has the keys', frames: [], payload: PING },
  {
    from: 'initiator',
    what: 'the first bytes of stream 0',
    frames: [ack(0, 0), stream(0, 'What stands at the door? ')],
  },
  { from: 'initiator', what: 'the last bytes of stream 0, with FIN', frames: [stream(25, 'A friend.', true)] },
  {
    from: 'responder',
    what: 'ACK of both, and an answer on the same stream',
    frames: [ack(0, 1), stream(0, 'Come in.', true)],
  },
  {
    from: 'initiator',
    what: 'ACK and a datagram',
    frames: [ack(0, 1), { type: 'DATAGRAM', data: text('knock') }],
  },
  {
    from: 'responder',
    what: 'ACK, higher limits, and stream 3, with the name chat/1',
    frames: [
      ...[ack(0, 2), { type: 'MAX_DATA', limit: 2_097_152 } as const, { type: 'MAX_STREAMS', limit: 257 } as const],
      { type: 'STREAM', stream: 3, offset: 0, fin: false, data: `06${text('chat/1')}${text('Tea?')}` },
    ],
  },
  {
    from: 'initiator',
    what: 'two minutes later: the first record of the next epoch',
    epoch: 1,
    frames: [ack(0, 2)],
    payload: PING,
  },
  { from: 'responder', what: 'ACK; the responder still seals in epoch 0', frames: [ack(0, 3)] },
  {
    from: 'responder',
    what: 'the first record of the responder in the next epoch',
    epoch: 1,
    frames: [],
    payload: PING,
  },
  {
    from: 'initiator',
    what: 'the responder has a new address: a path challenge to it',
    epoch: 1,
    frames: [{ type: 'PATH_CHALLENGE', token: '6368616c6c656e67' }],
  },
  {
    from: 'responder',
    what: 'the path response from there',
    epoch: 1,
    frames: [{ type: 'PATH_RESPONSE', token: '6368616c6c656e67' }],
  },
  ...[1, 2, 3].map(
    (time): Said => ({ from: 'initiator', what: `CONNECTION_CLOSE, ${time} of 3`, epoch: 1, frames: [GOODBYE] }),
  ),
]

function recordSteps({ keys, initiator, responder }: HandshakeVector): readonly ConnectionStep[] {
  const chains = { initiator: epochKeys(keys.initiator, 2), responder: epochKeys(keys.responder, 2) }
  const connectionIds = { initiator: responder.connectionId, responder: initiator.connectionId }
  const next = { initiator: 0, responder: 0 }
  return SAID.map(({ from, what, epoch = 0, frames, payload = '' }) => {
    const sealed: RecordVector = seal('', chains[from][epoch] as string, {
      ...{ connectionId: connectionIds[from], epoch, number: next[from]++ },
      payload: `${toHex(framesToBytes(frames))}${payload}`,
    })
    const { number, key, nonce } = sealed
    return {
      ...{ from, what, datagram: sealed.record },
      record: { epoch, number, key, nonce, payload: sealed.payload },
      frames,
    }
  })
}

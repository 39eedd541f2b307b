/**
 * What a peer that was let in can send to make the other end compute or keep: each is as expensive
 * for its bytes as we know how to make it.
 */
import { randomBytes } from 'node:crypto'
import type { Endpoint } from '@showchain/wire'
import { CHALLENGE_BYTES, FRAME, FrameWriter, HANDSHAKE_KIND, writeHandshakePart } from '@showchain/wire/end-to-end'
import type { HostilePeer } from './hostile-peer.ts'

export interface Attack {
  readonly name: string
  /** What the application of the other end does with streams. @default 'reads' */
  readonly application?: 'reads' | 'leaves' | 'sends'
  /** Whether the hostile peer begins handshakes. @default false */
  readonly initiator?: boolean
  /** Datagrams of one virtual millisecond. @default 64 */
  readonly batch?: number
  /** Without an end. */
  datagrams(peer: HostilePeer): Generator<Sent>
}

export interface Sent {
  readonly bytes: Uint8Array
  readonly from?: Endpoint
}

/** Bytes of frames in a full record of 1200. */
const PAYLOAD = 1167
/** A little less than a stream's window. */
const SPAN = 250_000
const STREAMS = 256
/** The one that the others are compared with. */
export const HONEST = 'a stream, honest'

/** Fills a record with frames. */
function record(write: (writer: FrameWriter) => boolean): Uint8Array {
  const bytes = new Uint8Array(PAYLOAD)
  const writer = new FrameWriter()
  writer.reset(bytes, PAYLOAD)
  while (write(writer));
  return bytes.subarray(0, writer.length)
}

/** Records full of a frame of integers, each made from a number that goes up. */
function* numbers(peer: HostilePeer, frame: (index: number) => readonly number[]): Generator<Sent> {
  for (let index = 0; ; ) yield { bytes: peer.seal(record((writer) => writer.numbers(...frame(index)) && ++index > 0)) }
}

/** Records full of STREAM frames of so many bytes, each at a place of its own. */
function* pieces(
  peer: HostilePeer,
  at: (index: number) => readonly [id: number, offset: number],
  length = 1,
): Generator<Sent> {
  for (let index = 0; ; ) {
    const write = (writer: FrameWriter): boolean => {
      const [id, offset] = at(index)
      if (writer.streamCapacity(id, offset) < length) return false
      writer.stream(id, offset, length, false)
      return ++index > 0
    }
    yield { bytes: peer.seal(record(write)) }
  }
}

function* always(make: () => Sent): Generator<Sent> {
  for (;;) yield make()
}

const stream = (id: number, offset: number, length: number): Uint8Array =>
  record((writer) => writer.length === 0 && writer.stream(id, offset, length, false).length === length)

/** One after the other on the streams that the hostile peer may open. */
const streamOf = (index: number): number => 2 * index

function* acks(
  peer: HostilePeer,
  frame: (highest: number, writer: FrameWriter, index: number) => boolean,
): Generator<Sent> {
  for (let index = 0; ; ) yield { bytes: peer.seal(record((writer) => frame(peer.highest, writer, index++))) }
}

function* handshakes(peer: HostilePeer, kinds: readonly (readonly [kind: number, length: number])[]): Generator<Sent> {
  for (let index = 0; ; index++) {
    const [kind, length] = kinds[index % kinds.length] as readonly [number, number]
    const bytes = length > 0 ? randomBytes(length) : new Uint8Array(0)
    yield { bytes: writeHandshakePart({ session: peer.session, kind, index: 0, count: 1, group: index, bytes }) }
  }
}

export const ATTACKS: readonly Attack[] = [
  {
    name: HONEST,
    *datagrams(peer) {
      const length = PAYLOAD - 10
      for (let offset = 0; ; offset += length) yield { bytes: peer.seal(stream(streamOf(0), offset, length)) }
    },
  },
  {
    name: 'one byte a record',
    *datagrams(peer) {
      for (let offset = 0; ; offset++) yield { bytes: peer.seal(stream(streamOf(0), offset, 1)) }
    },
  },
  { name: 'PING alone', datagrams: (peer) => always(() => ({ bytes: peer.seal(Uint8Array.of(FRAME.ping)) })) },
  {
    name: 'records with a gap before each',
    datagrams: (peer) => always(() => ({ bytes: peer.seal(Uint8Array.of(FRAME.ping), 1) })),
  },
  { name: 'one-byte pieces, in order', datagrams: (peer) => pieces(peer, (index) => [streamOf(0), index]) },
  {
    name: 'one-byte pieces, in order, unread',
    application: 'leaves',
    datagrams: (peer) => pieces(peer, (index) => [streamOf(index % STREAMS), Math.floor(index / STREAMS)]),
  },
  {
    name: 'one-byte pieces, backwards',
    datagrams: (peer) => pieces(peer, (index) => [streamOf(0), SPAN - 1 - index]),
  },
  {
    name: 'one-byte pieces, every second',
    datagrams: (peer) => pieces(peer, (index) => [streamOf(0), 1 + 2 * (index % (SPAN / 2))]),
  },
  {
    name: 'one-byte pieces, 4,000 at a time, backwards',
    datagrams: (peer) =>
      pieces(peer, (index) => [streamOf(0), 4000 * Math.floor(index / 4000) + 3999 - (index % 4000)]),
  },
  {
    name: 'pieces of 512 bytes, backwards',
    datagrams: (peer) =>
      pieces(peer, (index) => [streamOf(Math.floor(index / 400) % STREAMS), SPAN - 600 * (1 + (index % 400))], 512),
  },
  {
    name: 'the same pieces again',
    datagrams: (peer) => pieces(peer, (index) => [streamOf(0), 1 + 2 * (index % 8000)]),
  },
  {
    name: 'pieces that overlap',
    datagrams: (peer) => pieces(peer, (index) => [streamOf(0), 1 + ((7919 * index) % (SPAN - 600))], 500),
  },
  {
    name: 'empty STREAM frames',
    datagrams: (peer) => pieces(peer, (index) => [streamOf(index % STREAMS), 0], 0),
  },
  { name: 'streams opened and reset', batch: 1, datagrams: (peer) => resets(peer) },
  {
    name: 'streams opened and left',
    application: 'leaves',
    datagrams: (peer) => numbers(peer, (index) => [FRAME.stopSending, streamOf(index % STREAMS), 1]),
  },
  {
    name: 'RESET_STREAM again and again',
    datagrams: (peer) => numbers(peer, (index) => [FRAME.resetStream, streamOf(index % STREAMS), 1, 0]),
  },
  {
    name: 'MAX_DATA, one more each',
    application: 'sends',
    datagrams: (peer) => numbers(peer, (index) => [FRAME.maxData, 2 ** 20 + index]),
  },
  {
    name: 'MAX_STREAM_DATA, one more each',
    application: 'sends',
    datagrams: (peer) => numbers(peer, (index) => [FRAME.maxStreamData, streamOf(index % STREAMS), 2 ** 18 + index]),
  },
  {
    name: 'MAX_STREAMS, one more each',
    datagrams: (peer) => numbers(peer, (index) => [FRAME.maxStreams, 256 + index]),
  },
  { name: 'empty datagrams', datagrams: (peer) => numbers(peer, () => [FRAME.datagramWithLength, 0]) },
  { name: 'PATH_CHALLENGE', datagrams: (peer) => always(() => ({ bytes: peer.seal(tokens(FRAME.pathChallenge)) })) },
  { name: 'PATH_RESPONSE', datagrams: (peer) => always(() => ({ bytes: peer.seal(tokens(FRAME.pathResponse)) })) },
  { name: 'PADDING', datagrams: (peer) => always(() => ({ bytes: peer.seal(new Uint8Array(PAYLOAD)) })) },
  { name: 'PINGs', datagrams: (peer) => numbers(peer, () => [FRAME.ping]) },
  {
    name: 'ACK of everything',
    application: 'sends',
    datagrams: (peer) => acks(peer, (highest, writer) => writer.numbers(FRAME.ack, highest, 0, 0, highest)),
  },
  {
    name: 'ACK of every second',
    application: 'sends',
    datagrams: (peer) =>
      acks(peer, (highest, writer) =>
        writer.ack(
          Array.from({ length: 64 }, (_, index) => highest - 2 * index)
            .filter((each) => each >= 0)
            .flatMap((each) => [each, each]),
          0,
        ),
      ),
  },
  {
    name: 'ACK late, of the newest',
    application: 'sends',
    datagrams: (peer) =>
      acks(peer, (highest, writer, index) =>
        writer.numbers(FRAME.ack, Math.max(0, highest - 2000 + (index % 2000)), 0, 0, 0),
      ),
  },
  {
    name: 'ACK of nothing new',
    application: 'sends',
    datagrams: (peer) => acks(peer, (_highest, writer) => writer.numbers(FRAME.ack, 0, 0, 0, 0)),
  },
  {
    name: 'gaps while a record is not acknowledged',
    application: 'sends',
    datagrams: (peer) => always(() => ({ bytes: peer.seal(Uint8Array.of(FRAME.ping), 1) })),
  },
  {
    name: 'a new address each record',
    *datagrams(peer) {
      const frame = new Uint8Array(9)
      for (let index = 0; ; index++)
        yield { bytes: peer.seal(frame), from: { ip: '81.2.0.77', port: 1024 + (index % 60_000) } }
    },
  },
  {
    name: 'handshake: message 1 again',
    initiator: true,
    *datagrams(peer) {
      const bytes = randomBytes(32)
      for (let group = 0; ; group++)
        yield {
          bytes: writeHandshakePart({
            session: peer.session,
            kind: HANDSHAKE_KIND.first,
            index: 0,
            count: 1,
            group,
            bytes,
          }),
        }
    },
  },
  {
    name: 'handshake: messages 1',
    initiator: true,
    datagrams: (peer) => handshakes(peer, [[HANDSHAKE_KIND.first, 32]]),
  },
  {
    name: 'handshake: messages 1 and 3',
    initiator: true,
    datagrams: (peer) =>
      handshakes(peer, [
        [HANDSHAKE_KIND.first, 32],
        ...Array.from({ length: 15 }, () => [HANDSHAKE_KIND.third, 64] as const),
      ]),
  },
  {
    name: 'handshake: kind 0 and messages 2',
    datagrams: (peer) =>
      handshakes(peer, [
        [HANDSHAKE_KIND.ask, 0],
        ...Array.from({ length: 15 }, () => [HANDSHAKE_KIND.second, 96] as const),
      ]),
  },
  {
    name: 'handshake: parts',
    initiator: true,
    *datagrams(peer) {
      for (let index = 0; ; index++)
        yield {
          bytes: writeHandshakePart({
            session: peer.session,
            kind: HANDSHAKE_KIND.third,
            index: index % 3,
            count: 3,
            group: Math.floor(index / 3),
            bytes: randomBytes(400),
          }),
        }
    },
  },
]

function tokens(type: typeof FRAME.pathChallenge | typeof FRAME.pathResponse): Uint8Array {
  return record((writer) => writer.token(type, randomBytes(CHALLENGE_BYTES)))
}

/** Each is over at once at both ends, so that the next ones may be opened. */
function* resets(peer: HostilePeer): Generator<Sent> {
  for (let index = 0; ; ) {
    const bytes = record((writer) => {
      if (writer.length > PAYLOAD - 40 || (writer.length > 0 && index % 96 === 0)) return false
      if (writer.length === 0 && peer.highest >= 0) writer.numbers(FRAME.ack, peer.highest, 0, 0, peer.highest)
      const id = streamOf(index++)
      return writer.numbers(FRAME.resetStream, id, 1, 0) && writer.numbers(FRAME.stopSending, id, 1)
    })
    yield { bytes: peer.seal(bytes) }
  }
}

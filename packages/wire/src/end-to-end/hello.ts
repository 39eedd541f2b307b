/**
 * The value of the `hello` extension (docs/protocol.md, Hello), and the prologue of its Noise
 * handshake:
 *
 *   cold    0x01 | flags (1) | connection id (8) | e (32)
 *   warm    0x02 | flags (1) | connection id (8) | e (32) | hint (8) | sealed early frames
 *   answer  0x01 or 0x02 | e (32) | sealed (flags (1) | connection id (8)) (25)
 *
 *   prologue  "SHOWCHAIN-P2P-v1 hello" 0x00 | first 10 bytes of the requester's value
 *             | requester id (32) | target id (32)
 *
 * Codecs only: what is sealed is sealed and opened by the Noise handshake.
 */
import { type PeerId, peerIdToBytes } from '../ids.ts'
import { KX_BYTES, MAX_HELLO_BYTES, PEER_ID_BYTES } from '../limits.ts'
import { utf8 } from '../utf8.ts'
import { FRAME, STREAM_FIN } from './frames.ts'
import { CONNECTION_ID_BYTES, TAG_BYTES } from './records.ts'

/** First byte of a hello: Noise NN, or NK with the target's static key. */
export const HELLO_KIND = { cold: 1, warm: 2 } as const
/** First bytes of SHA-256 of the target's static key. */
export const HINT_BYTES = 8

/**
 * Flags: a relay may carry records of the sender; its application asked for the connection; it knows
 * named streams.
 */
const MAY_RELAY = 1
const DIALLED = 2
const NAMED_STREAMS = 4
/** What the prologue has of the requester's value: all in front of its ephemeral key. */
const HEAD_BYTES: number = 2 + CONNECTION_ID_BYTES
const HINT_AT: number = HEAD_BYTES + KX_BYTES
const EARLY_AT: number = HINT_AT + HINT_BYTES
const OFFER_BYTES: number = 1 + CONNECTION_ID_BYTES
/** Bytes of the target's value. */
export const HELLO_ANSWER_BYTES: number = 1 + KX_BYTES + OFFER_BYTES + TAG_BYTES
/** Bytes of a warm hello without early frames. */
export const WARM_HELLO_BYTES: number = EARLY_AT + TAG_BYTES
/** Bytes of early frames that fit a warm hello. */
export const MAX_EARLY_BYTES: number = MAX_HELLO_BYTES - WARM_HELLO_BYTES

/** Early frames are one STREAM frame of the requester's first stream, without offset and length. */
export const EARLY_STREAM = 0
const EARLY_HEAD = 2

const CONTEXT = utf8('SHOWCHAIN-P2P-v1 hello\0')

/** What each end tells the other about the records to it. */
export interface HelloOffer {
  /** Whether a relay may carry records of the sender. */
  readonly mayRelay: boolean
  /** Whether the sender's application asked for the connection: a requester's did. */
  readonly dialled: boolean
  /** Whether the sender knows named streams. */
  readonly namedStreams: boolean
  /** In records to the sender; 8 bytes, not all zero. */
  readonly connectionId: Uint8Array
}

/** Message 1 of NN (cold) or NK (warm). */
export interface HelloRequest extends HelloOffer {
  /** X25519 public key of this exchange. */
  readonly ephemeral: Uint8Array
  readonly warm?: HelloEarly | undefined
}

/** What makes a hello a warm one. */
export interface HelloEarly {
  /** Which static key of the target `sealed` is for. */
  readonly hint: Uint8Array
  /** Encrypted early frames and their tag: at least 16 bytes. */
  readonly sealed: Uint8Array
}

/** Message 2: its kind may be cold where that of message 1 is warm. */
export interface HelloAnswer {
  readonly kind: (typeof HELLO_KIND)[keyof typeof HELLO_KIND]
  /** `e` and the sealed offer, as Noise has them in one message. */
  readonly message: Uint8Array
}

/** The value of the requester's `hello`. */
export function writeHelloRequest({ ephemeral, warm, ...offer }: HelloRequest): Uint8Array {
  const value = new Uint8Array(warm === undefined ? HINT_AT : EARLY_AT + warm.sealed.length)
  value[0] = warm === undefined ? HELLO_KIND.cold : HELLO_KIND.warm
  value.set(writeHelloOffer(offer), 1)
  value.set(ephemeral, HEAD_BYTES)
  if (warm !== undefined) {
    value.set(warm.hint, HINT_AT)
    value.set(warm.sealed, EARLY_AT)
  }
  return value
}

/** Copies. Undefined for another kind, another length, or a connection id of zeros. */
export function readHelloRequest(value: Uint8Array): HelloRequest | undefined {
  const [kind] = value
  const early = kind === HELLO_KIND.warm
  if (early ? value.length < EARLY_AT + TAG_BYTES : kind !== HELLO_KIND.cold || value.length !== HINT_AT)
    return undefined
  const offer = readOffer(value.slice(1, HEAD_BYTES))
  if (offer === undefined) return undefined
  const warm = early ? { hint: value.slice(HINT_AT, EARLY_AT), sealed: value.slice(EARLY_AT) } : undefined
  return { ...offer, ephemeral: value.slice(HEAD_BYTES, HINT_AT), warm }
}

/** What a requester says before it is answered: the first bytes of its first stream. */
export interface Early {
  readonly bytes: Uint8Array
  /** Whether they are all of it. */
  readonly fin: boolean
}

/** Early frames, before they are sealed (docs/protocol.md, Early frames). */
export function writeEarly({ bytes, fin }: Early): Uint8Array {
  const frames = new Uint8Array(EARLY_HEAD + bytes.length)
  frames[0] = fin ? FRAME.stream | STREAM_FIN : FRAME.stream
  frames[1] = EARLY_STREAM
  frames.set(bytes, EARLY_HEAD)
  return frames
}

/** Copies. `none`: nothing is said early. Undefined: anything else than the one frame that may be. */
export function readEarly(frames: Uint8Array): Early | 'none' | undefined {
  if (frames.length === 0) return 'none'
  const [type, stream] = frames
  if ((type !== FRAME.stream && type !== (FRAME.stream | STREAM_FIN)) || stream !== EARLY_STREAM) return undefined
  return { bytes: Uint8Array.from(frames.subarray(EARLY_HEAD)), fin: type !== FRAME.stream }
}

/** The value of the target's `hello`. */
export function writeHelloAnswer({ kind, message }: HelloAnswer): Uint8Array {
  const value = new Uint8Array(1 + message.length)
  value[0] = kind
  value.set(message, 1)
  return value
}

/** Copies. Undefined for another kind or length. */
export function readHelloAnswer(value: Uint8Array): HelloAnswer | undefined {
  const [kind] = value
  if (value.length !== HELLO_ANSWER_BYTES || (kind !== HELLO_KIND.cold && kind !== HELLO_KIND.warm)) return undefined
  return { kind, message: value.slice(1) }
}

/** The payload of message 2. */
export function writeHelloOffer({ mayRelay, dialled, namedStreams, connectionId }: HelloOffer): Uint8Array {
  const payload = new Uint8Array(OFFER_BYTES)
  payload[0] = (mayRelay ? MAY_RELAY : 0) | (dialled ? DIALLED : 0) | (namedStreams ? NAMED_STREAMS : 0)
  payload.set(connectionId, 1)
  return payload
}

/** Undefined for another length, or a connection id of zeros. */
export function readHelloOffer(payload: Uint8Array): HelloOffer | undefined {
  return payload.length === OFFER_BYTES ? readOffer(payload) : undefined
}

/** @param offer flags and connection id */
function readOffer(offer: Uint8Array): HelloOffer | undefined {
  const connectionId = offer.slice(1)
  if (connectionId.every((byte) => byte === 0)) return undefined
  const flags = offer[0] as number
  return {
    mayRelay: (flags & MAY_RELAY) !== 0,
    dialled: (flags & DIALLED) !== 0,
    namedStreams: (flags & NAMED_STREAMS) !== 0,
    connectionId,
  }
}

/**
 * The prologue of Noise NN or NK, the same at both ends.
 * @param request the value that the requester sent, also where the answer is of another kind
 */
export function helloPrologue(request: Uint8Array, requester: PeerId, target: PeerId): Uint8Array {
  const prologue = new Uint8Array(CONTEXT.length + HEAD_BYTES + 2 * PEER_ID_BYTES)
  prologue.set(CONTEXT)
  prologue.set(request.subarray(0, HEAD_BYTES), CONTEXT.length)
  prologue.set(peerIdToBytes(requester), CONTEXT.length + HEAD_BYTES)
  prologue.set(peerIdToBytes(target), CONTEXT.length + HEAD_BYTES + PEER_ID_BYTES)
  return prologue
}

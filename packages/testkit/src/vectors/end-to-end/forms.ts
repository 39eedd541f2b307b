/**
 * The contents of the vector files of the end-to-end layer (docs/protocol.md, End to end). Byte
 * strings are lower-case hex, times Unix milliseconds.
 */
import type { PlainMessage } from '../plain.ts'
import type { PlainFrame, PlainFrames } from './plain-frames.ts'

export interface RefusedBytes {
  readonly name: string
  readonly bytes: string
}

/** A certificate and its parts. */
export interface CertificateVector {
  readonly name: string
  /** The signer: a name in `identities.json`. */
  readonly identity: string
  /** The certified X25519 public key. */
  readonly staticKey: string
  readonly notBefore: number
  readonly notAfter: number
  /** The bytes that the signature covers. */
  readonly preimage: string
  /** The salt of RSASSA-PSS: fixed in vectors, random otherwise. */
  readonly salt: string
  readonly signature: string
  readonly certificate: string
}

/** `genuine`: whether the certificate proves at `unixMs` that `staticKey` belongs to `id`. */
export interface CertificateCheckVector {
  readonly name: string
  readonly certificate: string
  readonly staticKey: string
  readonly id: string
  readonly unixMs: number
  readonly genuine: boolean
}

export interface CertificateFile {
  readonly about: string
  readonly certificates: readonly CertificateVector[]
  readonly checks: readonly CertificateCheckVector[]
  /** Bytes that are not well-formed certificates. */
  readonly refused: readonly RefusedBytes[]
}

export interface DirectSessionVector {
  readonly name: string
  readonly requester: string
  readonly responder: string
  readonly seq: number
  readonly ts: number
  readonly preimage: string
  readonly session: string
}

export interface DirectSessionFile {
  readonly about: string
  readonly sessions: readonly DirectSessionVector[]
}

export interface KeyPairHex {
  readonly privateKey: string
  readonly publicKey: string
}

export type Side = 'initiator' | 'responder'

/** One end of a handshake. */
export interface EndVector {
  /** A name in `identities.json`. */
  readonly identity: string
  readonly id: string
  /** X25519. */
  readonly staticKey: KeyPairHex
  readonly ephemeralKey: KeyPairHex
  /** In records to this end. */
  readonly connectionId: string
  /** Name of its current connection with the other end, if it has one. */
  readonly current: string | null
  /** Whether it says that it knows named streams. */
  readonly namedStreams: boolean
  readonly certificate: string
}

export interface HandshakeMessageVector {
  readonly from: Side
  readonly kind: number
  /** Plaintext; empty in message 1. */
  readonly payload: string
  readonly message: string
}

export interface HandshakeVector {
  readonly name: string
  readonly initiator: EndVector
  readonly responder: EndVector
  readonly prologue: string
  /** Kinds 1, 2 and 3. */
  readonly messages: readonly HandshakeMessageVector[]
  /** Noise's handshake hash. */
  readonly hash: string
  /** Its first 16 bytes. */
  readonly connection: string
  /** The send key of each side in epoch 0. */
  readonly keys: { readonly [S in Side]: string }
}

/** A handshake message and its datagrams. */
export interface PartsVector {
  readonly name: string
  readonly session: string
  readonly kind: number
  readonly group: number
  readonly message: string
  readonly datagrams: readonly string[]
}

/** A single part. */
export interface PartVector {
  readonly name: string
  readonly datagram: string
  readonly part: PlainPart
}

export interface PlainPart {
  readonly session: string
  readonly kind: number
  readonly index: number
  readonly count: number
  readonly group: number
  readonly bytes: string
}

export interface PlainPayload {
  /** Flags: its application asked for the connection; it knows named streams. */
  readonly dialled: boolean
  readonly namedStreams: boolean
  readonly connectionId: string
  readonly current: string | null
  readonly certificate: string
}

export interface PayloadVector {
  readonly name: string
  readonly payload: string
  readonly fields: PlainPayload
  /** False: accepted, but not what a sender writes. */
  readonly canonical: boolean
}

export interface HandshakeFile {
  readonly about: string
  /** The initiator of each pair of ids. */
  readonly initiators: readonly { readonly ids: readonly [string, string]; readonly initiator: string }[]
  readonly handshakes: readonly HandshakeVector[]
  readonly payloads: readonly PayloadVector[]
  readonly refusedPayloads: readonly RefusedBytes[]
  readonly messagesInParts: readonly PartsVector[]
  readonly parts: readonly PartVector[]
  readonly refusedParts: readonly RefusedBytes[]
}

/** One end of a hello. */
export interface HelloVectorEnd {
  /** A name in `identities.json`. */
  readonly identity: string
  readonly id: string
  /** X25519, of this exchange. */
  readonly ephemeralKey: KeyPairHex
  /** In records to this end. */
  readonly connectionId: string
  /** Whether a relay may carry its records. */
  readonly mayRelay: boolean
  /** Whether its application asked for the connection. */
  readonly dialled: boolean
  /** Whether it knows named streams. */
  readonly namedStreams: boolean
}

export interface HelloVector {
  readonly name: string
  readonly requester: HelloVectorEnd
  readonly target: HelloVectorEnd & { readonly staticKey: KeyPairHex }
  /** Early frames of a warm hello, before they are sealed; null in a cold one. */
  readonly early: string | null
  /** Whether the target still had the static key: else it answers by kind 1. */
  readonly opened: boolean
  readonly prologue: string
  /** The value of `hello` in 0x101, 0x111 and 0x112. */
  readonly request: string
  /** The value of `hello` in 0x102, 0x114 and 0x115. */
  readonly answer: string
  /** Noise's handshake hash. */
  readonly hash: string
  /** Its first 16 bytes. */
  readonly connection: string
  /** The send key of each end in epoch 0. */
  readonly keys: { readonly requester: string; readonly target: string }
}

export interface HelloFile {
  readonly about: string
  readonly hellos: readonly HelloVector[]
  readonly refusedRequests: readonly RefusedBytes[]
  /** Requests whose early frames are of another form: they are answered without a hello. */
  readonly refusedEarly: readonly (RefusedBytes & { readonly early: string })[]
  readonly refusedAnswers: readonly RefusedBytes[]
}

export interface RecordVector {
  readonly name: string
  /** Of the receiver. */
  readonly connectionId: string
  readonly epoch: number
  readonly number: number
  /** The key of this epoch. */
  readonly key: string
  readonly header: string
  readonly nonce: string
  readonly payload: string
  readonly record: string
}

/** Records in the order in which one receiver gets them. */
export interface RecordSequenceVector {
  readonly name: string
  /** The receive key of epoch 0. */
  readonly key: string
  /** `payload` is null if the record is refused. */
  readonly records: readonly { readonly what: string; readonly record: string; readonly payload: string | null }[]
}

export interface RecordFile {
  readonly about: string
  /** The keys of one direction by epoch, each the REKEY of the previous. */
  readonly epochKeys: readonly string[]
  readonly records: readonly RecordVector[]
  /** Records that `key` does not open. */
  readonly refused: readonly { readonly name: string; readonly key: string; readonly record: string }[]
  readonly sequences: readonly RecordSequenceVector[]
  readonly channelFrames: readonly {
    readonly name: string
    readonly session: string
    readonly bytes: string
    readonly frame: string
  }[]
}

export interface FramesVector extends PlainFrames {
  readonly name: string
  readonly payload: string
  /** False: accepted, but this project encodes the frames differently. */
  readonly canonical: boolean
}

export interface FrameFile {
  readonly about: string
  readonly varints: readonly { readonly bytes: string; readonly value: number; readonly shortest: boolean }[]
  readonly refusedVarints: readonly RefusedBytes[]
  readonly payloads: readonly FramesVector[]
  readonly refused: readonly RefusedBytes[]
}

/** A datagram of a connection, and its content. */
export type ConnectionStep = {
  readonly from: Side
  readonly what: string
  readonly datagram: string
} & (
  | { readonly message: PlainMessage }
  | { readonly part: PlainPart }
  | {
      readonly record: Pick<RecordVector, 'epoch' | 'number' | 'key' | 'nonce' | 'payload'>
      readonly frames: readonly PlainFrame[]
    }
)

/** A whole protected connection on a direct path, datagram by datagram. */
export interface ConnectionFile {
  readonly about: string
  readonly handshake: HandshakeVector
  /** Derived from the answered 0x101. */
  readonly session: string
  readonly steps: readonly ConnectionStep[]
}

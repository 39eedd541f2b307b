/**
 * Conformance operations of the end-to-end layer (docs/protocol.md, End to end). Byte strings are
 * hex.
 */
import type { PlainPart, PlainPayload, Side } from '../vectors/end-to-end/forms.ts'
import type { PlainFrame, PlainFrames } from '../vectors/end-to-end/plain-frames.ts'

/** The fields of a certificate. */
export interface PlainCertificate {
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** SPKI. */
  readonly key: string
  readonly signature: string
}

/** One end of a handshake, with the messages that it received. */
export interface HandshakeInput {
  readonly side: Side
  /** An id. */
  readonly initiator: string
  readonly responder: string
  /** X25519 private keys of this end. */
  readonly staticKey: string
  readonly ephemeralKey: string
  /** Of this end's message 2 or 3. */
  readonly payload: string
  /** Messages of the other end: the first, then also the second. */
  readonly received: readonly string[]
}

/** What one end of a handshake has by then. */
export interface HandshakeOutcome {
  /** The messages that this end can write by then. */
  readonly sent: readonly string[]
  /** The payload of each message received. */
  readonly payloads: readonly string[]
  /** The remote end's X25519 public key, once it is known. */
  readonly remoteStaticKey: string | null
  /** The result, once all three messages are there. */
  readonly done: { readonly hash: string; readonly sendKey: string; readonly receiveKey: string } | null
}

/** What an end says of itself in a hello. */
export interface PlainOffer {
  readonly mayRelay: boolean
  readonly dialled: boolean
  readonly namedStreams: boolean
  readonly connectionId: string
}

/** The requester's end of a hello. */
export interface HelloInput extends PlainOffer {
  /** Ids. */
  readonly requester: string
  readonly target: string
  /** X25519 private key of this exchange. */
  readonly ephemeralKey: string
  /** X25519 public key of the target; null: the hello is a cold one. */
  readonly targetKey: string | null
  /** Early frames, which may be empty. */
  readonly early: string
}

/** The keys of a hello, and what the other end said in it. */
export interface HelloOutcome {
  readonly remote: PlainOffer
  readonly hash: string
  readonly sendKey: string
  readonly receiveKey: string
}

/** The fields of a record, and what it carries. */
export interface PlainRecord {
  readonly connectionId: string
  readonly epoch: number
  readonly number: number
  readonly payload: string
}

/** Operations of the end-to-end layer, with input and result. */
export interface EndToEndOperations {
  /** The session that both ends derive from an answered 0x101. */
  directSession: {
    input: { readonly requester: string; readonly responder: string; readonly seq: number; readonly ts: number }
    result: string
  }
  /** Which of two ids is the initiator. */
  initiator: { input: { readonly ids: readonly [string, string] }; result: string }
  /** Runs one end; null if a message that it received is not authentic. */
  handshake: { input: HandshakeInput; result: HandshakeOutcome | null }
  /** The value of the requester's hello. */
  writeHello: { input: HelloInput; result: string }
  /**
   * The target's answer, with its keys and what the requester said early. Null if it can give none. `staticKey` is
   * the X25519 private key that the target has by now.
   */
  answerHello: {
    input: PlainOffer & {
      readonly requester: string
      readonly target: string
      readonly hello: string
      readonly ephemeralKey: string
      readonly staticKey: string
    }
    result:
      | (HelloOutcome & {
          readonly answer: string
          readonly early: { readonly data: string; readonly fin: boolean } | null
        })
      | null
  }
  /** The requester's keys. Null if the answer is not authentic. */
  readHelloAnswer: { input: HelloInput & { readonly answer: string }; result: HelloOutcome | null }
  writeHandshakePayload: { input: PlainPayload; result: string }
  readHandshakePayload: { input: { readonly payload: string }; result: PlainPayload | null }
  writeHandshakePart: { input: PlainPart; result: string }
  readHandshakePart: { input: { readonly datagram: string }; result: PlainPart | null }
  writeCertificate: { input: PlainCertificate; result: string }
  readCertificate: { input: { readonly certificate: string }; result: PlainCertificate | null }
  certificatePreimage: {
    input: { readonly staticKey: string; readonly notBefore: number; readonly notAfter: number }
    result: string
  }
  /**
   * A certificate signed by a private key in PKCS#8 PEM. Any salt is right; the signature is
   * verified.
   */
  certify: {
    input: {
      readonly staticKey: string
      readonly notBefore: number
      readonly notAfter: number
      readonly privateKey: string
    }
    result: string
  }
  /** Whether a certificate proves at `unixMs` that an X25519 key belongs to an id. */
  checkCertificate: {
    input: { readonly certificate: string; readonly staticKey: string; readonly id: string; readonly unixMs: number }
    result: boolean
  }
  /** `key` is that of the epoch. */
  sealRecord: { input: PlainRecord & { readonly key: string }; result: string }
  /** Independent of other records; null if it is not authentic. */
  openRecord: { input: { readonly key: string; readonly record: string }; result: PlainRecord | null }
  /** The key of the next epoch. */
  rekey: { input: { readonly key: string }; result: string }
  /**
   * Opens records in order of arrival with one receiver: each payload, or null where it is refused.
   */
  receiveRecords: {
    /** `key` is that of epoch 0. */
    input: { readonly key: string; readonly records: readonly string[] }
    result: readonly (string | null)[]
  }
  writeChannelFrame: { input: { readonly session: string; readonly bytes: string }; result: string }
  /** Whose stream an id is, where both ends know named streams. */
  readStreamId: {
    input: { readonly id: number }
    result: { readonly opener: Side; readonly named: boolean; readonly index: number }
  }
  /** How the data of a stream with this name begins. */
  writeStreamName: { input: { readonly protocol: string }; result: string }
  /** All data of a named stream: its name and the rest. Null if it does not begin with a name. */
  readStreamName: {
    input: { readonly bytes: string }
    result: { readonly protocol: string; readonly data: string } | null
  }
  /** Null if a frame is unknown, malformed or truncated. */
  readFrames: { input: { readonly payload: string }; result: PlainFrames | null }
  /** The bytes of frames. Any form that reads as the same frames is right. */
  writeFrames: { input: { readonly frames: readonly PlainFrame[] }; result: string }
}

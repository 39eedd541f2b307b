/**
 * What the conformance runner asks of the end-to-end layer (docs/protocol.md, End to end). Byte
 * strings are hex.
 */
import type { PlainPart, PlainPayload, Side } from '../vectors/end-to-end/forms.ts'
import type { PlainFrame, PlainFrames } from '../vectors/end-to-end/plain-frames.ts'

export interface PlainCertificate {
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** SPKI. */
  readonly key: string
  readonly signature: string
}

/** One end of a handshake, with all that it received. */
export interface HandshakeInput {
  readonly side: Side
  /** Ids. */
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

export interface HandshakeOutcome {
  /** Messages of this end, as far as it can write them. */
  readonly sent: readonly string[]
  /** The payload of each message received. */
  readonly payloads: readonly string[]
  /** The other end's X25519 key, once a message has shown it. */
  readonly remoteStaticKey: string | null
  /** When this end has all three messages. */
  readonly done: { readonly hash: string; readonly sendKey: string; readonly receiveKey: string } | null
}

export interface PlainRecord {
  readonly connectionId: string
  readonly epoch: number
  readonly number: number
  readonly payload: string
}

export interface EndToEndOperations {
  /** The session that both ends derive from a 0x101 that was answered. */
  directSession: {
    input: { readonly requester: string; readonly responder: string; readonly seq: number; readonly ts: number }
    result: string
  }
  /** Which of two ids is the initiator. */
  initiator: { input: { readonly ids: readonly [string, string] }; result: string }
  /** The messages of one end; null when one that it received is not genuine. */
  handshake: { input: HandshakeInput; result: HandshakeOutcome | null }
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
  /** Whether a certificate proves at a time that an X25519 key is a key of an id. */
  checkCertificate: {
    input: { readonly certificate: string; readonly staticKey: string; readonly id: string; readonly unixMs: number }
    result: boolean
  }
  /** @param input.key that of the epoch. */
  sealRecord: { input: PlainRecord & { readonly key: string }; result: string }
  /** Without a memory of other records; null when it is not genuine. */
  openRecord: { input: { readonly key: string; readonly record: string }; result: PlainRecord | null }
  /** The key of the next epoch. */
  rekey: { input: { readonly key: string }; result: string }
  /**
   * What a receiver makes of records that come one after the other: each payload, or null where it
   * refuses.
   */
  receiveRecords: {
    /** @param key that of epoch 0. */
    input: { readonly key: string; readonly records: readonly string[] }
    result: readonly (string | null)[]
  }
  writeChannelFrame: { input: { readonly session: string; readonly bytes: string }; result: string }
  /** Null when the payload is not made of whole frames that are known. */
  readFrames: { input: { readonly payload: string }; result: PlainFrames | null }
  /** The bytes of frames. Any form that reads as the same frames is right. */
  writeFrames: { input: { readonly frames: readonly PlainFrame[] }; result: string }
}

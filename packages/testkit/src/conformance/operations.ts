/**
 * Conformance operations: functions from JSON to JSON, called in the same process or over the line
 * protocol. Byte strings are hex, messages are plain objects, and `null` means refused.
 */
import type { Encoding } from '@showchain/wire'
import type { AddressVector, TicketVector, WebSocketVector } from '../vectors/files.ts'
import type { PlainMessage } from '../vectors/plain.ts'
import type { EndToEndOperations } from './end-to-end-operations.ts'

/** An endpoint as JSON. */
export interface PlainEndpoint {
  readonly ip: string
  readonly port: number
}
/** A ticket as JSON. */
export interface PlainTicket {
  readonly id: string
  readonly relays: TicketVector['relays']
  readonly addresses: readonly AddressVector[]
  readonly mailbox?: string | undefined
  readonly permit?: string | undefined
  readonly websocket?: WebSocketVector | undefined
}

/** Each operation's input and result. */
export interface Operations extends EndToEndOperations {
  /** Reads a datagram. Strict mode refuses JSON members that are neither fields nor extensions. */
  decode: { input: { readonly datagram: string; readonly strict: boolean }; result: PlainMessage | null }
  /** Writes a message; null if it does not fit one datagram. */
  encode: { input: { readonly message: PlainMessage; readonly encoding: Encoding }; result: string | null }
  /** The bytes that the signature of a message covers. */
  preimage: { input: { readonly message: PlainMessage }; result: string | null }
  /** Whether a message is signed by a key (SPKI). False if the import policy refuses the key. */
  verify: { input: { readonly message: PlainMessage; readonly key: string }; result: boolean }
  /** The signature of an unsigned message, by a private key in PKCS#8 PEM. */
  sign: { input: { readonly message: PlainMessage; readonly privateKey: string }; result: string }
  /** The id of a public key (SPKI); null if the import policy refuses it. */
  peerId: { input: { readonly key: string }; result: string | null }
  /** The 32 bytes of an id. */
  parseId: { input: { readonly text: string }; result: string | null }
  parseEndpoint: { input: { readonly text: string }; result: PlainEndpoint | null }
  formatEndpoint: { input: PlainEndpoint; result: string }
  parseTicket: { input: { readonly text: string }; result: PlainTicket | null }
  formatTicket: { input: PlainTicket; result: string }
}
/** Names of the operations. */
export type Operation = keyof Operations

const ALL: { readonly [Name in Operation]: true } = {
  decode: true,
  encode: true,
  preimage: true,
  verify: true,
  sign: true,
  peerId: true,
  parseId: true,
  parseEndpoint: true,
  formatEndpoint: true,
  parseTicket: true,
  formatTicket: true,
  directSession: true,
  initiator: true,
  handshake: true,
  writeHello: true,
  answerHello: true,
  readHelloAnswer: true,
  writeHandshakePayload: true,
  readHandshakePayload: true,
  writeHandshakePart: true,
  readHandshakePart: true,
  writeCertificate: true,
  readCertificate: true,
  certificatePreimage: true,
  certify: true,
  checkCertificate: true,
  sealRecord: true,
  openRecord: true,
  rekey: true,
  receiveRecords: true,
  writeChannelFrame: true,
  readStreamId: true,
  writeStreamName: true,
  readStreamName: true,
  readFrames: true,
  writeFrames: true,
}
/** The names of all operations. */
export const OPERATIONS = Object.keys(ALL) as readonly Operation[]

/** An implementation of all of these operations. */
export type Implementing<Each> = {
  readonly [Name in keyof Each]: Each[Name] extends { input: infer Input; result: infer Result }
    ? (input: Input) => Result | Promise<Result>
    : never
}
/** An implementation of some or all operations; absent ones are skipped. */
export type Implementation = Partial<Implementing<Operations>>

/** An input of an operation, with the expected result. */
export type Check = {
  readonly [Name in Operation]: {
    readonly vector: string
    readonly operation: Name
    readonly input: Operations[Name]['input']
    readonly expected: Operations[Name]['result']
  }
}[Operation]

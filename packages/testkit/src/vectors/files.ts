/**
 * The golden vectors as files: their contents, and how they are read. The files are JSON, for any
 * language; byte strings are lower-case hex, messages are in their JSON encoding.
 */
import { readFileSync } from 'node:fs'
import type {
  CertificateFile,
  ConnectionFile,
  DirectSessionFile,
  FrameFile,
  HandshakeFile,
  HelloFile,
  RecordFile,
} from './end-to-end/forms.ts'
import type { NamedStreamFile } from './end-to-end/named-streams.ts'
import type { PlainMessage } from './plain.ts'

export type Role = 'requester' | 'target' | 'relay'
export const KEY_SIZES = [2048, 3072, 4096] as const
export type KeySize = (typeof KEY_SIZES)[number]

/** A test identity. Its private key is public, so that other implementations can sign. */
export interface IdentityVector {
  readonly name: string
  readonly role: Role
  readonly bits: KeySize
  readonly id: string
  /** DER SubjectPublicKeyInfo. */
  readonly spki: string
  /** PKCS#8 PEM. */
  readonly privateKey: string
}

/** An identity whose key the import policy refuses. */
export interface RefusedIdentity {
  readonly name: string
  readonly reason: string
  readonly id: string
  readonly spki: string
  readonly privateKey: string
}

/** A public key that the import policy refuses. */
export interface RefusedKeyVector {
  readonly name: string
  readonly reason: string
  readonly spki: string
  /** A message whose signature the key verifies, and whose id is the hash of `spki`. */
  readonly message?: PlainMessage
}

/** A message in both encodings. */
export interface MessageVector {
  readonly name: string
  readonly description: string
  /** The members of the JSON encoding. */
  readonly message: PlainMessage
  /** The identity that signed it; absent for an unsigned message. */
  readonly signer?: string
  /** The bytes that the signature covers; absent for an unsigned message. */
  readonly preimage?: string
  /** The binary datagram. */
  readonly binary: string
  /** The JSON datagram as this project encodes it; white space and order of members are free. */
  readonly json: string
  /** Whether the JSON datagram fits 1200 bytes. A longer one is never sent, and refused. */
  readonly jsonFits: boolean
}

/** A datagram that every decoder refuses. */
export interface RefusedVector {
  readonly name: string
  readonly datagram: string
  /** For people and counters; implementations need not name it alike. */
  readonly reason: string
  /** Absent: refused always. True: refused in strict mode only. */
  readonly strictOnly?: true
}

/** A JSON datagram that this project would encode differently, and its message. */
export interface AcceptedVector {
  readonly name: string
  readonly datagram: string
  readonly message: PlainMessage
  /** Whether strict mode refuses it. */
  readonly strictOnlyRefused?: true
}

/** An endpoint in texts. */
export interface EndpointVector {
  readonly text: string
  readonly ip: string
  readonly port: number
  /** The canonical text. */
  readonly canonical: string
}

export interface AddressVector {
  readonly host: string
  readonly port: number
}

/** Where a relay takes WebSocket connections: `via`. */
export interface WebSocketVector {
  readonly tls: boolean
  readonly port: number
}

/** A ticket, its parts, and its canonical text. */
export interface TicketVector {
  readonly text: string
  readonly id: string
  readonly relays: readonly {
    readonly id: string
    readonly address: AddressVector
    readonly websocket?: WebSocketVector | undefined
  }[]
  readonly addresses: readonly AddressVector[]
  readonly mailbox?: string
  readonly permit?: string
  readonly websocket?: WebSocketVector
  readonly canonical: string
}

export interface RefusedText {
  readonly text: string
  readonly reason: string
}

/** Ids, endpoints and tickets, valid and malformed. */
export interface TextVectors {
  readonly about: string
  /** 32 bytes each, in both forms. */
  readonly ids: readonly { readonly bytes: string; readonly text: string }[]
  readonly refusedIds: readonly RefusedText[]
  readonly endpoints: readonly EndpointVector[]
  readonly refusedEndpoints: readonly RefusedText[]
  readonly tickets: readonly TicketVector[]
  readonly refusedTickets: readonly RefusedText[]
}

/** The contents of each file. */
export interface VectorFiles {
  readonly 'identities.json': {
    readonly about: string
    readonly identities: readonly IdentityVector[]
    readonly refused: readonly RefusedIdentity[]
  }
  readonly 'refused-keys.json': { readonly about: string; readonly keys: readonly RefusedKeyVector[] }
  readonly 'messages-2048.json': MessageFile
  readonly 'messages-3072.json': MessageFile
  readonly 'messages-4096.json': MessageFile
  readonly 'refused.json': { readonly about: string; readonly refused: readonly RefusedVector[] }
  readonly 'accepted.json': { readonly about: string; readonly accepted: readonly AcceptedVector[] }
  readonly 'text.json': TextVectors
  readonly 'certificate.json': CertificateFile
  readonly 'connection.json': ConnectionFile
  readonly 'direct-session.json': DirectSessionFile
  readonly 'frames.json': FrameFile
  readonly 'handshake.json': HandshakeFile
  readonly 'hello.json': HelloFile
  readonly 'named-streams.json': NamedStreamFile
  readonly 'records.json': RecordFile
}
export interface MessageFile {
  readonly about: string
  readonly messages: readonly MessageVector[]
}
/** Names of the vector files. */
export type VectorFileName = keyof VectorFiles

/** The folder of the files, relative to `src/vectors` and to `dist/vectors`. */
export const VECTOR_FOLDER: URL = new URL('../../vectors/', import.meta.url)

/** The contents of a vector file of this package. */
export function readVectors<Name extends VectorFileName>(name: Name): VectorFiles[Name] {
  return JSON.parse(readFileSync(new URL(name, VECTOR_FOLDER), 'utf8')) as VectorFiles[Name]
}

/** The messages of every key size. */
export const readMessages = (): readonly MessageVector[] =>
  KEY_SIZES.flatMap((bits) => readVectors(`messages-${bits}.json`).messages)

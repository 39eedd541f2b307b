/**
 * Proxied data (0x123) as it lies in its datagram. A binary one without extension fields, which is
 * nearly all of them, is looked at in place and passed on by a copy of its front:
 *
 *   0xB1 | 0x123 | target id data session seq ts | sign          as it comes
 *   0xB1 | 0x124 | target id data session seq ts                 as it goes
 *
 * Anything else is decoded and encoded again.
 */
import { type CryptoProvider, messagePreimage } from '@showchain/crypto/core'
import {
  BINARY_BYTE,
  decode,
  type Encoding,
  encode,
  FIELDS,
  type FieldName,
  type MessageOf,
  MessageView,
  OP,
  PEER_ID_BYTES,
  type PeerId,
  peerIdFromBytes,
  rewriteOp,
  rowOf,
  type SessionId,
} from '@showchain/wire'
import type { SessionEnd } from './proxy-session-table.ts'

export interface DataPacket {
  readonly encoding: Encoding
  readonly session: SessionId
  readonly seq: number
  readonly ts: number
  readonly sign: Uint8Array
  /** Who says that it sent it. */
  readonly id: PeerId
  isBetween(sender: SessionEnd, receiver: SessionEnd): boolean
  preimage(provider: CryptoProvider, sender: SessionEnd, receiver: SessionEnd): Uint8Array
  /**
   * What tells a repetition from another packet with the same number: the front of the signature,
   * which only its signer can make, or the hash of the datagram when it carries extension fields,
   * since those are passed on too.
   */
  proof(provider: CryptoProvider): Uint8Array
  /** The 0x124. @throws ShowchainError `ERR_TOO_LARGE` */
  forwarded(encoding: Encoding): Uint8Array
}

type ProxyData = MessageOf<typeof OP.proxyData>

const FIELD_NAMES: readonly FieldName[] = rowOf(OP.proxyData)?.fields ?? []
const TARGET = FIELD_NAMES.indexOf('target')
const ID = FIELD_NAMES.indexOf('id')
const SESSION = FIELD_NAMES.indexOf('session')
const SEQ = FIELD_NAMES.indexOf('seq')
const TS = FIELD_NAMES.indexOf('ts')
const SIGN = FIELD_NAMES.indexOf('sign')
/** As hard to guess as a hash, and small enough to be kept for every packet on its way. */
const PROOF_BYTES = 32
const NO_DATA = new Uint8Array(0)

/** Reused: a packet takes from it at once what it needs later. */
const view = new MessageView()

/** The packet, when the datagram is a binary 0x123 without extension fields and of a right size. */
export function viewData(bytes: Uint8Array): DataPacket | undefined {
  if (bytes[0] !== BINARY_BYTE || bytes[1] !== OP.proxyData >> 8 || bytes[2] !== (OP.proxyData & 0xff)) return undefined
  if (!view.parse(bytes) || view.end !== bytes.length) return undefined
  const packet = new BinaryData(view)
  return packet.isToItself ? undefined : packet
}

const equalAt = (bytes: Uint8Array, at: number, expected: Uint8Array): boolean => {
  for (let index = 0; index < expected.length; index++) if (bytes[at + index] !== expected[index]) return false
  return true
}

class BinaryData implements DataPacket {
  readonly encoding = 'binary'
  readonly session: SessionId
  readonly seq: number
  readonly ts: number
  readonly sign: Uint8Array
  readonly #bytes: Uint8Array
  readonly #target: number
  readonly #id: number
  readonly #end: number

  constructor(at: MessageView) {
    const { bytes } = at
    this.#bytes = bytes
    this.#target = at.startOf(TARGET)
    this.#id = at.startOf(ID)
    this.#end = at.endOf(TS)
    this.session = FIELDS.session.read(bytes, at.startOf(SESSION), at.endOf(SESSION))
    this.seq = FIELDS.seq.read(bytes, at.startOf(SEQ), at.endOf(SEQ))
    this.ts = FIELDS.ts.read(bytes, at.startOf(TS), at.endOf(TS))
    this.sign = FIELDS.sign.read(bytes, at.startOf(SIGN), at.endOf(SIGN))
  }

  get id(): PeerId {
    return peerIdFromBytes(this.#idBytes)
  }

  /** The row forbids it: the decoder refuses such a message. */
  get isToItself(): boolean {
    return equalAt(this.#bytes, this.#target, this.#idBytes)
  }

  get #idBytes(): Uint8Array {
    return this.#bytes.subarray(this.#id, this.#id + PEER_ID_BYTES)
  }

  isBetween(sender: SessionEnd, receiver: SessionEnd): boolean {
    return equalAt(this.#bytes, this.#id, sender.idBytes) && equalAt(this.#bytes, this.#target, receiver.idBytes)
  }

  preimage(provider: CryptoProvider, sender: SessionEnd, receiver: SessionEnd): Uint8Array {
    const { session, seq, ts } = this
    return messagePreimage(provider, {
      op_code: OP.proxyData,
      target: receiver.id,
      id: sender.id,
      data: NO_DATA,
      session,
      seq,
      ts,
    })
  }

  proof(): Uint8Array {
    return this.sign.slice(0, PROOF_BYTES)
  }

  forwarded(encoding: Encoding): Uint8Array {
    // A copy: the sender may hold and send the same buffer again.
    const front = this.#bytes.slice(0, this.#end)
    rewriteOp(front, OP.proxyPassData)
    if (encoding === 'binary') return front
    const decoded = decode(front)
    return decoded.ok ? encode(decoded.message, encoding) : NO_DATA
  }
}

/** A packet that was decoded: JSON, or with extension fields. */
export class DecodedData implements DataPacket {
  readonly encoding: Encoding
  readonly #message: ProxyData
  readonly #bytes: Uint8Array

  constructor(message: ProxyData, encoding: Encoding, bytes: Uint8Array) {
    this.#message = message
    this.encoding = encoding
    this.#bytes = bytes
  }

  get session(): SessionId {
    return this.#message.session
  }

  get seq(): number {
    return this.#message.seq
  }

  get ts(): number {
    return this.#message.ts
  }

  get sign(): Uint8Array {
    return this.#message.sign
  }

  get id(): PeerId {
    return this.#message.id
  }

  isBetween(sender: SessionEnd, receiver: SessionEnd): boolean {
    return this.#message.id === sender.id && this.#message.target === receiver.id
  }

  preimage(provider: CryptoProvider): Uint8Array {
    return messagePreimage(provider, this.#message)
  }

  proof(provider: CryptoProvider): Uint8Array {
    return this.#message.ext === undefined ? this.sign.slice(0, PROOF_BYTES) : provider.sha256(this.#bytes)
  }

  forwarded(encoding: Encoding): Uint8Array {
    const { sign: _sign, ...fields } = this.#message
    return encode({ ...fields, op_code: OP.proxyPassData }, encoding)
  }
}

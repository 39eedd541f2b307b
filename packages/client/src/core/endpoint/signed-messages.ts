/** Encoding, signing and verifying messages, for peers and relays. RSA is work of the driver's. */
import { type CryptoProvider, messagePreimage, type PublicKey } from '@showchain/crypto/core'
import {
  type Encoding,
  encode,
  encodedLength,
  MAX_DATAGRAM,
  type Message,
  OP,
  type PeerId,
  ShowchainError,
  type SignedMessage,
  type Unsigned,
} from '@showchain/wire'
import type { Instant, Route } from './machine.ts'
import type { Outbox } from './outbox.ts'

/** Dependencies of `sign` and `verify`. */
export interface Signing {
  readonly provider: CryptoProvider
  readonly outbox: Pick<Outbox<unknown>, 'sign' | 'verify'>
  readonly count: (name: 'signShed' | 'verifyShed' | 'badSignature') => void
}

/**
 * Messages whose receiver may have the original sender's key: a relay has that of whom it registered,
 * and adds it to what it passes on.
 */
const KEY_IS_KNOWN: readonly number[] = [OP.punchRequest, OP.punchPassRequest, OP.punchAck, OP.punchPassAck]

/**
 * The datagram, or undefined when it does not fit one. Fields outside the signature are left out
 * first: `local`, then a `key` that a relay has or added (docs/protocol.md, Encoding of answers, and size).
 */
export function encodeFitting(message: Message, encoding: Encoding): Uint8Array | undefined {
  const { ext } = message
  const candidates = [message]
  if (ext?.local !== undefined) candidates.push({ ...message, ext: { ...ext, local: undefined } })
  if (ext?.key !== undefined && KEY_IS_KNOWN.includes(message.op_code))
    candidates.push({ ...message, ext: { ...ext, local: undefined, key: undefined } })
  for (const candidate of candidates) {
    const bytes = encodeWhole(candidate, encoding)
    if (bytes !== undefined) return bytes
  }
  return undefined
}

/**
 * Bytes of the datagram that a message takes with a signature of this length, without `local`, which
 * may be left out; undefined: it does not fit one.
 */
export function signedLength(message: Unsigned, signatureLength: number, encoding: Encoding): number | undefined {
  const { ext } = message
  const signed = { ...message, ext: { ...ext, local: undefined }, sign: new Uint8Array(signatureLength) }
  const length = encodedLength(signed as Message, encoding)
  return length > MAX_DATAGRAM ? undefined : length
}

function encodeWhole(message: Message, encoding: Encoding): Uint8Array | undefined {
  try {
    return encode(message, encoding)
  } catch (error) {
    // The values were decoded or made here, so only the size can be wrong.
    if (!(error instanceof ShowchainError) || error.code !== 'ERR_TOO_LARGE') throw error
    return undefined
  }
}

/** Dependencies of `sendMessage`. */
export interface Sending {
  readonly outbox: Pick<Outbox<unknown>, 'transmit'>
  readonly count: (name: 'tooLarge') => void
}

/** The datagram, or undefined (counted) when the message does not fit one. */
export function encodeCounted(
  { count }: Pick<Sending, 'count'>,
  message: Message,
  encoding: Encoding,
): Uint8Array | undefined {
  const bytes = encodeFitting(message, encoding)
  if (bytes === undefined) count('tooLarge')
  return bytes
}

/** Encodes and transmits; nothing when the message does not fit a datagram in this encoding. */
export function sendMessage(sending: Sending, to: Route, message: Message, encoding: Encoding): void {
  const bytes = encodeCounted(sending, message, encoding)
  if (bytes !== undefined) sending.outbox.transmit(to, bytes)
}

/** A 0x100: it keeps a path alive, or asks whether there is one. @param id of this node */
export function sendKeepAlive(sending: Sending, id: PeerId, to: Route, encoding: Encoding): void {
  sendMessage(sending, to, { op_code: OP.keepAlive, id, seq: 0, ts: 0 }, encoding)
}

/**
 * Signs a message. `done` gets it with its signature, or undefined (counted) when the signing queue
 * was full.
 */
export function sign<U extends Unsigned>(
  { provider, outbox, count }: Signing,
  unsigned: U,
  done: (message: (U & { readonly sign: Uint8Array }) | undefined, now: Instant) => void,
): void {
  outbox.sign(messagePreimage(provider, unsigned), (signature, now) => {
    if (signature === undefined) count('signShed')
    done(signature === undefined ? undefined : { ...unsigned, sign: signature }, now)
  })
}

/** Signs a message and sends it once, even if the peer is closed meanwhile. Nobody learns whether it was. */
export function sendLast(sending: Signing & Sending, to: Route, unsigned: Unsigned, encoding: Encoding): void {
  const resume = (signature: Uint8Array | undefined): void => {
    if (signature === undefined) return sending.count('signShed')
    sendMessage(sending, to, { ...unsigned, sign: signature } as Message, encoding)
  }
  sending.outbox.sign(messagePreimage(sending.provider, unsigned), resume, true)
}

/**
 * Verifies a signature. `done` gets false (counted) for a bad one and when the verification queue
 * was full.
 */
export function verify(
  { provider, outbox, count }: Signing,
  key: PublicKey,
  message: SignedMessage | Unsigned,
  signature: Uint8Array,
  done: (valid: boolean, now: Instant) => void,
): void {
  outbox.verify(key, messagePreimage(provider, message), signature, (valid, now) => {
    if (valid !== true) count(valid === undefined ? 'verifyShed' : 'badSignature')
    done(valid === true, now)
  })
}

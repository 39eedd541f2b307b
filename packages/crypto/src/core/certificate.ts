/**
 * Who an X25519 key belongs to: the RSA identity signs it, with RSA-PSS and a context of its own, for at most 7 days.
 *
 *   not before (8, Unix ms) | not after (8) | length (2), SPKI DER of the identity | signature
 */

const DAY = 24 * 60 * 60 * 1000
/** docs/protocol.md, End to end. */
export const CERTIFICATE_LIFETIME: number = 7 * DAY
/** How far two clocks may be apart: a certificate proves who, and a handshake proves now. */
const CLOCK_TOLERANCE = DAY

const CONTEXT = Uint8Array.from('SHOWCHAIN-P2P-v1 certificate\0', (character) => character.charCodeAt(0))
const TIMES_BYTES = 16
const HEADER_BYTES = TIMES_BYTES + 2
const TWO_32 = 0x1_0000_0000

export interface Validity {
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
}

export interface Certificate extends Validity {
  /** The identity's public key. Nobody has checked that it is one. */
  readonly spki: Uint8Array
  readonly signature: Uint8Array
}

function writeTimes(view: DataView, at: number, { notBefore, notAfter }: Validity): void {
  for (const [index, time] of [notBefore, notAfter].entries()) {
    view.setUint32(at + index * 8, Math.floor(time / TWO_32))
    view.setUint32(at + index * 8 + 4, time % TWO_32)
  }
}

/** What the identity signs. */
export function certificatePreimage(staticKey: Uint8Array, validity: Validity): Uint8Array {
  const preimage = new Uint8Array(CONTEXT.length + staticKey.length + TIMES_BYTES)
  preimage.set(CONTEXT)
  preimage.set(staticKey, CONTEXT.length)
  writeTimes(new DataView(preimage.buffer), CONTEXT.length + staticKey.length, validity)
  return preimage
}

export function writeCertificate({ spki, signature, ...validity }: Certificate): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + spki.length + signature.length)
  const view = new DataView(bytes.buffer)
  writeTimes(view, 0, validity)
  view.setUint16(TIMES_BYTES, spki.length)
  bytes.set(spki, HEADER_BYTES)
  bytes.set(signature, HEADER_BYTES + spki.length)
  return bytes
}

/** Undefined when it is none. */
export function readCertificate(bytes: Uint8Array): Certificate | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [notBefore, notAfter] = [0, 8].map((at) => view.getUint32(at) * TWO_32 + view.getUint32(at + 4))
  const end = HEADER_BYTES + view.getUint16(TIMES_BYTES)
  if (end > bytes.length) return undefined
  return {
    notBefore: notBefore as number,
    notAfter: notAfter as number,
    spki: bytes.slice(HEADER_BYTES, end),
    signature: bytes.slice(end),
  }
}

/** Whether it counts at this time of the wall clock, and for no longer than it may. */
export const isCurrent = ({ notBefore, notAfter }: Validity, unixMs: number): boolean =>
  notAfter - notBefore <= CERTIFICATE_LIFETIME &&
  notBefore - CLOCK_TOLERANCE <= unixMs &&
  unixMs <= notAfter + CLOCK_TOLERANCE

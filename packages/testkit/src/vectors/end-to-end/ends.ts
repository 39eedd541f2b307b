/** Fixed values of the end-to-end vectors: X25519 keys, connection ids, times. */
import { CERTIFICATE_LIFETIME, opensslEndToEnd } from '@showchain/crypto'
import type { Validity } from '@showchain/wire/end-to-end'
import { fromHex, toHex } from '../hex.ts'
import type { KeyPairHex, Side } from './forms.ts'

/** Bytes `from`, `from` + 1, …, so that fields are recognizable in hex. */
export const count = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => from + index)

/** 2026-01-01T00:00:00.123Z. */
export const NOW = 1_767_225_600_123
/** The default validity of certificates. */
export const WEEK: Validity = { notBefore: NOW, notAfter: NOW + CERTIFICATE_LIFETIME }

/** A key pair from 32 fixed bytes. */
export function keyPair(from: number): KeyPairHex {
  const privateKey = count(from, 32)
  return { privateKey: toHex(privateKey), publicKey: toHex(opensslEndToEnd.x25519Public(privateKey)) }
}

export const STATIC: { readonly [S in Side]: KeyPairHex } = { initiator: keyPair(0x01), responder: keyPair(0x21) }
export const EPHEMERAL: { readonly [S in Side]: KeyPairHex } = { initiator: keyPair(0x41), responder: keyPair(0x61) }
export const CONNECTION_ID: { readonly [S in Side]: string } = {
  initiator: toHex(count(0xb1, 8)),
  responder: toHex(count(0xd1, 8)),
}
export const SALT: Uint8Array = count(0x81, 32)
export const SESSION: string = toHex(count(0xa0, 16))

/**
 * The bytes with one bit flipped.
 * @param bit 0 is the highest of the first byte; negative: from the end
 */
export function flipped(hex: string, bit: number): string {
  const bytes = fromHex(hex)
  const at = bit < 0 ? bytes.length * 8 + bit : bit
  bytes[at >> 3] = (bytes[at >> 3] as number) ^ (0x80 >> (at & 7))
  return toHex(bytes)
}

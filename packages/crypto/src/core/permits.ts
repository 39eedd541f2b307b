/**
 * Permits: what the operator of a relay gives to those who may use it (docs/protocol.md, Permits). The
 * key of their MAC comes from the relay's private key, so that who has that makes and checks them, at
 * each relay of a fleet, and nothing has to be kept.
 *
 *   version (1) | holder (8) | number (8) | until (4) | bytes (8) | HMAC-SHA256 (first 16 bytes)
 */
import { fromBase64url, PEER_ID_BYTES, type PeerId, peerIdToBytes, ShowchainError, toHex, utf8 } from '@showchain/wire'
import type { Identity } from './identity.ts'
import type { CryptoProvider, Random } from './provider.ts'
import { sameBytes } from './same-bytes.ts'

/** What is permitted. */
export interface PermitTerms {
  /** Who may show it. @default anybody */
  readonly id?: PeerId | undefined
  /** Until when, Unix time in ms; kept in seconds. */
  readonly untilMs: number
  /** How many bytes may be sent with it in all. @default any */
  readonly bytes?: number | undefined
}

/** One, as it says. */
export interface Permit extends Pick<PermitTerms, 'untilMs' | 'bytes'> {
  /** Names it, in hexadecimal. */
  readonly number: string
}

/** Why one is not; the names are those of the errors. */
export type PermitFault = 'permitUnknown' | 'permitForAnother' | 'permitExpired'

const VERSION = 1
const HOLDER = 1
/** Bytes of the id that say whom it is for. The MAC is over all of it. */
const HOLDER_BYTES = 8
const NUMBER = HOLDER + HOLDER_BYTES
const PERMIT_NUMBER_BYTES = 8
const UNTIL = NUMBER + PERMIT_NUMBER_BYTES
const BYTES = UNTIL + 4
const HEAD_BYTES = BYTES + 8
/** 128 bits: a forgery is tried at a relay alone, with a signature for each. */
const PERMIT_MAC_BYTES = 16
const PERMIT_BYTES = HEAD_BYTES + PERMIT_MAC_BYTES
const CONTEXT = 'SHOWCHAIN-P2P-v1 permits'
/** Unix milliseconds whose seconds have more than 32 bits. */
const END_OF_TIME = 2 ** 32 * 1000
const ANYBODY = new Uint8Array(PEER_ID_BYTES)

/** Makes permits and checks them, for a relay of this identity. */
export class Permits {
  readonly #provider: CryptoProvider
  readonly #key: Uint8Array

  constructor(provider: CryptoProvider, identity: Pick<Identity, 'toPem'>) {
    this.#provider = provider
    this.#key = provider.hmacSha256(utf8(CONTEXT), derOf(identity.toPem()))
  }

  /**
   * A new one. Its number is random, so no two are the same.
   * @throws ShowchainError `ERR_BAD_ARGUMENT` for a time or an amount that it cannot say
   */
  issue(random: Random, { id, untilMs, bytes }: PermitTerms): Uint8Array {
    if (!(untilMs >= 0 && untilMs < END_OF_TIME)) throw bad('A permit ends between the years 1970 and 2106.')
    // 0 would be any amount.
    if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes > 0))
      throw bad('A permit is for a whole number of bytes, and for one at least.')
    const holder = id === undefined ? ANYBODY : peerIdToBytes(id)
    const permit = new Uint8Array(PERMIT_BYTES)
    const view = new DataView(permit.buffer)
    permit[0] = VERSION
    permit.set(holder.subarray(0, HOLDER_BYTES), HOLDER)
    permit.set(random.bytes(PERMIT_NUMBER_BYTES), NUMBER)
    view.setUint32(UNTIL, Math.floor(untilMs / 1000))
    view.setBigUint64(BYTES, BigInt(bytes ?? 0))
    permit.set(this.#mac(permit, holder), HEAD_BYTES)
    return permit
  }

  /** What a permit is good for, or why it is not. @param id who shows it */
  check(permit: Uint8Array, id: PeerId, unixMs: number): Permit | PermitFault {
    const said = readPermit(permit)
    if (said === undefined) return 'permitUnknown'
    const shown = permit.subarray(HOLDER, NUMBER)
    const open = sameBytes(shown, ANYBODY.subarray(0, HOLDER_BYTES))
    const holder = open ? ANYBODY : peerIdToBytes(id)
    if (!sameBytes(shown, holder.subarray(0, HOLDER_BYTES))) return 'permitForAnother'
    if (!sameBytes(this.#mac(permit, holder), permit.subarray(HEAD_BYTES))) return 'permitUnknown'
    if (unixMs >= said.untilMs) return 'permitExpired'
    return said
  }

  #mac(permit: Uint8Array, holder: Uint8Array): Uint8Array {
    const input = new Uint8Array(HEAD_BYTES + PEER_ID_BYTES)
    input.set(permit.subarray(0, HEAD_BYTES))
    input.set(holder, HEAD_BYTES)
    return this.#provider.hmacSha256(this.#key, input).subarray(0, PERMIT_MAC_BYTES)
  }
}

/** What a permit says, whoever made it; undefined: it has another form, and only its relay knows. */
export function readPermit(permit: Uint8Array): Permit | undefined {
  if (permit.length !== PERMIT_BYTES || permit[0] !== VERSION) return undefined
  const view = new DataView(permit.buffer, permit.byteOffset)
  const bytes = Number(view.getBigUint64(BYTES))
  return {
    number: toHex(permit.subarray(NUMBER, UNTIL)),
    untilMs: view.getUint32(UNTIL) * 1000,
    bytes: bytes === 0 ? undefined : bytes,
  }
}

const bad = (why: string): ShowchainError => new ShowchainError('ERR_BAD_ARGUMENT', why)

/** PKCS#8 without what a provider writes around it. */
function derOf(pem: string): Uint8Array {
  const base64 = pem.replace(/-----[A-Z ]+-----|\s|=/g, '')
  return fromBase64url(base64.replaceAll('+', '-').replaceAll('/', '_')) as Uint8Array
}
